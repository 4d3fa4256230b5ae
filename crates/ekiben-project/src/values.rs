//! The small types of which settings are made: each parsed once, at the edge, and valid ever after.
//!
//! Every type has a [`FromStr`] that says what is wrong with a text, and is known to the JSON
//! schema by a `format`, which is how the checker finds the right one ([`check_format`]).

use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use pep440_rs::Version;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::standard::ObjectRef;

/// What is wrong with a text, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct InvalidValue {
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl InvalidValue {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None }
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

macro_rules! text_type {
    ($(#[$doc:meta])* $name:ident, $format:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidValue;

            fn try_from(text: String) -> Result<Self, InvalidValue> {
                text.parse()
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "format": $format })
            }
        }
    };
}

text_type!(
    /// A dotted Python module name, such as `spam.eggs._core`.
    ModuleName,
    "ekiben-module"
);
text_type!(
    /// A path inside the project, relative to its root, with `/` between parts and no `..`.
    ProjectPath,
    "ekiben-path"
);
text_type!(
    /// A folder for the compiler or the linker: inside the project, or absolute on the machine.
    SearchPath,
    "ekiben-search-path"
);
text_type!(
    /// A static library: a name, or a file in the project, on the machine or in a package.
    StaticLibrary,
    "ekiben-static-library"
);
text_type!(
    /// A pattern over project paths: `*`, `?` and `[…]` stay within one folder, `**` crosses them.
    Glob,
    "ekiben-glob"
);
text_type!(
    /// The name of a preprocessor macro.
    MacroName,
    "ekiben-macro"
);
text_type!(
    /// A function of a module, such as `spam.cli:main`.
    FunctionRef,
    "ekiben-function"
);
text_type!(
    /// A version of Python: a series such as `3.13`, or a release of one.
    PythonVersion,
    "ekiben-python"
);
text_type!(
    /// A SHA-256 digest as 64 lowercase hexadecimal digits.
    Sha256Hex,
    "ekiben-sha256"
);
text_type!(
    /// A version of a release (PEP 440), in its normal form.
    VersionText,
    "ekiben-version"
);
text_type!(
    /// A wheel's build tag: digits first (binary distribution format).
    BuildTag,
    "ekiben-build-tag"
);
text_type!(
    /// A word that ends up on a compiler's or linker's command line: not empty, one line.
    Argument,
    "ekiben-argument"
);
text_type!(
    /// A version of CPython's limited API, such as `3.11`.
    LimitedApiVersion,
    "ekiben-limited-api"
);
text_type!(
    /// A command, by its name, or `plugin:command`.
    CommandName,
    "ekiben-command"
);

text_type!(
    /// A regular expression with a group named `version`.
    Pattern,
    "ekiben-pattern"
);
text_type!(
    /// A path in a wheel; with a slash at its end, a folder.
    WheelTarget,
    "ekiben-target"
);

/// Checks a text against one of our formats; unknown formats say nothing.
pub(crate) fn check_format(format: &str, text: &str) -> Result<(), InvalidValue> {
    match format {
        "ekiben-module" => ModuleName::from_str(text).map(drop),
        "ekiben-path" => ProjectPath::from_str(text).map(drop),
        "ekiben-search-path" => SearchPath::from_str(text).map(drop),
        "ekiben-static-library" => StaticLibrary::from_str(text).map(drop),
        "ekiben-glob" => Glob::from_str(text).map(drop),
        "ekiben-macro" => MacroName::from_str(text).map(drop),
        "ekiben-sha256" => Sha256Hex::from_str(text).map(drop),
        "ekiben-version" => VersionText::from_str(text).map(drop),
        "ekiben-build-tag" => BuildTag::from_str(text).map(drop),
        "ekiben-argument" => Argument::from_str(text).map(drop),
        "ekiben-limited-api" => LimitedApiVersion::from_str(text).map(drop),
        "ekiben-command" => CommandName::from_str(text).map(drop),
        "ekiben-pattern" => Pattern::from_str(text).map(drop),
        "ekiben-target" => WheelTarget::from_str(text).map(drop),
        "ekiben-function" => FunctionRef::from_str(text).map(drop),
        "ekiben-python" => PythonVersion::from_str(text).map(drop),
        _ => Ok(()),
    }
}

