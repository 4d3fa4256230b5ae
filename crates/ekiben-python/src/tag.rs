//! Compatibility tags (PEP 425) and Python versions.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Error;

/// Major and minor version of Python: `3.12`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PythonVersion {
    /// 3.
    pub major: u8,
    /// 12.
    pub minor: u8,
}

impl PythonVersion {
    /// Version `major.minor`.
    pub const fn new(major: u8, minor: u8) -> Self {
        Self { major, minor }
    }

    /// Both numbers with nothing between them, as tags have them: `312`.
    pub fn nodot(self) -> String {
        format!("{}{}", self.major, self.minor)
    }
}

impl fmt::Display for PythonVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl FromStr for PythonVersion {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let parse = || {
            let (major, minor) = text.split_once('.')?;
            Some(Self { major: number(major)?, minor: number(minor)? })
        };
        parse().ok_or_else(|| Error::InvalidVersion(text.to_owned()))
    }
}

/// A number without a sign, which `parse` would let through.
pub(crate) fn number(text: &str) -> Option<u8> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// One compatibility tag, not compressed: `cp313-cp313-linux_x86_64`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag {
    /// `cp313`, `py3`.
    pub python: String,
    /// `cp313`, `abi3`, `none`.
    pub abi: String,
    /// `linux_x86_64`, `any`.
    pub platform: String,
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.python, self.abi, self.platform)
    }
}

impl FromStr for Tag {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let part = |part: &str| {
            let valid = !part.is_empty()
                && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            valid.then(|| part.to_owned()).ok_or_else(|| Error::InvalidTag(text.to_owned()))
        };
        match text.split('-').collect::<Vec<_>>()[..] {
            [python, abi, platform] => {
                Ok(Self { python: part(python)?, abi: part(abi)?, platform: part(platform)? })
            }
            _ => Err(Error::InvalidTag(text.to_owned())),
        }
    }
}

/// `sysconfig.get_platform()` as a tag has it.
pub(crate) fn normalize(platform: &str) -> String {
    platform.replace(['-', '.', ' '], "_")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn tags_are_parsed_and_shown() {
        let tag: Tag = "cp313-cp313t-win_amd64".parse().unwrap();
        assert_eq!(tag.abi, "cp313t");
        assert_eq!(tag.to_string(), "cp313-cp313t-win_amd64");
        for bad in ["", "a-b", "a-b-c-d", "a--c", "a.b-c-d", "a-b-c/d"] {
            assert!(bad.parse::<Tag>().is_err(), "{bad:?} was accepted");
        }
    }

    #[test]
    fn versions_are_compared_as_numbers() {
        let version = |text: &str| text.parse::<PythonVersion>().unwrap();
        assert!(version("3.9") < version("3.10"));
        assert_eq!(version("3.10").nodot(), "310");
        for bad in ["", "3", "3.", "3.x", "+3.1", "3.1.2", "3.999"] {
            assert!(bad.parse::<PythonVersion>().is_err(), "{bad:?} was accepted");
        }
    }
}
