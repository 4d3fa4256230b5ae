//! The fields of `bento.info`: where each may stand, and what its value is.
//!
//! Source: Bento's format reference and the grammar of its parser.

/// What a field's value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// One word.
    Word,
    /// The rest of the line.
    Line,
    /// Words with commas between, on several lines if need be.
    Words,
    /// Texts with commas between.
    Lines,
    /// A text of several lines.
    Text,
    /// A name, and fields below it.
    Section,
}

/// Where a field stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Context {
    Top,
    Library,
    Extension,
    DataFiles,
    Flag,
    Path,
    Executable,
}

impl Context {
    pub(super) fn describe(self) -> &'static str {
        match self {
            Self::Top => "the top of the file",
            Self::Library => "`Library`",
            Self::Extension => "`Extension` or `CompiledLibrary`",
            Self::DataFiles => "`DataFiles`",
            Self::Flag => "`Flag`",
            Self::Path => "`Path`",
            Self::Executable => "`Executable`",
        }
    }

    /// Whether `if` may stand here.
    pub(super) fn has_conditions(self) -> bool {
        matches!(self, Self::Library | Self::Path)
    }
}

/// Every field, by where it stands.
const FIELDS: [(Context, &str, Kind); 50] = {
    use Context::{DataFiles, Executable, Extension, Flag, Library, Path, Top};
    [
        (Top, "Name", Kind::Word),
        (Top, "Version", Kind::Word),
        (Top, "Summary", Kind::Line),
        (Top, "Description", Kind::Text),
        (Top, "DescriptionFromFile", Kind::Word),
        (Top, "Url", Kind::Word),
        (Top, "DownloadUrl", Kind::Word),
        (Top, "Author", Kind::Line),
        (Top, "AuthorEmail", Kind::Word),
        (Top, "Maintainer", Kind::Line),
        (Top, "MaintainerEmail", Kind::Word),
        (Top, "License", Kind::Line),
        (Top, "Platforms", Kind::Lines),
        (Top, "Classifiers", Kind::Lines),
        (Top, "Keywords", Kind::Lines),
        (Top, "ConfigPy", Kind::Word),
        (Top, "HookFile", Kind::Words),
        (Top, "MetaTemplateFile", Kind::Word),
        (Top, "MetaTemplateFiles", Kind::Words),
        (Top, "Recurse", Kind::Words),
        (Top, "UseBackends", Kind::Words),
        (Top, "ExtraSourceFiles", Kind::Words),
        (Top, "DataFiles", Kind::Section),
        (Top, "Flag", Kind::Section),
        (Top, "Path", Kind::Section),
        (Top, "Library", Kind::Section),
        (Top, "Executable", Kind::Section),
        (Library, "Packages", Kind::Words),
        (Library, "Modules", Kind::Words),
        (Library, "SubDirectory", Kind::Word),
        (Library, "BuildRequires", Kind::Lines),
        (Library, "InstallRequires", Kind::Lines),
        (Library, "Extension", Kind::Section),
        (Library, "CompiledLibrary", Kind::Section),
        (Extension, "Sources", Kind::Words),
        (Extension, "IncludeDirs", Kind::Words),
        (DataFiles, "TargetDir", Kind::Word),
        (DataFiles, "SourceDir", Kind::Word),
        (DataFiles, "Files", Kind::Words),
        (Flag, "Description", Kind::Line),
        (Flag, "Default", Kind::Word),
        (Path, "Description", Kind::Line),
        (Path, "Default", Kind::Word),
        (Executable, "Module", Kind::Word),
        (Executable, "Function", Kind::Word),
        // Written so in old files.
        (Top, "DownloadURL", Kind::Word),
        (Top, "AuthorEMail", Kind::Word),
        (Top, "MaintainerEMail", Kind::Word),
        (Top, "URL", Kind::Word),
        (Top, "Classifier", Kind::Lines),
    ]
};

pub(super) fn kind(context: Context, name: &str) -> Option<Kind> {
    FIELDS.iter().find(|(at, field, _)| *at == context && *field == name).map(|(_, _, kind)| *kind)
}

/// Where a field may stand, if there is one of that name.
pub(super) fn context_of(name: &str) -> Option<Context> {
    FIELDS.iter().find(|(_, field, _)| *field == name).map(|(context, _, _)| *context)
}

/// What stands inside a section.
pub(super) fn inside(section: &str) -> Context {
    match section {
        "Library" => Context::Library,
        "Extension" | "CompiledLibrary" => Context::Extension,
        "DataFiles" => Context::DataFiles,
        "Flag" => Context::Flag,
        "Path" => Context::Path,
        _ => Context::Executable,
    }
}

/// The name that was meant, for a slip.
pub(super) fn near(context: Context, name: &str) -> Option<&'static str> {
    let distance = |field: &str| strsim::damerau_levenshtein(field, name);
    let here = FIELDS.iter().filter(|(at, ..)| *at == context).map(|(_, field, _)| *field);
    here.min_by_key(|field| distance(field)).filter(|field| distance(field) <= 2)
}