/// Python's keywords; none can be a module's name.
const KEYWORDS: &[&str] = &[
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue",
    "def", "del", "elif", "else", "except", "finally", "for", "from", "global", "if", "import",
    "in", "is", "lambda", "nonlocal", "not", "or", "pass", "raise", "return", "try", "while",
    "with", "yield",
];

/// Whether `word` can be a name in Python and isn't a keyword.
pub(crate) fn is_identifier(word: &str) -> bool {
    let mut chars = word.chars();
    chars.next().is_some_and(|c| c == '_' || c.is_alphabetic())
        && chars.all(|c| c == '_' || c.is_alphanumeric())
        && !KEYWORDS.contains(&word)
}

impl FromStr for ModuleName {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        for (at, part) in text.split('.').enumerate() {
            // The folder of a package that holds only stubs (PEP 561).
            let stubs = (at == 0).then(|| part.strip_suffix("-stubs")).flatten();
            if is_identifier(stubs.unwrap_or(part)) {
                continue;
            }
            let error = if part.is_empty() {
                InvalidValue::new(format!("`{text}` isn't a module name: a part of it is empty"))
            } else if KEYWORDS.contains(&part) {
                InvalidValue::new(format!(
                    "`{text}` isn't a module name: `{part}` is a keyword of Python"
                ))
            } else {
                InvalidValue::new(format!(
                    "`{text}` isn't a module name: `{part}` can't be a name in Python"
                ))
            };
            let fixed = text.replace(['/', '\\'], ".").replace('-', "_");
            let fixed = fixed.trim_matches('.').trim_end_matches(".py");
            let help = if fixed != text && fixed.split('.').all(is_identifier) {
                format!("write `{fixed}`")
            } else {
                "use names joined by dots, such as `spam.eggs`".to_owned()
            };
            return Err(error.help(help));
        }
        Ok(Self(text.to_owned()))
    }
}

impl ModuleName {
    /// The package it is in: `spam.eggs` for `spam.eggs._core`.
    #[must_use]
    pub fn parent(&self) -> Option<ModuleName> {
        self.0.rsplit_once('.').map(|(parent, _)| Self(parent.to_owned()))
    }

    /// The last part: `_core` for `spam.eggs._core`.
    #[must_use]
    pub fn stem(&self) -> &str {
        self.0.rsplit('.').next().unwrap_or(&self.0)
    }

    /// The folder or file stem it stands for: `spam/eggs/_core`.
    #[must_use]
    pub fn as_path(&self) -> String {
        self.0.replace('.', "/")
    }
}

/// Normalises `./a//b/` to `a/b` and refuses what leaves the project.
fn project_path(text: &str, what: &str) -> Result<String, InvalidValue> {
    if text.is_empty() {
        return Err(InvalidValue::new(format!("the {what} is empty"))
            .help("write `.` for the project's own folder"));
    }
    one_line(text, what)?;
    if text.contains('\\') {
        return Err(InvalidValue::new(format!("`{text}` has a backslash"))
            .help(format!("write `{}`", text.replace('\\', "/"))));
    }
    let drive = text.as_bytes().get(1) == Some(&b':') && text.as_bytes()[0].is_ascii_alphabetic();
    if text.starts_with('/') || drive {
        return Err(InvalidValue::new(format!("`{text}` is an absolute {what}"))
            .help("write it relative to the folder of pyproject.toml"));
    }
    let parts: Vec<&str> = text.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    if parts.contains(&"..") {
        return Err(InvalidValue::new(format!("`{text}` leads out of the project")).help(
            "everything a build reads must lie in the folder of pyproject.toml; `..` isn't allowed",
        ));
    }
    Ok(if parts.is_empty() { ".".to_owned() } else { parts.join("/") })
}

