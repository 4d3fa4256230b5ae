//! What `numpy/numpyconfig.h` says of itself.
//!
//! Since 1.25 a module works with older releases than the one it is built with: down to what the
//! macro `NPY_TARGET_VERSION` asks for, or else to a default that the header states. Before, it
//! works with that release and later ones. Either way releases are named by macros
//! (`NPY_1_23_API_VERSION`), of which each header knows those that there were.

use crate::release::Release;

/// The part of the header that matters here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Header {
    /// Releases that there are macros for, in order.
    known: Vec<Release>,
    /// The oldest release that a module works with unless it asks for another; nothing in headers
    /// that don't know of targets.
    pub(crate) default_target: Option<Release>,
}

/// The release of a macro such as `NPY_1_23_API_VERSION`.
fn release_of(name: &str) -> Option<Release> {
    let (major, minor) =
        name.strip_prefix("NPY_")?.strip_suffix("_API_VERSION")?.split_once('_')?;
    Some(Release { major: major.parse().ok()?, minor: minor.parse().ok()? })
}

impl Header {
    pub(crate) fn parse(text: &str) -> Self {
        let mut header = Self::default();
        for line in text.lines() {
            let Some(line) = line.trim_start().strip_prefix('#') else { continue };
            let mut words = line.split_whitespace();
            if words.next() != Some("define") {
                continue;
            }
            let (Some(name), Some(value)) = (words.next(), words.next()) else { continue };
            if name == "NPY_FEATURE_VERSION" {
                header.default_target = release_of(value).or(header.default_target);
            } else {
                header.known.extend(release_of(name));
            }
        }
        header.known.sort_unstable();
        header
    }

    /// The macro of a release. One that brought nothing new to the C API has none, so the nearest
    /// before it stands for it.
    pub(crate) fn macro_of(&self, release: Release) -> Option<String> {
        let nearest = self.known.iter().rev().find(|known| **known <= release)?;
        Some(format!("NPY_{}_{}_API_VERSION", nearest.major, nearest.minor))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The lines that matter, as NumPy 2.3 has them among many others.
    pub(crate) const NUMPY_2_3: &str = "\
#define NPY_1_7_API_VERSION 0x00000007
#define NPY_1_19_API_VERSION 0x0000000d
#define NPY_1_23_API_VERSION 0x00000010
#define NPY_1_25_API_VERSION 0x00000011
#define NPY_2_0_API_VERSION 0x00000012
#define NPY_2_3_API_VERSION 0x00000014
#if defined(NPY_INTERNAL_BUILD) && NPY_INTERNAL_BUILD
    #define NPY_FEATURE_VERSION NPY_API_VERSION
#elif defined(NPY_TARGET_VERSION) && NPY_TARGET_VERSION
    #define NPY_FEATURE_VERSION NPY_TARGET_VERSION
#else
    #define NPY_FEATURE_VERSION NPY_1_23_API_VERSION
#endif
";

    pub(crate) const NUMPY_1_24: &str = "\
 *   #define NPY_NO_DEPRECATED_API  NPY_1_7_API_VERSION
#define NPY_1_7_API_VERSION 0x00000007
#define NPY_1_23_API_VERSION 0x00000010
#define NPY_1_24_API_VERSION 0x00000010
";

    #[test]
    fn the_default_target_is_the_branch_for_everybody() {
        let header = Header::parse(NUMPY_2_3);
        assert_eq!(header.default_target, Some(Release::new(1, 23)));
        assert_eq!(Header::parse(NUMPY_1_24).default_target, None);
    }

    #[test]
    fn releases_without_a_macro_use_the_one_before() {
        let header = Header::parse(NUMPY_2_3);
        let name = |major, minor| header.macro_of(Release::new(major, minor));
        assert_eq!(name(1, 23).as_deref(), Some("NPY_1_23_API_VERSION"));
        assert_eq!(name(1, 26).as_deref(), Some("NPY_1_25_API_VERSION"));
        assert_eq!(name(2, 9).as_deref(), Some("NPY_2_3_API_VERSION"));
        assert_eq!(name(1, 6), None);
        let old = Header::parse(NUMPY_1_24);
        assert_eq!(old.macro_of(Release::new(1, 7)).as_deref(), Some("NPY_1_7_API_VERSION"));
    }
}
