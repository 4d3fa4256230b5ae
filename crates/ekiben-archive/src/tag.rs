//! Compatibility tags and build tags as a wheel's name and its WHEEL file hold them.
//!
//! A name holds *compressed* tags, `py2.py3-none-any`; WHEEL holds each tag by itself. The
//! compressed form means the product of its three sets, so not every set of tags has one.

use std::collections::BTreeSet;
use std::fmt;

use crate::Error;

/// A set of tags that a wheel's name can express exactly. Parts are sorted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagSet {
    pythons: BTreeSet<String>,
    abis: BTreeSet<String>,
    platforms: BTreeSet<String>,
}

impl TagSet {
    /// The set of exactly these tags, each of which may itself be compressed.
    pub fn new(tags: impl IntoIterator<Item = impl AsRef<str>>) -> Result<Self, Error> {
        let mut asked = BTreeSet::new();
        let mut set =
            Self { pythons: BTreeSet::new(), abis: BTreeSet::new(), platforms: BTreeSet::new() };
        for tag in tags {
            let one = Self::parse(tag.as_ref())?;
            asked.extend(one.expand());
            set.pythons.extend(one.pythons);
            set.abis.extend(one.abis);
            set.platforms.extend(one.platforms);
        }
        if asked.is_empty() {
            return Err(Error::InvalidTag(String::new()));
        }
        let extra: Vec<String> = set.expand().filter(|tag| !asked.contains(tag)).collect();
        if extra.is_empty() {
            Ok(set)
        } else {
            Err(Error::TagsNotAProduct { tags: asked.into_iter().collect(), extra })
        }
    }

    /// One tag, compressed or not: `cp313-abi3-linux_x86_64`, `py2.py3-none-any`.
    pub fn parse(tag: &str) -> Result<Self, Error> {
        let invalid = || Error::InvalidTag(tag.to_owned());
        let parts = |text: &str| -> Result<BTreeSet<String>, Error> {
            text.split('.')
                .map(|part| {
                    let valid = !part.is_empty()
                        && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
                    valid.then(|| part.to_owned()).ok_or_else(invalid)
                })
                .collect()
        };
        let mut fields = tag.split('-');
        let (Some(python), Some(abi), Some(platform), None) =
            (fields.next(), fields.next(), fields.next(), fields.next())
        else {
            return Err(invalid());
        };
        Ok(Self { pythons: parts(python)?, abis: parts(abi)?, platforms: parts(platform)? })
    }

    /// Each tag by itself, sorted.
    pub fn expand(&self) -> impl Iterator<Item = String> + '_ {
        self.pythons.iter().flat_map(move |python| {
            self.abis.iter().flat_map(move |abi| {
                self.platforms.iter().map(move |platform| format!("{python}-{abi}-{platform}"))
            })
        })
    }
}

/// The compressed form, as in a wheel's name.
impl fmt::Display for TagSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let joined =
            |set: &BTreeSet<String>| set.iter().map(String::as_str).collect::<Vec<_>>().join(".");
        write!(f, "{}-{}-{}", joined(&self.pythons), joined(&self.abis), joined(&self.platforms))
    }
}

/// Orders wheels of the same version: `1`, `2_debug`. Starts with a digit.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BuildTag(String);

impl BuildTag {
    /// Checks `tag`.
    pub fn new(tag: impl Into<String>) -> Result<Self, Error> {
        let tag = tag.into();
        let valid = tag.starts_with(|first: char| first.is_ascii_digit())
            && tag.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.".contains(&byte));
        if valid { Ok(Self(tag)) } else { Err(Error::InvalidBuildTag(tag)) }
    }
}

impl fmt::Display for BuildTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn tags_are_compressed_and_expanded() {
        let tags = TagSet::new(["py3-none-any", "py2-none-any"]).unwrap();
        assert_eq!(tags.to_string(), "py2.py3-none-any");
        assert_eq!(tags.expand().collect::<Vec<_>>(), ["py2-none-any", "py3-none-any"]);
        let tags = TagSet::new(["cp313-cp313-manylinux_2_17_x86_64.manylinux2014_x86_64"]).unwrap();
        assert_eq!(tags.to_string(), "cp313-cp313-manylinux2014_x86_64.manylinux_2_17_x86_64");
    }

    #[test]
    fn a_set_without_a_compressed_form_is_refused() {
        insta::assert_snapshot!(
            TagSet::new(["cp312-abi3-linux_x86_64", "cp314-cp314t-linux_x86_64"]).unwrap_err(),
            @"one wheel's name can't hold exactly the tags cp312-abi3-linux_x86_64, cp314-cp314t-linux_x86_64: it would also promise cp312-cp314t-linux_x86_64, cp314-abi3-linux_x86_64"
        );
    }

    #[test]
    fn malformed_tags_are_refused() {
        for tag in
            ["", "py3", "py3-none", "py3-none-any-x", "py3--any", "py3-none-a/b", "py3.-none-any"]
        {
            assert!(TagSet::parse(tag).is_err(), "{tag:?} was accepted");
        }
        assert!(TagSet::new(Vec::<String>::new()).is_err());
    }

    #[test]
    fn build_tags_start_with_a_digit() {
        assert_eq!(BuildTag::new("1_debug").unwrap().to_string(), "1_debug");
        for tag in ["", "a1", "1-2", "1/2"] {
            assert!(BuildTag::new(tag).is_err(), "{tag:?} was accepted");
        }
    }
}