fn one_line(text: &str, what: &str) -> Result<(), InvalidValue> {
    match text.chars().find(|c| c.is_control()) {
        Some(c) => Err(InvalidValue::new(format!(
            "the {what} holds a control character ({})",
            c.escape_default()
        ))
        .help("remove it")),
        None => Ok(()),
    }
}

impl FromStr for ProjectPath {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        project_path(text, "path").map(Self)
    }
}

impl ProjectPath {
    /// The project's root.
    #[must_use]
    pub fn root() -> Self {
        Self(".".to_owned())
    }

    /// A path that a walk of the project gave, relative to its root. `None` if it can't be in an
    /// archive: not UTF-8, or with a backslash or a control character.
    pub(crate) fn from_relative(relative: &Path) -> Option<Self> {
        let parts: Option<Vec<&str>> = relative.iter().map(|part| part.to_str()).collect();
        let text = parts?.join("/");
        let bad = |c: char| c == '\\' || c.is_control();
        (!text.is_empty() && !text.contains(bad)).then_some(Self(text))
    }

    /// Where it is on this machine, given where the project is.
    #[must_use]
    pub fn in_dir(&self, root: &Path) -> PathBuf {
        if self.0 == "." { root.to_owned() } else { root.join(&self.0) }
    }

    /// This path with `relative` (which has no `..`) below it.
    #[must_use]
    pub fn join(&self, relative: &str) -> Self {
        if self.0 == "." {
            Self(relative.to_owned())
        } else {
            Self(format!("{}/{relative}", self.0))
        }
    }

    /// The last part.
    #[must_use]
    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// The text after the last dot of the file name, without the dot.
    #[must_use]
    pub fn extension(&self) -> Option<&str> {
        self.file_name().rsplit_once('.').filter(|(stem, _)| !stem.is_empty()).map(|(_, ext)| ext)
    }

    /// What is left of this path below `folder`, if it lies there.
    #[must_use]
    pub fn strip_folder(&self, folder: &ProjectPath) -> Option<&str> {
        if folder.0 == "." {
            return Some(&self.0);
        }
        self.0.strip_prefix(&folder.0)?.strip_prefix('/')
    }
}

impl FromStr for SearchPath {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        one_line(text, "path")?;
        if Path::new(text).is_absolute() {
            return Ok(Self(text.to_owned()));
        }
        if let Some(in_package) = text.strip_prefix(PACKAGE) {
            return project_path(in_package, "path").map(|path| Self(format!("{PACKAGE}{path}")));
        }
        project_path(text, "path").map(Self)
    }
}

/// What a search path in an installed package begins with.
const PACKAGE: &str = "package:";

impl SearchPath {
    /// The path below `site-packages`, if it lies in a package that is installed for the build.
    #[must_use]
    pub fn in_package(&self) -> Option<&str> {
        self.0.strip_prefix(PACKAGE)
    }
}

impl FromStr for StaticLibrary {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        if is_library_file(text) {
            return text.parse().map(|path: SearchPath| Self(path.0));
        }
        one_line(text, "library")?;
        if text.starts_with('-') || text.is_empty() || text.contains(char::is_whitespace) {
            return Err(InvalidValue::new(format!("`{text}` isn't a library's name"))
                .help("write `z` for `libz.a`, or the path of the file"));
        }
        Ok(Self(text.to_owned()))
    }
}

/// Whether a text names a library's file, and not the library.
fn is_library_file(text: &str) -> bool {
    let suffixes = [".a", ".lib", ".o", ".obj"];
    text.contains(['/', '\\'])
        || text.starts_with(PACKAGE)
        || suffixes.iter().any(|suffix| text.ends_with(suffix))
}

