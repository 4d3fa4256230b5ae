//! Names and versions as they appear in archives' file names.
//!
//! One rule serves wheels (binary distribution format, "Escaping and Unicode"), sdists (PEP 625)
//! and `.dist-info` folders: normalise as PEP 503 says, then put `_` for `-`, since `-` separates
//! the parts of a file name.

use crate::Error;

/// Whether `name` is a distribution name: ASCII letters and digits, with `.`, `-` and `_` between
/// them.
pub fn is_valid_name(name: &str) -> bool {
    let edge = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = name.as_bytes();
    edge(bytes.first())
        && edge(bytes.last())
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte))
}

/// The name as an index compares it (PEP 503): lower case, each run of `.`, `-` and `_` one `-`.
pub fn normalize_name(name: &str) -> String {
    let mut normalized = String::with_capacity(name.len());
    for character in name.chars() {
        if !matches!(character, '-' | '_' | '.') {
            normalized.push(character.to_ascii_lowercase());
        } else if !normalized.ends_with('-') {
            normalized.push('-');
        }
    }
    normalized
}

/// The name as it stands in a file name: [`normalize_name`] with `_` for `-`.
pub fn escape_distribution_name(name: &str) -> Result<String, Error> {
    if is_valid_name(name) {
        Ok(normalize_name(name).replace('-', "_"))
    } else {
        Err(Error::InvalidName(name.to_owned()))
    }
}

/// The version as it stands in a file name: as given, which should be PEP 440's normal form, with
/// `_` for `-`.
pub fn escape_version(version: &str) -> Result<String, Error> {
    let valid = !version.is_empty()
        && version.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.+!".contains(&byte));
    if valid {
        Ok(version.replace('-', "_"))
    } else {
        Err(Error::InvalidVersion(version.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn names_are_normalised_as_pep_503_says() {
        for spelling in [
            "friendly-bard",
            "Friendly-Bard",
            "FRIENDLY.bard",
            "friendly--bard",
            "FrIeNdLy-._.-bArD",
        ] {
            assert_eq!(normalize_name(spelling), "friendly-bard");
            assert_eq!(escape_distribution_name(spelling).unwrap(), "friendly_bard");
        }
    }

    #[test]
    fn invalid_names_are_refused() {
        for name in ["", "-a", "a-", "a b", "a/b", "ä", "_"] {
            assert!(escape_distribution_name(name).is_err(), "{name:?} was accepted");
        }
    }

    #[test]
    fn versions_keep_epoch_and_local_part() {
        assert_eq!(escape_version("1!2.0+local.1").unwrap(), "1!2.0+local.1");
        assert_eq!(escape_version("1.0-1").unwrap(), "1.0_1");
        assert!(escape_version("1.0/..").is_err());
        assert!(escape_version("").is_err());
    }
}
