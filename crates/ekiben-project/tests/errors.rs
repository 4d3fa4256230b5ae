//! What people are told about wrong files: what, where, how to mend it.
#![allow(clippy::unwrap_used)]

use std::fmt::Write as _;
use std::path::Path;

use ekiben_project::{Diagnostic, Project, Severity, SourceName};
use proptest::prelude::*;

const BUILD: &str = "[build-system]\nrequires = [\"ekiben\"]\nbuild-backend = \"ekiben\"\n";
const PROJECT: &str = "[project]\nname = \"spam\"\nversion = \"1.0\"\n";

fn diagnostics(text: &str) -> Vec<Diagnostic> {
    match Project::parse(text, Path::new("pyproject.toml")) {
        Ok(project) => project.warnings().to_vec(),
        Err(error) => error.into_diagnostics(),
    }
}

/// Draws the line with the span marked, as the command line would.
fn drawn(text: &str, diagnostic: &Diagnostic) -> String {
    let mut out = format!("{diagnostic}\n");
    if let (Some(span), Some(line), Some(column)) =
        (&diagnostic.span, diagnostic.line, diagnostic.column)
    {
        let quoted = text.lines().nth(line - 1).unwrap_or_default();
        let first = text[span.clone()].lines().next().unwrap_or_default();
        let marks = "^".repeat(first.chars().count().max(1));
        let _ = write!(out, "  | {quoted}\n  | {}{marks}\n", " ".repeat(column - 1));
    }
    if let Some(key) = &diagnostic.key {
        let _ = writeln!(out, "  key: {key}");
    }
    for help in &diagnostic.help {
        let _ = writeln!(out, "  help: {help}");
    }
    out
}

fn report(cases: &[(&str, String)]) -> String {
    let mut out = String::new();
    for (name, text) in cases {
        let found = diagnostics(text);
        assert!(!found.is_empty(), "nothing was found wrong with: {name}");
        let _ = writeln!(out, "## {name}");
        for diagnostic in found {
            assert!(matches!(diagnostic.file, SourceName::File(_)));
            out.push_str(&drawn(text, &diagnostic));
        }
        out.push('\n');
    }
    out
}

fn snapshot(name: &str, cases: &[(&str, String)]) {
    let mut settings = insta::Settings::clone_current();
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, report(cases)));
}

fn project(lines: &str) -> String {
    format!("{BUILD}{PROJECT}{lines}\n")
}

fn settings(lines: &str) -> String {
    format!("{BUILD}{PROJECT}[tool.ekiben]\n{lines}\n")
}

#[test]
fn wrong_toml() {
    snapshot(
        "wrong_toml",
        &[
            ("unclosed string", project("description = \"open")),
            ("two mistakes", project("a = \nb = [1,,2]")),
            ("a key twice", project("name = \"eggs\"")),
            ("integer too large", settings("x = 99999999999999999999")),
            ("an empty file", String::new()),
        ],
    );
}

#[test]
fn wrong_build_system() {
    snapshot(
        "wrong_build_system",
        &[
            ("no table", PROJECT.to_owned()),
            (
                "another back end",
                format!(
                    "[build-system]\nrequires = [\"setuptools>=61\"]\nbuild-backend = \"setuptools.build_meta\"\n{PROJECT}"
                ),
            ),
            (
                "wrong types",
                format!("[build-system]\nrequires = \"ekiben\"\nbuild-backend = 1\n{PROJECT}"),
            ),
            (
                "path outside",
                format!(
                    "[build-system]\nrequires = []\nbuild-backend = \"b\"\nbackend-path = [\"..\"]\n{PROJECT}"
                ),
            ),
            (
                "wrong requirement",
                format!(
                    "[build-system]\nrequires = [\"ekiben\", \"numpy=2\"]\nbuild-backend = \"ekiben\"\n{PROJECT}"
                ),
            ),
        ],
    );
}