impl StaticLibrary {
    /// The file, unless only a name is given.
    #[must_use]
    pub fn file(&self) -> Option<SearchPath> {
        is_library_file(&self.0).then(|| SearchPath(self.0.clone()))
    }
}

/// `globset` recurses for nested braces; more than this nobody writes, and the stack ends somewhere.
const MAX_BRACES: usize = 50;

impl FromStr for Glob {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let normal = project_path(text, "pattern")?;
        if text.matches('{').count() > MAX_BRACES {
            return Err(InvalidValue::new(format!("the pattern has more than {MAX_BRACES} `{{`"))
                .help("write several patterns instead of one"));
        }
        let normal = if text.ends_with('/') { format!("{normal}/**") } else { normal };
        match Self(normal).compile() {
            Ok((glob, _)) => Ok(glob),
            Err(error) => Err(InvalidValue::new(format!(
                "`{text}` isn't a valid pattern: {}",
                error.kind()
            ))
            .help("`*` matches within a folder, `**` across folders, `[ab]` one of the letters")),
        }
    }
}

impl Glob {
    /// Whether it is a plain path, without anything that matches more than itself.
    #[must_use]
    pub fn is_literal(&self) -> bool {
        !self.0.contains(['*', '?', '[', ']', '{', '}'])
    }

    /// The folders that the pattern names in full: `share` for `share/**/*.conf`. For a plain path,
    /// the path.
    pub(crate) fn literal_folder(&self) -> ProjectPath {
        if self.is_literal() {
            return ProjectPath(self.0.clone());
        }
        let parts = self.0.split('/');
        let named = parts.take_while(|part| !part.contains(['*', '?', '[', ']', '{', '}']));
        let folder = named.collect::<Vec<_>>().join("/");
        ProjectPath(if folder.is_empty() { ".".to_owned() } else { folder })
    }

    pub(crate) fn compile(self) -> Result<(Self, globset::Glob), globset::Error> {
        let glob = globset::GlobBuilder::new(&self.0)
            .literal_separator(true)
            .backslash_escape(false)
            .build()?;
        // Only a set compiles the pattern, and so finds one that is too large.
        globset::GlobSet::builder().add(glob.clone()).build()?;
        Ok((self, glob))
    }
}

impl FromStr for MacroName {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let good = |c: char| c == '_' || c.is_ascii_alphanumeric();
        if text.is_empty()
            || !text.chars().all(good)
            || text.starts_with(|c: char| c.is_ascii_digit())
        {
            let error = InvalidValue::new(format!("`{text}` isn't a macro's name"));
            let bare = text.trim_start_matches("-D").trim_start_matches("-U");
            return Err(match bare.split_once('=') {
                Some((name, value)) => {
                    error.help(format!("write `define = {{ {name} = \"{value}\" }}`"))
                }
                None => error.help("use letters, digits and `_`, with no digit first"),
            });
        }
        Ok(Self(text.to_owned()))
    }
}

impl FromStr for Sha256Hex {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let lower = text.to_ascii_lowercase();
        if lower.len() == 64 && lower.bytes().all(|b| b.is_ascii_hexdigit()) {
            Ok(Self(lower))
        } else {
            Err(InvalidValue::new("this isn't a SHA-256 digest")
                .help("write the 64 hexadecimal digits that `sha256sum` prints"))
        }
    }
}

impl FromStr for VersionText {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        parse_version(text).map(|version| Self(version.to_string()))
    }
}

impl VersionText {
    /// The version, for comparing.
    #[must_use]
    pub fn version(&self) -> Version {
        Version::from_str(&self.0).unwrap_or_else(|_| Version::new([0]))
    }
}

pub(crate) fn parse_version(text: &str) -> Result<Version, InvalidValue> {
    Version::from_str(text.trim()).map_err(|error| {
        InvalidValue::new(format!("`{text}` isn't a version: {error}"))
            .help("versions look like `1.2.0`, `2.0rc1` or `1.0.post2` (PEP 440)")
    })
}

