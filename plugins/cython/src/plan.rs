//! How one module is translated, decided from its name, its sources and its settings.

use ekiben_plugin::{Diagnostic, Location};
use serde_json::{Value as Json, json};

use crate::options::Settings;

/// The folder of everything generated, below the build folder.
pub(crate) const FOLDER: &str = "cython";

/// A module to translate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Module {
    /// The product's dotted name.
    pub(crate) name: String,
    /// The Cython source's path in the project.
    pub(crate) source: String,
}

/// What a translation needs and makes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Translation {
    pub(crate) module: Module,
    pub(crate) cplus: bool,
    /// The C file, below the build folder.
    pub(crate) output: String,
    /// The headers that it makes for other C code.
    pub(crate) headers: Vec<String>,
    pub(crate) annotation: Option<String>,
    pub(crate) debug_information: Option<String>,
    /// Folders that `cimport` and `include` look in, first the project's, then those of packages.
    pub(crate) include_path: Vec<Location>,
    /// What Cython is told, as JSON.
    pub(crate) settings: Json,
}

impl Module {
    /// The one source of a product that is Cython's to translate.
    ///
    /// # Errors
    /// When there are several: each would be a module of its own.
    pub(crate) fn find(product: &str, sources: &[String]) -> Result<Option<Self>, Diagnostic> {
        let ours: Vec<&String> = sources.iter().filter(|path| is_cython(path)).collect();
        match ours[..] {
            [] => Ok(None),
            [source] => {
                let stale = sources.iter().find(|path| is_translation_of(path, source));
                if let Some(stale) = stale {
                    let message = format!(
                        "the extension `{product}` lists `{source}` and `{stale}`, which was made of it once"
                    );
                    return Err(Diagnostic::error("translated-twice", message).with_help(format!(
                        "drop `{stale}` from `sources`: Ekiben makes it anew"
                    )));
                }
                Ok(Some(Self { name: product.to_owned(), source: source.clone() }))
            }
            [first, second, ..] => {
                let message = format!(
                    "the extension `{product}` lists `{first}` and `{second}`: Cython makes a module of each, and an extension is one module"
                );
                Err(Diagnostic::error("several-modules", message)
                    .with_help("write one `[[tool.ekiben.extension]]` for each")
                    .with_help("or `include` one in the other, as a `.pxi` file"))
            }
        }
    }

    /// The folder that the module's topmost package lies in: its name can be imported from there.
    pub(crate) fn root(&self) -> Option<String> {
        let (stem, _) = self.source.rsplit_once('.')?;
        let path = self.name.replace('.', "/");
        let stem = format!("/{stem}");
        let root = stem
            .strip_suffix(&format!("/{path}"))
            .or_else(|| stem.strip_suffix(&format!("/{path}/__init__")))?;
        Some(root.trim_start_matches('/').to_owned())
    }

    /// The package that relative cimports start from.
    pub(crate) fn package(&self) -> &str {
        if self.name.ends_with(".__init__") || !self.is_package() {
            self.name.rsplit_once('.').map_or("", |(package, _)| package)
        } else {
            &self.name
        }
    }

    pub(crate) fn is_package(&self) -> bool {
        let file = self.source.rsplit('/').next().unwrap_or(&self.source);
        file.starts_with("__init__.")
    }

    /// The same-named `.pxd` file, which Cython reads by itself.
    pub(crate) fn own_pxd(&self) -> Option<String> {
        self.source.rsplit_once('.').map(|(stem, _)| format!("{stem}.pxd"))
    }

    /// Where what is made of it lies below the build folder, without a suffix.
    fn stem(&self) -> String {
        format!("{FOLDER}/{}", self.name.replace('.', "/"))
    }

    /// Whether the file below the build folder is its translation.
    pub(crate) fn makes(&self, path: &str) -> bool {
        let suffix = path.strip_prefix(&self.stem());
        matches!(suffix, Some(".c" | ".cpp"))
    }

    /// The name that says whether it is a package.
    pub(crate) fn static_name(&self) -> String {
        if self.is_package() && !self.name.ends_with("__init__") {
            format!("{}.__init__", self.name)
        } else {
            self.name.clone()
        }
    }

