//! Versions of CPython that runtimes are made of.

use std::fmt;
use std::str::FromStr;

/// A version of CPython as it is asked for: `3.13` or `3.13.5`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PythonVersion {
    minor: u8,
    micro: Option<u8>,
}

impl PythonVersion {
    const OLDEST: u8 = 11;
    const NEWEST: u8 = 14;

    /// The 13 of 3.13.
    #[must_use]
    pub fn minor(self) -> u8 {
        self.minor
    }

    /// `3.13`.
    #[must_use]
    pub fn series(self) -> String {
        format!("3.{}", self.minor)
    }

    /// Whether `full`, such as `3.13.5` or `3.14.0rc1`, is what is asked for.
    #[must_use]
    pub fn matches(self, full: &str) -> bool {
        let mut parts = full.split('.');
        let minor = (parts.next(), parts.next()) == (Some("3"), Some(&self.minor.to_string()));
        let micro = self.micro.is_none_or(|micro| parts.next() == Some(&micro.to_string()));
        minor && micro
    }
}

impl fmt::Display for PythonVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "3.{}", self.minor)?;
        self.micro.map_or(Ok(()), |micro| write!(f, ".{micro}"))
    }
}

impl FromStr for PythonVersion {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers: Option<Vec<u8>> = text.split('.').map(|part| part.parse().ok()).collect();
        let (minor, micro) = match numbers.as_deref() {
            Some([3, minor]) => (*minor, None),
            Some([3, minor, micro]) => (*minor, Some(*micro)),
            _ => return Err("write a version of CPython, such as 3.13 or 3.13.5".to_owned()),
        };
        if !(Self::OLDEST..=Self::NEWEST).contains(&minor) {
            let (oldest, newest) = (Self::OLDEST, Self::NEWEST);
            return Err(format!("runtimes are made of CPython 3.{oldest} to 3.{newest}"));
        }
        Ok(Self { minor, micro })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read() {
        let version: PythonVersion = "3.13".parse().unwrap();
        assert_eq!((version.series(), version.to_string()), ("3.13".into(), "3.13".into()));
        assert_eq!("3.11.2".parse::<PythonVersion>().unwrap().to_string(), "3.11.2");
        for bad in ["", "3", "3.x", "2.7", "3.13.5.1", "3.999"] {
            let message = bad.parse::<PythonVersion>().unwrap_err();
            assert!(message.starts_with("write a version"), "{bad}: {message}");
        }
        for other in ["3.10", "3.15"] {
            let message = other.parse::<PythonVersion>().unwrap_err();
            assert_eq!(message, "runtimes are made of CPython 3.11 to 3.14");
        }
    }

    #[test]
    fn a_series_takes_any_of_its_releases() {
        let series: PythonVersion = "3.13".parse().unwrap();
        let exact: PythonVersion = "3.13.5".parse().unwrap();
        assert!(series.matches("3.13.5") && series.matches("3.13.0rc1") && exact.matches("3.13.5"));
        assert!(!series.matches("3.11.2") && !exact.matches("3.13.50") && !series.matches("3.1"));
    }
}