#[test]
fn wrong_project_table() {
    snapshot(
        "wrong_project_table",
        &[
            ("no project", BUILD.to_owned()),
            ("no name and version", format!("{BUILD}[project]\ndescription = \"x\"\n")),
            ("name", format!("{BUILD}[project]\nname = \"my app!\"\nversion = \"1\"\n")),
            ("version", format!("{BUILD}[project]\nname = \"a\"\nversion = \"1.0-final-2\"\n")),
            ("version as a number", format!("{BUILD}[project]\nname = \"a\"\nversion = 1.0\n")),
            ("description of two lines", project("description = \"\"\"one\ntwo\"\"\"")),
            ("unknown key", project("licence = \"MIT\"\ndependancies = []")),
            ("requires-python", project("requires-python = \"3.10\"")),
            ("requires-python, worse", project("requires-python = \"python 3\"")),
            ("readme", project("readme = \"README\"")),
            (
                "readme table",
                project(
                    "readme = { file = \"a.md\", text = \"b\", content-type = \"text/html\", charset = \"latin-1\" }",
                ),
            ),
            (
                "readme encoding",
                project(
                    "readme = { file = \"a.md\", content-type = \"text/markdown; charset=latin-1\" }",
                ),
            ),
            ("readme outside", project("readme = \"../README.md\"")),
            (
                "urls",
                project(
                    "[project.urls]\nHomepage = \"example.org\"\n\"a label that is far too long for an index to show\" = \"https://x\"",
                ),
            ),
            ("dynamic", project("dynamic = [\"version\", \"readme\", \"colour\", \"name\"]")),
            (
                "dynamic version",
                format!("{BUILD}[project]\nname = \"a\"\ndynamic = [\"version\"]\n"),
            ),
            (
                "authors",
                project(
                    "authors = [\"Ann <ann@example.org>\", { name = \"Bob\", mail = \"b\" }, { email = \"Bob <b@x>\" }, {}]",
                ),
            ),
            ("keywords", project("keywords = [\"a,b\", 3]")),
            ("imports", project("import-names = [\"a.b\", \"c; public\", \"d-e\"]")),
        ],
    );
}

#[test]
fn wrong_dependencies() {
    snapshot(
        "wrong_dependencies",
        &[
            ("operator", project("dependencies = [\"numpy>=2\", \"scipy=1.0\"]")),
            ("caret", project("dependencies = [\"scipy^1.0\"]")),
            ("no operator", project("dependencies = [\"scipy 1.0\"]")),
            ("marker", project("dependencies = [\"scipy; python_verson > '3'\"]")),
            ("version", project("dependencies = [\"scipy>=one\"]")),
            ("url", project("dependencies = [\"scipy @ ./local\"]")),
            ("not a string", project("dependencies = [{ name = \"scipy\" }]")),
            ("not a list", project("dependencies = \"scipy\"")),
            ("line break", project("dependencies = [\"scipy\\nLicense: x\"]")),
            (
                "extras",
                project(
                    "[project.optional-dependencies]\n\"a b\" = []\ntest_a = [\"pytest\"]\ntest-A = [\"tox>\"]",
                ),
            ),
        ],
    );
}

#[test]
fn wrong_licences() {
    snapshot(
        "wrong_licences",
        &[
            ("unknown", project("license = \"BSD\"")),
            ("misspelt", project("license = \"Apache-2\"")),
            ("syntax", project("license = \"MIT or\"")),
            ("table", project("license = { text = \"MIT\" }")),
            ("table with both", project("license = { text = \"MIT\", file = \"LICENSE\" }")),
            (
                "table and files",
                project("license = { file = \"LICENSE\" }\nlicense-files = [\"LICENSE\"]"),
            ),
            (
                "classifier",
                project(
                    "license = \"MIT\"\nclassifiers = [\"License :: OSI Approved :: MIT License\", \"Private :: Do Not Upload\"]",
                ),
            ),
            (
                "classifier alone",
                project("classifiers = [\"License :: OSI Approved :: MIT License\"]"),
            ),
            (
                "patterns",
                project(
                    "license = \"MIT\"\nlicense-files = [\"../LICENSE\", \"/LICENSE\", \"LIC{A,B}\", \"a\\\\b\"]",
                ),
            ),
        ],
    );
}

#[test]
fn wrong_entry_points() {
    snapshot(
        "wrong_entry_points",
        &[
            ("module only", project("[project.scripts]\nspam = \"spam.cli\"")),
            ("call", project("[project.scripts]\nspam = \"spam.cli:main()\"")),
            ("path", project("[project.scripts]\nspam = \"spam/cli.py:main\"\n\"../x\" = \"a:b\"")),
            ("reserved", project("[project.entry-points.console_scripts]\nspam = \"spam:main\"")),
            ("group", project("[project.entry-points.\"a b\"]\nspam = \"spam:main\"")),
            ("name", project("[project.entry-points.x]\n\"a=b\" = \"spam:main\"")),
        ],
    );
}

