//! `[tool.ekiben]`: what is read, where values come from, what overrides do.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use ekiben_project::{
    Argument, CompileArgs, DefineValue, Diagnostic, Language, Optimization, Origin, Override,
    Overrides, Project, ProjectError, SearchPath, explain, json_schema, validate_options,
};
use serde_json::json;

const FULL: &str = r#"
[build-system]
requires = ["ekiben>=0.1"]
build-backend = "ekiben"

[project]
name = "Spam.Eggs"
version = "1.0rc1"

[tool.ekiben]
minimum-version = "0.1"
packages = ["spam"]

[tool.ekiben.defaults]
optimization = "2"
include-dirs = ["include"]
define = { NDEBUG = true, LEVEL = 3 }
compile-args = ["-pipe"]

[[tool.ekiben.extension]]
name = "spam._core"
sources = ["src/core.c", "src/fast/*.f90"]
define = { LEVEL = 4, NAME = "x" }
compile-args = { c = ["-Wshadow"], fortran = ["-cpp"] }
include-dirs = ["own"]
uses = ["numpy"]

[tool.ekiben.toolchain]
c = "gcc-14"
fortran = { plugin = "gnu", command = "gfortran" }

[tool.ekiben.options.cython]
annotate = true
directives = { language_level = "3" }

[tool.ekiben.commands]
disable = ["strip"]
order = [{ command = "gen", before = ["compile"] }]
replace = { compile = "mine:compile" }
"#;

fn parse(text: &str, overrides: &[&str]) -> Result<Project, ProjectError> {
    let overrides: Overrides =
        overrides.iter().map(|text| Override::parse(text, "--config-settings")).collect();
    Project::parse_with(text, Path::new("pyproject.toml"), &overrides)
}

fn messages(text: &str, overrides: &[&str]) -> Vec<String> {
    parse(text, overrides).unwrap_err().into_diagnostics().iter().map(with_help).collect()
}

fn with_help(diagnostic: &Diagnostic) -> String {
    let help = diagnostic.help.iter().map(|help| format!("\n  help: {help}"));
    format!("{diagnostic}{}", help.collect::<String>())
}

#[test]
fn a_full_project_is_read() {
    let project = parse(FULL, &[]).unwrap();
    assert_eq!(project.warnings(), &[]);
    assert_eq!(project.standard().name.normalized().as_ref(), "spam-eggs");
    assert_eq!(project.standard().name.in_file_names(), "spam_eggs");
    assert_eq!(project.standard().version.to_string(), "1.0rc1");
    let tools = &project.settings().toolchain;
    assert_eq!(tools.tool(Language::C).unwrap().command(), Some("gcc-14"));
    assert_eq!(tools.tool(Language::Fortran).unwrap().plugin(), Some("gnu"));
    assert!(tools.tool(Language::Cxx).is_none());
}

#[test]
fn defaults_are_worked_into_extensions() {
    let project = parse(FULL, &[]).unwrap();
    let build = &project.extensions()[0].build;
    assert_eq!(build.optimization(), Optimization::Well);
    assert_eq!(build.define["LEVEL"], DefineValue::Integer(4));
    assert_eq!(build.define["NDEBUG"], DefineValue::Flag(true));
    let dirs: Vec<&str> = build.include_dirs.iter().map(SearchPath::as_str).collect();
    assert_eq!(dirs, ["own", "include"]);
    let args = |language| -> Vec<&str> {
        build.compile_args.for_language(language).iter().map(Argument::as_str).collect()
    };
    assert_eq!(args(Language::C), ["-pipe", "-Wshadow"]);
    assert_eq!(args(Language::Cxx), ["-pipe"]);
    assert_eq!(args(Language::Fortran), ["-pipe", "-cpp"]);
}

#[test]
fn overrides_win_and_have_the_types_of_settings() {
    let project = parse(
        FULL,
        &[
            "defaults.debug=true",
            "tool.ekiben.defaults.warnings=extra",
            "defaults.compile-args=-O1",
            "defaults.compile-args=-g",
            "defaults.define.WIDTH=8",
            "extension.spam._core.define.NAME=y",
            "extension.spam._core.libraries=[\"m\", \"z\"]",
            "artifact=executable",
            "wheel.purelib",
        ],
    )
    .unwrap();
    let defaults = &project.settings().defaults;
    assert_eq!(defaults.debug, Some(true));
    assert_eq!(defaults.define["WIDTH"], DefineValue::Integer(8));
    assert_eq!(defaults.define["LEVEL"], DefineValue::Integer(3));
    assert!(matches!(&defaults.compile_args, CompileArgs::All(args) if args.len() == 2));
    let extension = &project.settings().extension[0];
    assert_eq!(extension.build.define["NAME"], DefineValue::Text("y".to_owned()));
    assert_eq!(extension.build.libraries.len(), 2);
    assert_eq!(project.settings().wheel.purelib, Some(true));
    assert_eq!(
        project.origin(&["defaults", "debug"]),
        Origin::Override { source: "--config-settings".to_owned() }
    );
    assert!(matches!(project.origin(&["packages"]), Origin::File { line: 12, .. }));
    assert_eq!(project.origin(&["build-dir"]), Origin::Default);
}