impl FromStr for LimitedApiVersion {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        match limited_api_minor(text) {
            Some(2..) => Ok(Self(text.to_owned())),
            _ => Err(InvalidValue::new(format!("`{text}` isn't a version of the limited API"))
                .help("write the oldest Python to support as `\"3.11\"`; the first limited API is that of 3.2")),
        }
    }
}

impl LimitedApiVersion {
    /// Its minor number: 11 for `3.11`.
    #[must_use]
    pub fn minor(&self) -> u8 {
        limited_api_minor(&self.0).unwrap_or_default()
    }
}

fn limited_api_minor(text: &str) -> Option<u8> {
    let minor = text.strip_prefix("3.")?;
    let is_plain = minor.bytes().all(|byte| byte.is_ascii_digit()) && !minor.starts_with('0');
    is_plain.then(|| minor.parse().ok()).flatten()
}

impl FromStr for BuildTag {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let good = |c: char| c == '_' || c == '.' || c.is_ascii_alphanumeric();
        if text.starts_with(|c: char| c.is_ascii_digit()) && text.chars().all(good) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidValue::new(format!("`{text}` isn't a build tag"))
                .help("a build tag begins with a digit and has no `-`, such as `1` or `2local`"))
        }
    }
}

impl FromStr for Argument {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        if text.is_empty() {
            return Err(InvalidValue::new("an empty text can't stand here").help("remove it"));
        }
        one_line(text, "text")?;
        Ok(Self(text.to_owned()))
    }
}

impl FromStr for Pattern {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let regex = regex::Regex::new(text).map_err(|error| {
            let reason = error.to_string();
            let reason = reason.lines().last().unwrap_or_default().trim_start_matches("error: ");
            InvalidValue::new(format!("`{text}` isn't a regular expression: {reason}"))
                .help("the syntax is that of the crate `regex`: like Python's, without look-around")
        })?;
        if regex.capture_names().flatten().any(|name| name == "version") {
            return Ok(Self(text.to_owned()));
        }
        Err(InvalidValue::new(format!("`{text}` has no group named `version`"))
            .help("put `(?P<version>…)` around the part that is the version"))
    }
}

impl Pattern {
    /// The compiled expression.
    pub(crate) fn regex(&self) -> Option<regex::Regex> {
        regex::Regex::new(&self.0).ok()
    }
}

impl FromStr for WheelTarget {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let path = project_path(text, "path").map_err(|error| {
            let message =
                error.message.replace("leads out of the project", "leads out of the wheel");
            InvalidValue {
                message,
                help: Some(
                    "write it relative to the folder of installation, such as `spam/data/`"
                        .to_owned(),
                ),
            }
        })?;
        let is_folder = path == "." || text.ends_with('/');
        Ok(Self(if is_folder { format!("{path}/") } else { path }))
    }
}

impl WheelTarget {
    /// The place of a file that is called `rest`, where it keeps its name.
    pub(crate) fn place(&self, rest: &str) -> String {
        match self.0.strip_suffix('/') {
            Some(".") => rest.to_owned(),
            Some(folder) => format!("{folder}/{rest}"),
            None => self.0.clone(),
        }
    }

    /// Whether files keep their names below it.
    #[must_use]
    pub fn is_folder(&self) -> bool {
        self.0.ends_with('/')
    }
}

impl FromStr for FunctionRef {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let object: ObjectRef = text.parse()?;
        if object.attributes.is_empty() {
            let message = format!("`{text}` names a module, but a program calls a function");
            let help = format!("write `{}:main`, with the function's name", object.module);
            return Err(InvalidValue::new(message).help(help));
        }
        Ok(Self(format!("{}:{}", object.module, object.attributes.join("."))))
    }
}