#[test]
fn wrong_settings() {
    snapshot(
        "wrong_settings",
        &[
            ("unknown keys", settings("artefact = \"extension\"\nzebra = 1")),
            ("wrong word", settings("artifact = \"extention\"")),
            (
                "wrong types",
                settings("packages = \"spam\"\nmodules = [1]\nbuild-dir = true\nwheel = []"),
            ),
            ("number for a word", settings("defaults = { optimization = 3 }")),
            ("not a table", format!("{BUILD}{PROJECT}[tool]\nekiben = 1\n")),
            ("too new", settings("minimum-version = \"99\"")),
            (
                "paths",
                settings(
                    "package-root = \"../src\"\ninclude = [\"/etc/passwd\", \"a[\"]\nbuild-dir = \".\"",
                ),
            ),
            (
                "packages",
                settings("packages = [\"spam-eggs\", \"a.class\", \"b\"]\nmodules = [\"b\"]"),
            ),
            ("twice", settings("packages = [\"b\"]\nmodules = [\"b\"]")),
            ("build tag", settings("wheel = { build-tag = \"beta\" }")),
            ("toolchain", settings("toolchain = { c = {}, cxx = \"g++\" }")),
            (
                "plugins",
                settings(
                    "[tool.ekiben.plugins.mine]\npath = \"mine.wasm\"\n[tool.ekiben.plugins.\"a:b\"]\nsha256 = \"00\"\n",
                ),
            ),
            (
                "plugin without digest",
                settings("[tool.ekiben.plugins.mine]\npath = \"mine.wasm\"\n"),
            ),
            (
                "commands",
                settings(
                    "[tool.ekiben.commands]\norder = [{ command = \"a\" }, { command = \"a\", before = [\"b\"], after = [\"b\"] }, { command = \"a\", after = [\"a\"] }]\nreplace = { compile = \"other\" }\n",
                ),
            ),
            (
                "order without command",
                settings("[tool.ekiben.commands]\norder = [{ before = [\"b\"] }]\n"),
            ),
        ],
    );
}

#[test]
fn wrong_extensions() {
    let extension = |lines: &str| settings(&format!("[[tool.ekiben.extension]]\n{lines}"));
    snapshot(
        "wrong_extensions",
        &[
            ("no name", extension("sources = [\"a.c\"]")),
            ("no sources", extension("name = \"spam._a\"")),
            ("name", extension("name = \"spam/_a\"\nsources = [\"a.c\"]")),
            ("one source", extension("name = \"spam._a\"\nsources = \"a.c\"")),
            (
                "unknown keys",
                extension(
                    "name = \"a\"\nsources = [\"a.c\"]\ninclude_dirs = [\"x\"]\nextra-compile-args = []\ncflags = []",
                ),
            ),
            (
                "twice",
                extension(
                    "name = \"a\"\nsources = [\"a.c\"]\n[[tool.ekiben.extension]]\nname = \"a\"\nsources = [\"b.c\"]",
                ),
            ),
            (
                "limited-api",
                extension(
                    "name = \"a\"\nsources = [\"a.c\"]\nlimited-api = \"3.1\"\n[tool.ekiben.defaults]\nlimited-api = true",
                ),
            ),
            (
                "limited-api and its macro",
                extension(
                    "name = \"a\"\nsources = [\"a.c\"]\ndefine = { Py_LIMITED_API = 1 }\n[tool.ekiben.defaults]\nlimited-api = \"3.9\"",
                ),
            ),
            ("header", extension("name = \"a\"\nsources = [\"a.c\", \"a.h\"]")),
            (
                "define",
                extension(
                    "name = \"a\"\nsources = [\"a.c\"]\ndefine = { \"-DX=1\" = true, \"1A\" = 1, Y = 1.5 }",
                ),
            ),
            (
                "define, form",
                extension(
                    "name = \"a\"\nsources = [\"a.c\"]\ndefine = { \"-DX=1\" = true, \"1A\" = 1 }",
                ),
            ),
            (
                "libraries",
                extension(
                    "name = \"a\"\nsources = [\"a.c\"]\nlibraries = [\"-lm\", \"libz.so\", \"\"]",
                ),
            ),
            (
                "library names",
                extension("name = \"a\"\nsources = [\"a.c\"]\nlibraries = [\"-lm\", \"libz.so\"]"),
            ),
            (
                "standards",
                extension(
                    "name = \"a\"\nsources = [\"a.c\"]\nc-std = \"c18\"\ncxx-std = 17\nwarnings = \"everything\"",
                ),
            ),
            (
                "arguments",
                extension(
                    "name = \"a\"\nsources = [\"a.c\"]\ncompile-args = { cpp = [\"-x\"], c = \"-y\" }",
                ),
            ),
            ("a table, not an array", settings("[tool.ekiben.extension]\nname = \"a\"")),
            (
                "package too",
                settings(
                    "packages = [\"a\"]\n[[tool.ekiben.extension]]\nname = \"a\"\nsources = [\"a.c\"]",
                ),
            ),
        ],
    );
}

