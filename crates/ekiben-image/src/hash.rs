//! A perfect hash: each name has a slot of its own, and there are as many slots as names.
//!
//! Names are spread over buckets; each bucket has a displacement under which its names fall into
//! slots that no other name has. A look-up hashes the name once and reads two numbers.

use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::layout::BUCKET;

/// The hash of a name.
pub(crate) fn hash(seed: u32, name: &str) -> u64 {
    xxh3_64_with_seed(name.as_bytes(), u64::from(seed))
}

/// The bucket of a hash, among a number that isn't 0.
pub(crate) fn bucket(hash: u64, buckets: u32) -> u32 {
    (hash % u64::from(buckets)) as u32
}

/// The slot of a hash, among a number that isn't 0.
pub(crate) fn slot(hash: u64, displacement: u32, slots: u32) -> u32 {
    let mut mixed = hash ^ (u64::from(displacement).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    mixed = (mixed ^ (mixed >> 33)).wrapping_mul(0xFF51_AFD7_ED55_8CCD);
    mixed = (mixed ^ (mixed >> 33)).wrapping_mul(0xC4CE_B9FE_1A85_EC53);
    ((mixed ^ (mixed >> 33)) % u64::from(slots)) as u32
}

/// How many buckets there are for so many names.
pub(crate) fn buckets(names: u32) -> u32 {
    names.div_ceil(BUCKET).max(1)
}

/// The tables for one set of names.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Tables {
    /// By bucket.
    pub(crate) displacements: Vec<u32>,
    /// By slot, the number of the name.
    pub(crate) names: Vec<u32>,
}

/// Finds displacements for distinct names, or nothing if two have the same hash under this seed.
pub(crate) fn tables(seed: u32, names: &[&str]) -> Option<Tables> {
    let count = names.len() as u32;
    let number_of_buckets = buckets(count);
    let mut members: Vec<Vec<(u64, u32)>> = vec![Vec::new(); number_of_buckets as usize];
    for (number, name) in names.iter().enumerate() {
        let hash = hash(seed, name);
        members[bucket(hash, number_of_buckets) as usize].push((hash, number as u32));
    }
    let mut order: Vec<usize> = (0..members.len()).collect();
    // The fullest first, while there is room.
    order.sort_by_key(|&bucket| (usize::MAX - members[bucket].len(), bucket));
    let mut displacements = vec![0; members.len()];
    let mut slots: Vec<Option<u32>> = vec![None; names.len()];
    let mut taken = Vec::new();
    for bucket in order {
        let hashes = &members[bucket];
        if has_twins(hashes) {
            return None;
        }
        let fits = |displacement: &u32| {
            taken.clear();
            hashes.iter().all(|&(hash, _)| {
                let slot = slot(hash, *displacement, count);
                let free = slots[slot as usize].is_none() && !taken.contains(&slot);
                taken.push(slot);
                free
            })
        };
        let displacement = (0..u32::MAX).find(fits)?;
        for &(hash, number) in hashes {
            slots[slot(hash, displacement, count) as usize] = Some(number);
        }
        displacements[bucket] = displacement;
    }
    Some(Tables { displacements, names: slots.into_iter().flatten().collect() })
}

fn has_twins(hashes: &[(u64, u32)]) -> bool {
    let mut sorted: Vec<u64> = hashes.iter().map(|(hash, _)| *hash).collect();
    sorted.sort_unstable();
    sorted.windows(2).any(|pair| pair[0] == pair[1])
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_its_slot() {
        for count in [0, 1, 2, 3, 5, 64, 1000, 20_000] {
            let names: Vec<String> = (0..count).map(|number| format!("a.b{number}")).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let tables = tables(7, &names).unwrap();
            assert_eq!(tables.names.len(), names.len());
            for (number, name) in names.iter().enumerate() {
                let hash = hash(7, name);
                let bucket = bucket(hash, tables.displacements.len() as u32);
                let slot = slot(hash, tables.displacements[bucket as usize], count);
                assert_eq!(tables.names[slot as usize], number as u32);
            }
        }
    }

    #[test]
    fn the_hash_is_part_of_the_format() {
        assert_eq!(hash(0, "json.decoder"), 14_458_758_294_105_391_666);
        assert_eq!(slot(1, 2, 1000), 506);
    }
}
