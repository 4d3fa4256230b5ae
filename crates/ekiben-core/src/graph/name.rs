//! The names that the command graph is written in: commands, kinds of artifacts, plugins, and who
//! said what.
//!
//! Names are checked once, where text enters; after that a [`CommandName`] *is* well-formed. All of
//! them are kebab-case (`a-z`, `0-9` and single hyphens, a letter first), which keeps the `:` of
//! `gnu:compile`, the `?` of an optional reference and everything that a shell, a URL or XML cares
//! about free for those who need it.

use std::borrow::{Borrow, Cow};
use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

/// A text that should have been a name, and isn't.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{text}` is not a {what}: {problem}")]
pub struct NameError {
    /// The text as it was given.
    pub text: String,
    /// Which sort of name was wanted, as a noun: "command name".
    pub what: &'static str,
    /// What is wrong with it.
    pub problem: NameProblem,
    example: &'static str,
}

impl NameError {
    /// What to write instead.
    #[must_use]
    pub fn help(&self) -> String {
        format!(
            "use lower-case letters, digits and single hyphens, beginning with a letter, as in {}",
            self.example
        )
    }
}

/// The way in which a text fails to be a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NameProblem {
    /// The name, or the part before or after its colon, has no characters.
    #[error("a part of it is empty")]
    Empty,
    /// A part begins with a digit or a hyphen.
    #[error("a part of it doesn't begin with a letter")]
    Start,
    /// A hyphen at the end of a part, or two in a row.
    #[error("a hyphen has no letter or digit after it")]
    Hyphen,
    /// A character that no name has.
    #[error("it has characters that a name cannot have")]
    Character,
    /// A colon where the name has no place for one.
    #[error("it has a colon too many")]
    Colon,
}

/// Checks kebab-case with at most `colons` colons between its parts. `const`, so that literals are
/// checked while compiling.
const fn check(text: &str, mut colons: u8) -> Result<(), NameProblem> {
    let bytes = text.as_bytes();
    let mut at = 0;
    // What the next character may follow: the start of a part, a hyphen, or a letter or digit.
    let mut previous = b':';
    while at < bytes.len() {
        let byte = bytes[at];
        match byte {
            b'a'..=b'z' => {}
            b'0'..=b'9' => {
                if previous == b':' {
                    return Err(NameProblem::Start);
                }
            }
            b'-' => match previous {
                b':' => return Err(NameProblem::Start),
                b'-' => return Err(NameProblem::Hyphen),
                _ => {}
            },
            b':' => {
                match previous {
                    b':' => return Err(NameProblem::Empty),
                    b'-' => return Err(NameProblem::Hyphen),
                    _ => {}
                }
                if colons == 0 {
                    return Err(NameProblem::Colon);
                }
                colons -= 1;
            }
            _ => return Err(NameProblem::Character),
        }
        previous = byte;
        at += 1;
    }
    match previous {
        b':' => Err(NameProblem::Empty),
        b'-' => Err(NameProblem::Hyphen),
        _ => Ok(()),
    }
}

