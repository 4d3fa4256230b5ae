//! The plugins that a project names: pinned, granted what they ask for, and called by their names.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use ekiben_core::plugin::{NoRecords, PluginHost};
use ekiben_core::{BuiltIn, Plugins, Problems};
use ekiben_engine::Digest;
use ekiben_project::Project;

use crate::support::{guest, host};

/// Loads the plugins of a project with that in its `pyproject.toml`, and `banner` in a file.
fn load(tool: &str) -> Result<Plugins, Problems> {
    load_beside(&[], tool)
}

fn load_beside(built_in: &[BuiltIn], tool: &str) -> Result<Plugins, Problems> {
    let folder = tempfile::tempdir().unwrap();
    let banner = guest("banner");
    let tool = tool.replace("DIGEST", &Digest::of(&banner).to_string());
    std::fs::write(folder.path().join("banner.wasm"), banner).unwrap();
    let text = format!(
        "[build-system]\nrequires = [\"ekiben\"]\nbuild-backend = \"ekiben\"\n\n\
         [project]\nname = \"spam\"\nversion = \"1.0\"\n\n{tool}"
    );
    std::fs::write(folder.path().join("pyproject.toml"), text).unwrap();
    let project = Project::load(folder.path())?;
    Plugins::load(&host(&Arc::default()), built_in, Some(&project))
}

fn told(result: Result<Plugins, Problems>) -> String {
    let Err(problems) = result else { panic!("the plugin was loaded") };
    let mut text = String::new();
    for problem in &problems.0 {
        if let Some(at) = &problem.at {
            // The project lies in a folder of a random name.
            let file = Path::new(&at.file).file_name().unwrap().display();
            write!(text, "{file}:{}:{}: ", at.line, at.column).unwrap();
        }
        writeln!(text, "[{}] {}", problem.code, problem.message).unwrap();
        for help in &problem.help {
            writeln!(text, "  help: {help}").unwrap();
        }
    }
    let digest = Digest::of(&guest("banner")).to_string();
    text.replace(&digest, "[BANNER]")
}

const GRANTED: &str = r#"
[tool.ekiben.plugins.banner]
path = "banner.wasm"
sha256 = "DIGEST"
capabilities = ["read:source", "env:BANNER_USER", "tool:shell"]
"#;

#[test]
fn a_plugin_that_is_pinned_and_granted_is_loaded() {
    let plugins = load(&format!("{GRANTED}\n[tool.ekiben.options.banner]\ngreeting = \"Ahoy\"\n"));
    let plugins = plugins.unwrap_or_else(|problems| panic!("{problems}"));
    let names: Vec<_> =
        plugins.command_specs().unwrap().iter().map(|spec| spec.name.to_string()).collect();
    assert_eq!(names, ["banner:generate", "banner:shout", "banner:count"]);
    let options: serde_json::Value = serde_json::from_str(plugins.options("banner")).unwrap();
    assert_eq!(options["greeting"], "Ahoy");
    assert_eq!(options["template"], "banner.c.in", "the default");
}

#[test]
fn the_file_must_be_the_pinned_one() {
    let wrong = GRANTED.replace("DIGEST", &"0".repeat(64));
    insta::assert_snapshot!(told(load(&wrong)), @r#"
    pyproject.toml:10:1: [plugin] the plugin `banner` has the SHA-256 [BANNER], but the project expects 0000000000000000000000000000000000000000000000000000000000000000
      help: if the change is meant, set `sha256 = "[BANNER]"` where pyproject.toml names `banner`
    "#);
}

#[test]
fn a_digest_in_capitals_is_the_same_digest() {
    let digest = Digest::of(&guest("banner")).to_string().to_uppercase();
    assert!(load(&GRANTED.replace("DIGEST", &digest)).is_ok());
}

#[test]
fn what_it_asks_for_must_be_granted() {
    let less = GRANTED.replace(", \"env:BANNER_USER\", \"tool:shell\"", "");
    insta::assert_snapshot!(told(load(&less)), @r"
    pyproject.toml:10:1: [plugin-capability] the plugin `banner` asks for `env:BANNER_USER`, `tool:shell`, which the project doesn't grant
      help: if you trust it with that, add `env:BANNER_USER`, `tool:shell` to `capabilities` in `[tool.ekiben.plugins.banner]`
    ");
}

#[test]
fn its_id_must_be_the_projects() {
    let other = GRANTED.replace("plugins.banner", "plugins.poster");
    insta::assert_snapshot!(told(load(&other)), @"pyproject.toml:10:1: [plugin] the plugin `poster` describes itself wrongly: it calls itself `banner`, but the project calls it `poster`");
}

#[test]
fn it_must_be_pinned() {
    let loose = GRANTED.replace("sha256 = \"DIGEST\"\n", "");
    insta::assert_snapshot!(told(load(&loose)), @r#"
    pyproject.toml:10:1: [plugin-without-digest] the plugin `banner` has a path and no digest
      help: add `sha256 = "…"`, as `sha256sum banner.wasm` prints it
    "#);
}

#[test]
fn its_file_must_be_there() {
    let gone = GRANTED.replace("\"banner.wasm\"", "\"tools/gone.wasm\"");
    insta::assert_snapshot!(told(load(&gone)), @"pyproject.toml:10:1: [plugin-path] the plugin `banner` can't be read from tools/gone.wasm: No such file or directory (os error 2)");
}

#[test]
fn its_options_must_fit() {
    let wrong =
        format!("{GRANTED}\n[tool.ekiben.options.banner]\ngreeting = 3\ngreting = \"Hi\"\n");
    insta::assert_snapshot!(told(load(&wrong)), @r#"
    pyproject.toml:16:12: [wrong-option-type] expected a string, found the integer 3
      help: put it in quotes: `"3"`
    pyproject.toml:17:1: [unknown-option] unknown key `greting`
      help: did you mean `greeting`?
    "#);
}

#[test]
fn options_of_no_plugin_are_a_mistake() {
    let wrong = format!("{GRANTED}\n[tool.ekiben.options.baner]\ngreeting = \"Hi\"\n");
    insta::assert_snapshot!(told(load(&wrong)), @r"
    pyproject.toml:15:1: [unknown-plugin] there is no plugin `baner` to have options
      help: did you mean `banner`?
    ");
}

#[test]
fn a_built_in_plugin_cannot_be_replaced_by_its_name() {
    let banner: &'static [u8] = Box::leak(guest("banner").into_boxed_slice());
    let built_in = [BuiltIn { id: "banner", component: banner, precompiled: None }];
    insta::assert_snapshot!(told(load_beside(&built_in, GRANTED)), @r"
    pyproject.toml:10:1: [plugin-taken] `banner` is a plugin of Ekiben itself
      help: choose another id for yours
    ");
}

#[test]
fn a_built_in_plugin_needs_no_grant() {
    let banner: &'static [u8] = Box::leak(guest("banner").into_boxed_slice());
    let host = PluginHost::new(Arc::new(NoRecords), ekiben_core::plugin::Limits::default());
    let plugins = Plugins::load(
        &host,
        &[BuiltIn { id: "banner", component: banner, precompiled: None }],
        None,
    );
    let plugins = plugins.unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(plugins.iter().count(), 1);
    assert!(plugins.get("banner").is_some());
}
