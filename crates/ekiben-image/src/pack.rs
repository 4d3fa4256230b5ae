//! Compressing by Zstandard (RFC 8878).

use std::sync::{Mutex, TryLockError};

use zstd_safe::DCtx;

use crate::write::Effort;

/// The memory that unpacking needs (about 100 kB), kept: a program unpacks hundreds of modules.
static KEPT: Mutex<Option<DCtx<'static>>> = Mutex::new(None);

/// How many times its own length a frame holds at most: a block takes 4 bytes or more, and has 128 KiB or
/// less.
const MOST: usize = 1 << 15;

/// The frame of `bytes`, if it is smaller.
pub(crate) fn pack(bytes: &[u8], effort: Effort) -> Option<Vec<u8>> {
    let level = match effort {
        Effort::Quick => 5,
        Effort::Thorough => 19,
    };
    let mut packed = Vec::with_capacity(zstd_safe::compress_bound(bytes.len()));
    zstd_safe::compress(&mut packed, bytes, level).ok()?;
    (packed.len() < bytes.len()).then(|| {
        packed.shrink_to_fit();
        packed
    })
}

/// What a frame of `length` bytes holds.
pub(crate) fn unpack(packed: &[u8], length: usize) -> Option<Vec<u8>> {
    // What a damaged image says may be more than there is.
    if length > packed.len().saturating_mul(MOST) {
        return None;
    }
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(length).ok()?;
    // Whoever forked while another thread was at it finds the lock taken for ever.
    let mut kept = match KEPT.try_lock() {
        Ok(kept) => Some(kept),
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    };
    let mut own = None;
    let context = kept.as_deref_mut().unwrap_or(&mut own);
    if context.is_none() {
        *context = DCtx::try_create();
    }
    context.as_mut()?.decompress(&mut bytes, packed).ok()?;
    (bytes.len() == length).then_some(bytes)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_holds_what_it_holds() {
        for length in [1 << 10, 1 << 24] {
            // What compresses best.
            let packed = pack(&vec![0; length], Effort::Thorough).unwrap();
            assert_eq!(unpack(&packed, length).unwrap(), vec![0; length]);
            for other in [0, length - 1, length + 1, packed.len() * MOST + 1, usize::MAX] {
                assert!(unpack(&packed, other).is_none(), "{other}");
            }
        }
    }
}