    /// Plans the translation. `public` and `api`: what the files declare for C.
    pub(crate) fn translate(self, settings: &Settings, facts: &Facts<'_>) -> Translation {
        let stem = self.stem();
        let folder = stem.rsplit_once('/').map_or("", |(folder, _)| folder);
        let own_name = stem.rsplit('/').next().unwrap_or(&stem);
        let mut headers = Vec::new();
        if facts.public || facts.api {
            headers.push(format!("{folder}/{own_name}.h"));
        }
        if facts.api {
            headers.push(format!("{folder}/{own_name}_api.h"));
        }
        let mut include_path: Vec<Location> = Vec::new();
        let given = settings.include_path.iter().map(|path| crate::distutils::place(path));
        let root = self.root().map(Location::Source);
        let project = Location::Source(String::new());
        for folder in given.chain(root).chain([project]) {
            if !include_path.contains(&folder) {
                include_path.push(folder);
            }
        }
        let asked = |flag: Option<bool>| flag.unwrap_or(false);
        let gdb = asked(settings.gdb);
        Translation {
            cplus: facts.cplus,
            output: format!("{stem}.{}", if facts.cplus { "cpp" } else { "c" }),
            headers,
            annotation: asked(settings.annotate).then(|| format!("{stem}.html")),
            debug_information: gdb
                .then(|| format!("{folder}/cython_debug/cython_debug_info_{}", self.name)),
            include_path,
            settings: json!({
                "directives": settings.directives,
                "compile_time_env": settings.compile_time_env,
                "emit_linenums": asked(settings.emit_linenums),
                "annotate": asked(settings.annotate),
                "gdb": gdb,
                "cplus": facts.cplus,
                "shared_utility": facts.utility,
            }),
            module: self,
        }
    }
}

/// Two modules that would get the same symbol in a static program.
pub(crate) fn find_clash(names: &[String]) -> Option<Diagnostic> {
    let symbol = |name: &String| name.trim_end_matches(".__init__").replace('.', "__");
    let (first, second) = names.iter().enumerate().find_map(|(at, first)| {
        let second = names[at + 1..].iter().find(|second| symbol(first) == symbol(second));
        second.map(|second| (first, second))
    })?;
    let message = format!(
        "`{first}` and `{second}` can't be in one static program: both would be `PyInit_{}`",
        symbol(first)
    );
    Some(Diagnostic::error("same-symbol", message).with_help("rename one of the modules"))
}

/// What the files of a module say.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Facts<'a> {
    pub(crate) cplus: bool,
    pub(crate) public: bool,
    pub(crate) api: bool,
    /// The module whose utility code it uses, or that it is.
    pub(crate) utility: Option<&'a str>,
}

/// Whether Cython is what reads such a file.
pub(crate) fn is_cython(path: &str) -> bool {
    path.ends_with(".pyx") || path.ends_with(".py")
}

fn is_translation_of(path: &str, source: &str) -> bool {
    let stem = source.rsplit_once('.').map_or(source, |(stem, _)| stem);
    let rest = path.strip_prefix(stem);
    rest.is_some_and(|rest| matches!(rest, ".c" | ".cpp" | ".cc" | ".cxx"))
}

