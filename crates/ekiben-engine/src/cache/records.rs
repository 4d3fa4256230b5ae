//! Small facts that other parts of a build want to keep: plan traces, facts about interpreters, compiled components.
//!
//! Some of them are loaded without further checks, so each starts with the digest of kind, key and content.

use super::{Cache, read_used};
use crate::digest::Digest;

impl Cache {
    /// What was recorded under `key` among the records of `kind`; none if nothing was, or it is damaged.
    #[must_use]
    pub fn record_get(&self, kind: &str, key: &[u8]) -> Option<Vec<u8>> {
        let path = self.entry(&table(kind), Digest::of(key));
        let text = read_used(&path)?;
        let (found, content) = text.split_first_chunk::<32>()?;
        (found == seal(kind, key, content).as_bytes()).then(|| content.to_vec())
    }

    /// Records `content` under `key` among the records of `kind`, which is a word of letters, digits and dashes.
    ///
    /// # Errors
    /// When the cache can't be written to. The caller can go on without it.
    pub fn record_put(&self, kind: &str, key: &[u8], content: &[u8]) -> std::io::Result<()> {
        let mut text = seal(kind, key, content).as_bytes().to_vec();
        text.extend_from_slice(content);
        self.write(&self.entry(&table(kind), Digest::of(key)), &text, 0o644)
    }
}

fn table(kind: &str) -> String {
    let word: String = kind
        .chars()
        .map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '-' })
        .collect();
    format!("records/{word}")
}

fn seal(kind: &str, key: &[u8], content: &[u8]) -> Digest {
    let mut text = Vec::with_capacity(content.len() + key.len() + kind.len() + 16);
    for part in [kind.as_bytes(), key] {
        text.extend_from_slice(&(part.len() as u64).to_le_bytes());
        text.extend_from_slice(part);
    }
    text.extend_from_slice(content);
    Digest::of(&text)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::cache::CacheLimits;

    #[test]
    fn kept_and_checked() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(folder.path(), CacheLimits::new(1 << 20)).unwrap();
        assert_eq!(cache.record_get("plan", b"k"), None);
        cache.record_put("plan", b"k", b"one").unwrap();
        cache.record_put("plan", b"k", b"two").unwrap();
        assert_eq!(cache.record_get("plan", b"k").unwrap(), b"two");
        assert_eq!(cache.record_get("other", b"k"), None);

        let path = cache.entry("records/plan", Digest::of(b"k"));
        let mut text = std::fs::read(&path).unwrap();
        *text.last_mut().unwrap() ^= 1;
        std::fs::write(&path, text).unwrap();
        assert_eq!(cache.record_get("plan", b"k"), None);
        std::fs::write(&path, "short").unwrap();
        assert_eq!(cache.record_get("plan", b"k"), None);
    }
}
