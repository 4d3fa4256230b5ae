//! NumPy's releases as far as its C API tells them apart: major and minor number.

use std::fmt;

/// A release such as 1.23.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Release {
    pub(crate) major: u32,
    pub(crate) minor: u32,
}

impl Release {
    pub(crate) const fn new(major: u32, minor: u32) -> Self {
        Self { major, minor }
    }

    /// The release that a version such as `2.3.5` or `2.4.0rc1` is of.
    pub(crate) fn of_version(version: &str) -> Option<Self> {
        let mut parts = version.split('.');
        let major = parts.next()?.parse().ok()?;
        let minor = parts.next().unwrap_or("0");
        let digits = minor.find(|c: char| !c.is_ascii_digit()).unwrap_or(minor.len());
        Some(Self { major, minor: minor[..digits].parse().ok()? })
    }

    /// What a person writes in an option: `1.23`, or `2` for 2.0.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (major, minor) = text.trim().split_once('.').unwrap_or((text.trim(), "0"));
        Some(Self { major: major.parse().ok()?, minor: minor.parse().ok()? })
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_all_sorts_belong_to_a_release() {
        for (version, release) in [
            ("2.3.5", Some(Release::new(2, 3))),
            ("1.26.4+local", Some(Release::new(1, 26))),
            ("2.4rc1", Some(Release::new(2, 4))),
            ("3", Some(Release::new(3, 0))),
            ("new", None),
            ("2.x", None),
        ] {
            assert_eq!(Release::of_version(version), release, "{version}");
        }
        assert_eq!(Release::parse("1.23"), Some(Release::new(1, 23)));
        assert_eq!(Release::parse("2"), Some(Release::new(2, 0)));
        assert_eq!(Release::parse("1.23.5"), None);
        assert!(Release::new(1, 9) < Release::new(1, 10));
    }
}
