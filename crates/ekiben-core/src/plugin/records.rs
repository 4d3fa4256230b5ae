//! Where the plugin host keeps what it knows across builds.

use ekiben_engine::Digest;

/// A store of small records, by kind and key. It may forget anything at any time.
pub trait Records: Send + Sync {
    /// The record, if it is still there.
    fn get(&self, kind: &str, key: &Digest) -> Option<Vec<u8>>;
    /// Keeps a record, if it can.
    fn put(&self, kind: &str, key: &Digest, record: &[u8]);
}

/// Remembers nothing.
#[derive(Debug)]
pub struct NoRecords;

impl Records for NoRecords {
    fn get(&self, _: &str, _: &Digest) -> Option<Vec<u8>> {
        None
    }

    fn put(&self, _: &str, _: &Digest, _: &[u8]) {}
}
