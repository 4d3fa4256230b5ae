//! SHA-256 digests of files and of what a result depends on, in hexadecimal digits as manifests have
//! them.

use std::path::Path;

use ekiben_engine::Digest;
use serde::Serialize;

use super::error::Error;

/// The digest of bytes.
pub(super) fn of_bytes(bytes: &[u8]) -> String {
    Digest::of(bytes).to_string()
}

/// The digest of a file's content.
pub(super) fn of_file(path: &Path) -> Result<String, Error> {
    let digest = Digest::of_file(path).map_err(Error::io("read", path))?;
    Ok(digest.to_string())
}

/// The digest of a value, by its JSON.
pub(super) fn of_value(value: &impl Serialize) -> Result<String, Error> {
    let text = serde_json::to_vec(value)
        .map_err(|error| Error::Internal(format!("a key can't be written: {error}")))?;
    Ok(of_bytes(&text))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_the_digest_of_its_bytes() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "abc").unwrap();
        let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(of_bytes(b"abc"), digest);
        assert_eq!(of_file(file.path()).unwrap(), digest);
    }
}