#[test]
fn wrong_overrides_are_refused_with_advice() {
    insta::assert_snapshot!(
        messages(
            FULL,
            &[
                "defaults.debgu=true",
                "defaults.optimization=9",
                "extension.spam._cor.debug=true",
                "artifact.x=1",
                "a..b=1",
                "defaults.libraries=[oops",
                "defaults.debug=maybe",
            ],
        )
        .join("\n"),
        @r#"
        --config-settings: error[invalid-override]: unknown key `debgu`
          help: did you mean `debug`?
        --config-settings: error[invalid-override]: there is no extension named `spam._cor`
          help: did you mean `spam._core`?
        --config-settings: error[invalid-override]: `artifact` has no keys below it
        --config-settings: error[invalid-override]: `a..b` isn't a key
          help: write names joined by dots, such as `defaults.debug`
        --config-settings: error[invalid-override]: the value of `libraries` isn't valid TOML
          help: write an array as `["a", "b"]`, or give the key several times
        --config-settings: error[invalid-value]: `9` isn't one of `0`, `1`, `2`, `3`, `s`, `fast`
        --config-settings: error[wrong-type]: expected `true` or `false`, found the string "maybe"
        "#
    );
}

#[test]
fn every_setting_is_explained() {
    let project = parse(FULL, &["defaults.debug=true"]).unwrap();
    let rows: Vec<String> = explain(&project)
        .into_iter()
        .map(|row| {
            let value = row.value.unwrap_or_else(|| "-".to_owned());
            format!("{} = {value}  # {}; {}; {}", row.key, row.origin, row.takes, row.doc)
        })
        .collect();
    insta::assert_snapshot!(rows.join("\n"));
}

#[test]
fn the_schema_is_for_editors() {
    let schema = serde_json::to_string_pretty(json_schema()).unwrap();
    assert!(!schema.contains("\"null\"") && !schema.contains("$ref"), "{schema}");
    insta::assert_snapshot!(schema);
}

fn cython_schema() -> serde_json::Value {
    json!({
        "type": "object",
        "properties": {
            "annotate": { "type": "boolean", "default": false, "description": "Write a report." },
            "threads": { "type": "integer", "minimum": 1, "maximum": 64, "default": 4 },
            "mode": { "type": "string", "enum": ["c", "c++"], "default": "c" },
            "include": { "type": "array", "items": { "type": "string" }, "default": [] },
            "directives": { "type": "object", "additionalProperties": { "type": "string" } },
        },
    })
}

#[test]
fn options_of_plugins_are_checked_and_completed() {
    let project = parse(
        FULL,
        &["options.cython.threads=2", "options.cython.include=a", "options.cython.mode=c++"],
    )
    .unwrap();
    let options = validate_options(&cython_schema(), &project.options("cython")).unwrap();
    assert_eq!(
        options,
        json!({
            "annotate": true,
            "directives": { "language_level": "3" },
            "threads": 2,
            "include": ["a"],
            "mode": "c++",
        })
    );
    let none = validate_options(&cython_schema(), &project.options("another")).unwrap();
    assert_eq!(none["threads"], 4);
}

#[test]
fn wrong_options_point_into_the_file() {
    let text = FULL
        .replace("annotate = true", "anotate = true\nthreads = 100\nmode = \"d\"\ninclude = [1]");
    let project = parse(&text, &["options.cython.annotate=perhaps"]).unwrap();
    let errors = validate_options(&cython_schema(), &project.options("cython")).unwrap_err();
    let errors: Vec<String> = errors.iter().map(with_help).collect();
    insta::assert_snapshot!(errors.join("\n"), @r#"
    pyproject.toml:33:1: error[unknown-option]: unknown key `anotate`
      help: did you mean `annotate`?
    pyproject.toml:34:11: error[invalid-option]: 100 is more than 64
    pyproject.toml:35:8: error[invalid-option]: `d` isn't one of `c`, `c++`
    pyproject.toml:36:12: error[wrong-option-type]: expected a string, found the integer 1
      help: put it in quotes: `"1"`
    --config-settings: error[wrong-option-type]: expected `true` or `false`, found the string "perhaps"
    "#);
}

#[test]
fn a_wrong_schema_is_the_plugins_fault() {
    let project = parse(FULL, &[]).unwrap();
    let schema = json!({
        "type": "object",
        "properties": {
            "a": { "type": "string", "pattern": "^x" },
            "b": { "type": "text" },
            "c": { "type": "integer", "default": "1" },
            "d": { "type": "array", "items": { "type": "object" } },
            "e": {},
        },
        "required": ["f"],
    });
    let errors = validate_options(&schema, &project.options("cython")).unwrap_err();
    let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(errors.join("\n"), @r#"
    plugin `cython`: error[invalid-option-schema]: the schema of the plugin's options is wrong at `a`: the keyword `pattern` isn't supported; these are: `$schema`, `title`, `type`, `properties`, `required`, `additionalProperties`, `items`, `enum`, `minimum`, `maximum`, `default`, `description`
    plugin `cython`: error[invalid-option-schema]: the schema of the plugin's options is wrong at `b`: "text" isn't a type, nor a list of scalar types; the types are: `boolean`, `integer`, `number`, `string`, `array`, `object`
    plugin `cython`: error[invalid-option-schema]: the schema of the plugin's options is wrong at `c`: the default "1" isn't a value that it allows
    plugin `cython`: error[invalid-option-schema]: the schema of the plugin's options is wrong at `d`: the items of an array must be of a scalar type
    plugin `cython`: error[invalid-option-schema]: the schema of the plugin's options is wrong at `e`: it has no `type`
    plugin `cython`: error[invalid-option-schema]: the schema of the plugin's options is wrong: "f" is required, but isn't among the properties
    "#);
}
