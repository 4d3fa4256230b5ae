//! Linkers: what each has to be told so that the image gets a segment of its own, behind which there is
//! room.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use crate::runtime::error::Error;
use crate::runtime::files;
use crate::runtime::link::{ADDRESS, SECTION};
use crate::runtime::manifest::FlavourLink;

/// Where mold is told to put constants, which otherwise follow the image: those of C++ exceptions, and
/// all others.
const BEHIND: [(&str, &str); 2] = [(".gcc_except_table", "0x70000000"), (".rodata", "0x71000000")];

/// A linker that the compiler can be told to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Linker {
    /// GNU ld.
    Bfd,
    /// LLVM's.
    Lld,
    /// mold.
    Mold,
}

impl Linker {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Bfd, Self::Lld, Self::Mold];

    /// Its word on command lines, which compilers know it by.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bfd => "bfd",
            Self::Lld => "lld",
            Self::Mold => "mold",
        }
    }

    /// Changes what was written for GNU ld. `work` is a folder for files that the linker reads.
    pub(super) fn adapt(self, how: &mut FlavourLink, work: &Path) -> Result<(), Error> {
        how.flags.push(format!("-fuse-ld={self}"));
        let of_image = |flag: &String| flag.starts_with(&format!("-Wl,--section-start={SECTION}="));
        match self {
            Self::Bfd => {}
            Self::Lld => {
                // By an address alone, all that is loaded after the section would follow it.
                how.flags.retain(|flag| !of_image(flag));
                let script = work.join("image.ld");
                let text = format!(
                    "SECTIONS {{\n  __libc_freeres_ptrs : {{ *(__libc_freeres_ptrs) }}\n  \
                     {SECTION} {ADDRESS} : {{ KEEP(*({SECTION})) }}\n}} INSERT AFTER .bss;\n"
                );
                files::write(&script, text)?;
                how.flags.push(format!("-Wl,--script={}", script.display()));
            }
            Self::Mold => {
                let behind = BEHIND.map(|(name, at)| format!("-Wl,--section-start={name}={at}"));
                how.flags.extend(behind);
            }
        }
        Ok(())
    }
}

impl fmt::Display for Linker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Linker {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|linker| linker.as_str() == text);
        found.ok_or_else(|| "write bfd, lld or mold".to_owned())
    }
}