macro_rules! name {
    ($(#[$doc:meta])* $type:ident, $what:literal, $example:literal, colons: $colons:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $type(Cow<'static, str>);

        impl $type {
            #[doc = concat!("A ", $what, " known when this program is compiled. Meant for")]
            /// `const` items, where a bad name is a compile error; text that comes from outside is
            /// parsed with [`FromStr`].
            ///
            /// # Panics
            /// When `text` is malformed.
            #[must_use]
            pub const fn literal(text: &'static str) -> Self {
                assert!(check(text, $colons).is_ok(), concat!("malformed ", $what));
                Self(Cow::Borrowed(text))
            }

            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// A reference to it that is dropped where nothing has this name: `name?` in text.
            #[must_use]
            pub fn optional(self) -> Ref<Self> {
                Ref { name: self, optional: true }
            }
        }

        impl FromStr for $type {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                Self::try_from(text.to_owned())
            }
        }

        impl TryFrom<String> for $type {
            type Error = NameError;

            fn try_from(text: String) -> Result<Self, NameError> {
                match check(&text, $colons) {
                    Ok(()) => Ok(Self(Cow::Owned(text))),
                    Err(problem) => {
                        Err(NameError { text, what: $what, problem, example: $example })
                    }
                }
            }
        }

        impl From<$type> for String {
            fn from(name: $type) -> Self {
                name.0.into_owned()
            }
        }

        impl Borrow<str> for $type {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}

name! {
    /// The name of a command or an anchor: `compile` where the core brings it, `gnu:compile` where
    /// the plugin `gnu` does.
    CommandName, "command name", "`compile` or `gnu:compile`", colons: 1
}
name! {
    /// A kind of artifact that passes from command to command. The set is open: a plugin makes a
    /// new one by naming it.
    Kind, "kind", "`generated-source`", colons: 0
}
name! {
    /// The short name of a plugin, which is also what its commands' names begin with.
    PluginId, "plugin name", "`cython`", colons: 0
}

impl CommandName {
    /// The part after the colon, or all of it.
    #[must_use]
    pub fn short(&self) -> &str {
        self.0.split_once(':').map_or(&self.0, |(_, short)| short)
    }

    /// The part before the colon.
    #[must_use]
    pub fn plugin(&self) -> Option<&str> {
        self.0.split_once(':').map(|(plugin, _)| plugin)
    }
}

/// The kinds that the core's own commands know.
impl Kind {
    /// Files of the project that compilers and translators read.
    pub const SOURCE: Self = Self::literal("source");
    /// Sources that a command wrote.
    pub const GENERATED_SOURCE: Self = Self::literal("generated-source");
    /// Object files.
    pub const OBJECT: Self = Self::literal("object");
    /// Archives of object files.
    pub const STATIC_LIBRARY: Self = Self::literal("static-library");
    /// Shared objects that Python imports.
    pub const EXTENSION_MODULE: Self = Self::literal("extension-module");
    /// Objects of extension modules, each whole, to be linked into programs.
    pub const STATIC_MODULE: Self = Self::literal("static-module");
    /// Generated sources of such modules, which stand in for those of the same path.
    pub const STATIC_SOURCE: Self = Self::literal("static-source");
    /// What programs have to be linked with besides such modules.
    pub const LINKED_LIBRARIES: Self = Self::literal("linked-libraries");
    /// What plugins add to products and to the metadata, by contributing rather than by a file.
    pub const USAGE: Self = Self::literal("usage");
    /// Python modules, as source or bytecode.
    pub const MODULE_CODE: Self = Self::literal("module-code");
    /// Whole programs.
    pub const EXECUTABLE: Self = Self::literal("executable");
    /// What plugins say of the platforms that executables run on, by contributing.
    pub const PLATFORM: Self = Self::literal("platform");
    /// Core metadata: `METADATA`, `entry_points.txt` and their like.
    pub const METADATA: Self = Self::literal("metadata");
    /// Files with their places in a wheel.
    pub const WHEEL_ENTRY: Self = Self::literal("wheel-entry");
    /// Finished wheels.
    pub const WHEEL: Self = Self::literal("wheel");
    /// Finished wheels of editable installs (PEP 660).
    pub const EDITABLE_WHEEL: Self = Self::literal("editable-wheel");
    /// Finished source distributions.
    pub const SDIST: Self = Self::literal("sdist");
}

/// A reference by name: to something that must exist, or, written `name?`, to something that
/// needn't.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ref<T> {
    /// What is referred to.
    pub name: T,
    /// Whether the reference may come to nothing.
    pub optional: bool,
}

impl<T> From<T> for Ref<T> {
    fn from(name: T) -> Self {
        Self { name, optional: false }
    }
}

impl<T: FromStr<Err = NameError>> FromStr for Ref<T> {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let name = text.strip_suffix('?').unwrap_or(text);
        Ok(Self { name: name.parse()?, optional: name.len() < text.len() })
    }
}

impl<'de, T: FromStr<Err = NameError>> Deserialize<'de> for Ref<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl<T: fmt::Display> Serialize for Ref<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<T: fmt::Display> fmt::Display for Ref<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.name, if self.optional { "?" } else { "" })
    }
}

/// Who brought a command, or stated a constraint.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "kebab-case")]
pub enum Author {
    /// Ekiben itself.
    Core,
    /// A plugin.
    Plugin {
        /// Its name.
        id: PluginId,
        /// Its version, in whatever scheme it has.
        version: String,
    },
    /// The project's configuration.
    User {
        /// The file, relative to the project: `pyproject.toml`.
        file: String,
        /// The line, counted from one.
        line: u32,
    },
}

impl fmt::Display for Author {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Core => f.write_str("core"),
            Self::Plugin { id, version } => write!(f, "plugin {id} {version}"),
            Self::User { file, line } => write!(f, "{file}:{line}"),
        }
    }
}