#[test]
fn mistakes_in_all_tables_are_reported_at_once() {
    let text = format!(
        "[build-system]\nrequires = 1\n{PROJECT}license = \"XX\"\n[tool.ekiben]\nfoo = 1\n"
    );
    let codes: Vec<&str> = diagnostics(&text).iter().map(|d| d.code).collect();
    assert_eq!(codes, ["other-backend", "wrong-type", "invalid-license", "unknown-key"]);
}

#[test]
fn columns_count_characters() {
    let text = format!("{BUILD}{PROJECT}keywords = [\"äöü\", 1]\n");
    let found = diagnostics(&text);
    assert_eq!((found[0].line, found[0].column), (Some(7), Some(20)));
}

#[test]
fn endless_nesting_is_refused() {
    let deep = |open: &str, close: &str| open.repeat(50_000) + "a" + &close.repeat(50_000);
    for text in [
        project(&format!("dependencies = [\"a; {}\"]", deep("(", ")"))),
        project(&format!("license = \"{}\"", deep("(", ")"))),
        project(&format!("keywords = {}", deep("[", "]"))),
        settings(&format!("exclude = [\"{}\"]", deep("{", "}"))),
    ] {
        let found = diagnostics(&text);
        assert!(found.iter().any(|d| d.severity == Severity::Error), "{found:?}");
    }
}

/// Texts that look like a project, so that the checks beyond TOML's are reached.
fn project_like() -> impl Strategy<Value = String> {
    let keys = prop::sample::select(vec![
        "name",
        "version",
        "description",
        "readme",
        "license",
        "license-files",
        "authors",
        "dependencies",
        "dynamic",
        "classifiers",
        "urls",
        "scripts",
        "entry-points",
        "requires-python",
        "optional-dependencies",
        "import-names",
        "packages",
        "extension",
        "defaults",
        "options",
        "commands",
        "toolchain",
        "include",
        "plugins",
    ]);
    let leaf = prop_oneof![
        any::<String>().prop_map(|text| format!("{text:?}")),
        "[a-z ;@><=~!.,\\[\\]()0-9'\"é-]{0,24}".prop_map(|text| format!("{text:?}")),
        any::<i64>().prop_map(|number| number.to_string()),
        any::<bool>().prop_map(|flag| flag.to_string()),
        Just("1979-05-27".to_owned()),
        Just("nan".to_owned()),
    ];
    let value = leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3)
                .prop_map(|all| format!("[{}]", all.join(", "))),
            prop::collection::vec(("[a-z]{1,4}", inner), 0..3).prop_map(|all| {
                let all: Vec<String> = all.into_iter().map(|(k, v)| format!("{k} = {v}")).collect();
                format!("{{ {} }}", all.join(", "))
            }),
        ]
    });
    let table = prop::sample::select(vec![
        "[project]",
        "[tool.ekiben]",
        "[build-system]",
        "[tool.ekiben.defaults]",
        "[[tool.ekiben.extension]]",
    ]);
    prop::collection::vec((table, prop::collection::btree_map(keys, value, 0..6)), 0..4).prop_map(
        |tables| {
            let mut text = String::new();
            for (header, entries) in tables {
                let _ = writeln!(text, "{header}");
                for (key, value) in entries {
                    let _ = writeln!(text, "{key} = {value}");
                }
            }
            text
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_text_makes_it_panic(text in any::<String>()) {
        for diagnostic in diagnostics(&text) {
            prop_assert!(diagnostic.span.is_none_or(|span| text.get(span).is_some()));
        }
    }

    #[test]
    fn no_project_makes_it_panic(text in project_like()) {
        for diagnostic in diagnostics(&text) {
            prop_assert!(diagnostic.span.is_none_or(|span| text.get(span).is_some()));
        }
    }

    #[test]
    fn no_dependency_makes_it_panic(text in "[a-zé \\-;@><=~!.,\\[\\]()0-9'\"${}/:]{0,32}") {
        let text = project(&format!("dependencies = [{text:?}]"));
        for diagnostic in diagnostics(&text) {
            prop_assert!(diagnostic.span.is_none_or(|span| text.get(span).is_some()));
        }
    }
}