/// Files in which Cython may find the module `name`, which a module of `package` cimports.
pub(crate) fn candidates(name: &str, package: &str, roots: &[String]) -> Vec<String> {
    let dots = name.len() - name.trim_start_matches('.').len();
    let rest = &name[dots..];
    let absolute = match dots {
        0 => rest.to_owned(),
        _ => {
            let mut parts: Vec<&str> = package.split('.').filter(|part| !part.is_empty()).collect();
            for _ in 1..dots {
                if parts.pop().is_none() {
                    return Vec::new();
                }
            }
            parts.extend((!rest.is_empty()).then_some(rest));
            parts.join(".")
        }
    };
    if absolute.is_empty() {
        return Vec::new();
    }
    let path = absolute.replace('.', "/");
    let mut found = Vec::new();
    for root in roots {
        let at = if root.is_empty() { path.clone() } else { format!("{root}/{path}") };
        for file in [format!("{at}.pxd"), format!("{at}/__init__.pxd")] {
            if !found.contains(&file) {
                found.push(file);
            }
        }
    }
    found
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn module(name: &str, source: &str) -> Module {
        Module { name: name.to_owned(), source: source.to_owned() }
    }

    fn found(sources: &[&str]) -> Result<Option<Module>, Diagnostic> {
        let sources: Vec<String> = sources.iter().map(|&source| source.to_owned()).collect();
        Module::find("a.b", &sources)
    }

    #[test]
    fn an_extension_has_one_cython_source() {
        assert_eq!(found(&["x.c"]), Ok(None));
        assert_eq!(found(&["x.c", "a/b.pyx"]), Ok(Some(module("a.b", "a/b.pyx"))));
        insta::assert_debug_snapshot!(found(&["a/b.pyx", "a/c.pyx"]).unwrap_err());
        insta::assert_debug_snapshot!(found(&["a/b.pyx", "a/b.cpp"]).unwrap_err());
    }

    #[test]
    fn packages() {
        let root = |name, source| module(name, source).root();
        assert_eq!(root("a.b", "src/a/b.pyx").as_deref(), Some("src"));
        assert_eq!(root("a.b", "a/b.py").as_deref(), Some(""));
        assert_eq!(root("a", "src/a/__init__.pyx").as_deref(), Some("src"));
        assert_eq!(root("a.__init__", "a/__init__.pyx").as_deref(), Some(""));
        assert_eq!(root("a._b", "cython/b.pyx"), None);
        assert_eq!(module("a.b", "a/b.pyx").package(), "a");
        assert_eq!(module("a.b", "a/b/__init__.pyx").package(), "a.b");
        assert_eq!(module("a.b.__init__", "a/b/__init__.pyx").package(), "a.b");
        assert_eq!(module("b", "b.pyx").package(), "");
    }

    #[test]
    fn where_a_cimported_module_may_be() {
        let roots = ["src".to_owned(), String::new()];
        assert_eq!(
            candidates("a.b", "x", &roots),
            ["src/a/b.pxd", "src/a/b/__init__.pxd", "a/b.pxd", "a/b/__init__.pxd"]
        );
        assert_eq!(candidates("..b", "x.y", &roots)[0], "src/x/b.pxd");
        assert_eq!(candidates(".", "x.y", &roots)[1], "src/x/y/__init__.pxd");
        assert_eq!(candidates("...b", "x", &roots), [""; 0]);
    }

    #[test]
    fn same_named_files_of_packages_are_kept_apart() {
        let plan =
            |name, source| module(name, source).translate(&Settings::default(), &Facts::default());
        assert_eq!(plan("a.x", "a/x.pyx").output, "cython/a/x.c");
        assert_eq!(plan("b.x", "b/x.pyx").output, "cython/b/x.c");
        assert_eq!(plan("x", "x.pyx").output, "cython/x.c");
        assert_eq!(plan("a.__init__", "a/__init__.pyx").output, "cython/a/__init__.c");
    }

    #[test]
    fn symbols_in_a_static_program() {
        let clash = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
            find_clash(&names).map(|clash| clash.message)
        };
        assert_eq!(clash(&["a.x", "b.x", "a", "a_x"]), None);
        insta::assert_snapshot!(clash(&["a.b", "a__b"]).unwrap_or_default(), @"`a.b` and `a__b` can't be in one static program: both would be `PyInit_a__b`");
        assert_eq!(module("a", "a/__init__.pyx").static_name(), "a.__init__");
        assert!(module("a.b", "b.pyx").makes("cython/a/b.cpp"));
        assert!(!module("a.b", "b.pyx").makes("cython/a/b.h"));
    }

    #[test]
    fn a_translation_with_everything() {
        let settings: Settings = serde_json::from_value(json!({
            "directives": { "boundscheck": false },
            "compile-time-env": { "N": 3 },
            "include-path": ["more", "src"],
            "annotate": true,
            "emit-linenums": true,
            "gdb": true,
        }))
        .unwrap_or_default();
        let facts = Facts { cplus: true, public: true, api: true, utility: Some("a.u") };
        insta::assert_debug_snapshot!(module("a.b", "src/a/b.pyx").translate(&settings, &facts));
    }
}
