//! `[tool.ekiben.options.cython]`: for all modules, and for those whose name fits a pattern.

use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

/// The plugin's options, and with a pattern those of some modules.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Options {
    #[serde(flatten)]
    common: Settings,
    #[serde(default)]
    modules: Map<String, Json>,
    /// The module that holds utility code for all others.
    pub(crate) shared_utility_module: Option<String>,
}

/// How modules are translated.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Settings {
    #[serde(default)]
    pub(crate) directives: Map<String, Json>,
    #[serde(default)]
    pub(crate) compile_time_env: Map<String, Json>,
    #[serde(default)]
    pub(crate) include_path: Vec<String>,
    pub(crate) language: Option<String>,
    pub(crate) annotate: Option<bool>,
    pub(crate) emit_linenums: Option<bool>,
    pub(crate) gdb: Option<bool>,
}

impl Options {
    /// The settings of one module. Of two patterns that fit it, what the later one says counts.
    pub(crate) fn of(&self, module: &str) -> Result<Settings, String> {
        let mut all = self.common.clone();
        for (pattern, settings) in &self.modules {
            if fits(pattern, module) {
                let own: Settings = serde_json::from_value(settings.clone())
                    .map_err(|error| format!("modules.\"{pattern}\": {error}"))?;
                all.override_by(own);
            }
        }
        Ok(all)
    }

    /// The patterns that fit none of `modules`.
    pub(crate) fn idle(&self, modules: &[String]) -> Vec<&str> {
        let idle = |pattern: &&str| !modules.iter().any(|module| fits(pattern, module));
        self.modules.keys().map(String::as_str).filter(idle).collect()
    }
}

impl Settings {
    fn override_by(&mut self, own: Self) {
        self.directives.extend(own.directives);
        self.compile_time_env.extend(own.compile_time_env);
        self.include_path.splice(0..0, own.include_path);
        self.language = own.language.or(self.language.take());
        self.annotate = own.annotate.or(self.annotate);
        self.emit_linenums = own.emit_linenums.or(self.emit_linenums);
        self.gdb = own.gdb.or(self.gdb);
    }
}

/// `*` stands for any characters, dots among them.
fn fits(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((before, after)) => name.strip_prefix(before).is_some_and(|rest| {
            (0..=rest.len())
                .filter(|at| rest.is_char_boundary(*at))
                .any(|at| fits(after, &rest[at..]))
        }),
    }
}

/// The JSON schema of the options.
pub(crate) fn schema() -> String {
    let properties = json!({
        "directives": {
            "type": "object",
            "description": "Compiler directives, such as `boundscheck = false`. A directive in a source counts more.",
            "additionalProperties": { "type": ["boolean", "integer", "string"] },
        },
        "compile-time-env": {
            "type": "object",
            "description": "Names that `IF` and `DEF` in sources can use, with their values.",
            "additionalProperties": { "type": ["boolean", "integer", "number", "string"] },
        },
        "include-path": {
            "type": "array",
            "items": { "type": "string" },
            "description": "Folders, relative to the project, in which `cimport` and `include` look too.",
        },
        "language": {
            "type": "string",
            "enum": ["c", "c++"],
            "description": "What to translate to. By default, what the extension or the source says, else C.",
        },
        "annotate": {
            "type": "boolean",
            "description": "Write an HTML page for each module that shows where it calls into Python.",
        },
        "emit-linenums": {
            "type": "boolean",
            "description": "Have debuggers show lines of the Cython source, by `#line`.",
        },
        "gdb": {
            "type": "boolean",
            "description": "Write what `cygdb` needs to debug at the level of Cython.",
        },
    });
    let module = json!({ "type": "object", "properties": properties });
    let mut all = properties;
    all["modules"] = json!({
        "type": "object",
        "description": "The same options for some modules, by a pattern for their dotted names such as `spectra.*`.",
        "additionalProperties": module,
    });
    all["shared-utility-module"] = json!({
        "type": "string",
        "description": "The dotted name of a module, of an empty `.pyx` file, into which utility code goes that modules would else hold a copy of each. For Cython 3.1 and later.",
    });
    json!({ "type": "object", "properties": all }).to_string()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        assert!(fits("a.b", "a.b") && !fits("a.b", "a.b.c"));
        assert!(fits("a.*", "a.b.c") && !fits("a.*", "a"));
        assert!(fits("*_fast", "a.b_fast") && fits("*", "") && fits("a*c*e", "abcde"));
        assert!(!fits("a*c", "ab"));
    }

    #[test]
    fn a_modules_own_settings_count_more() {
        let options: Options = serde_json::from_value(json!({
            "directives": { "boundscheck": false, "wraparound": true },
            "include-path": ["a"],
            "annotate": true,
            "modules": {
                "spam.*": { "directives": { "wraparound": false }, "include-path": ["b"] },
                "spam.eggs": { "language": "c++", "annotate": false },
                "ham": {},
            },
        }))
        .unwrap();
        let of = |module| options.of(module).unwrap();
        assert_eq!(of("other"), options.common);
        let eggs = of("spam.eggs");
        assert_eq!(
            Json::from(eggs.directives),
            json!({ "boundscheck": false, "wraparound": false })
        );
        assert_eq!(eggs.include_path, ["b", "a"]);
        assert_eq!((eggs.language.as_deref(), eggs.annotate), (Some("c++"), Some(false)));
        assert_eq!(options.idle(&["spam.eggs".to_owned()]), ["ham"]);
    }
}