impl FromStr for PythonVersion {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let parts: Vec<&str> = text.split('.').collect();
        let is_number = |part: &&str| part.parse::<u8>().is_ok() && !part.starts_with('+');
        if parts.first() == Some(&"3")
            && matches!(parts.len(), 2 | 3)
            && parts.iter().all(is_number)
        {
            return Ok(Self(text.to_owned()));
        }
        Err(InvalidValue::new(format!("`{text}` isn't a version of Python"))
            .help("write a series such as `3.13`, or a release such as `3.13.5`"))
    }
}

impl PythonVersion {
    /// The version, for comparing; of a series the newest release that one could name.
    pub(crate) fn version(&self) -> Version {
        let full = match self.0.matches('.').count() {
            1 => format!("{}.255", self.0),
            _ => self.0.clone(),
        };
        Version::from_str(&full).unwrap_or_else(|_| Version::new([3]))
    }
}

impl FromStr for CommandName {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let word = |part: &str| {
            !part.is_empty()
                && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
        };
        let parts: Vec<&str> = text.split(':').collect();
        if parts.len() <= 2 && parts.iter().all(|part| word(part)) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidValue::new(format!("`{text}` isn't a command's name"))
                .help("write `compile`, or `plugin:command` for a command of a plugin; `ekiben graph` lists them"))
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn paths_are_normalised_and_kept_inside() {
        assert_eq!(ProjectPath::from_str("./a//b/").unwrap().as_str(), "a/b");
        assert_eq!(ProjectPath::from_str("./").unwrap(), ProjectPath::root());
        for bad in ["", "/etc", "../x", "a/../../b", "C:/x", "a\\b", "a\nb"] {
            assert!(ProjectPath::from_str(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn module_names_suggest_what_was_meant() {
        assert_eq!(ModuleName::from_str("a.b").unwrap().parent().unwrap().as_str(), "a");
        let error = ModuleName::from_str("spam/my-core").unwrap_err();
        assert_eq!(error.help.as_deref(), Some("write `spam.my_core`"));
        assert!(ModuleName::from_str("a.class").is_err());
    }

    #[test]
    fn a_pattern_for_a_folder_means_what_is_in_it() {
        assert_eq!(Glob::from_str("data/").unwrap().as_str(), "data/**");
        assert!(Glob::from_str("a[").is_err());
    }

    #[test]
    fn a_definition_in_the_compilers_spelling_is_explained() {
        let error = MacroName::from_str("-DX=1").unwrap_err();
        assert_eq!(error.help.as_deref(), Some("write `define = { X = \"1\" }`"));
    }

    #[test]
    fn programs_call_functions_and_have_a_python() {
        let function = |text: &str| FunctionRef::from_str(text).map(|it| it.as_str().to_owned());
        assert_eq!(function("spam.cli : main.run [x]").unwrap(), "spam.cli:main.run");
        assert_eq!(
            function("spam.cli").unwrap_err().help.as_deref(),
            Some("write `spam.cli:main`, with the function's name")
        );
        for good in ["3.13", "3.13.5"] {
            assert_eq!(PythonVersion::from_str(good).unwrap().as_str(), good);
        }
        for bad in ["3", "2.7", "3.x", "3.13.5.1", ">=3.13", "3.+1"] {
            assert!(PythonVersion::from_str(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn static_libraries_are_names_or_files() {
        let file = |text: &str| {
            let library: StaticLibrary = text.parse().unwrap();
            library.file().map(|path| path.as_str().to_owned())
        };
        assert_eq!(file("z"), None);
        assert_eq!(file("./vendor//libz.a").as_deref(), Some("vendor/libz.a"));
        assert_eq!(file("libz.a").as_deref(), Some("libz.a"));
        assert_eq!(file("/opt/lib/libz.a").as_deref(), Some("/opt/lib/libz.a"));
        assert_eq!(file("package:numpy/x/libm.a").as_deref(), Some("package:numpy/x/libm.a"));
        for wrong in ["", "-lz", "z y", "../libz.a", "a\nb"] {
            assert!(wrong.parse::<StaticLibrary>().is_err(), "{wrong:?}");
        }
    }
}
