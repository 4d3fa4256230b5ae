//! The hooks, as the Python shim calls them: the result goes to a file or descriptor only.

use serde_json::{Value, json};

use crate::support::{Project, Said, snapshot};

fn hook(project: &Project, args: &[&str]) -> (Said, Value) {
    let result = project.beside("result.json");
    let mut all = vec!["pep517"];
    all.extend(args);
    all.extend(["--result-file", result.to_str().unwrap(), "--out-dir", "out"]);
    let said = project.run(&all);
    let answer = std::fs::read_to_string(result).unwrap();
    (said, serde_json::from_str(&answer).unwrap())
}

#[test]
fn a_wheel_is_built_and_named() {
    let project = Project::pure();
    let (said, answer) = hook(&project, &["build-wheel"]);
    assert_eq!(answer, json!({ "result": "spam-1.0-py3-none-any.whl" }));
    snapshot!(said, @"
    exit 0
    --- stdout
    --- stderr
    [N/M] write spam-1.0-py3-none-any.whl
    Built out/spam-1.0-py3-none-any.whl ([SIZE]) in [TIME]: 1 action, 0 cached
    ");
    assert!(project.root().join("out/spam-1.0-py3-none-any.whl").exists());
}

#[test]
fn a_descriptor_takes_the_result() {
    let project = Project::pure();
    let script = r#"exec "$0" pep517 build-sdist --result-fd 3 --out-dir out 3>&1 >/dev/null"#;
    let mut command = project.command(&[]);
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", script]).arg(command.get_program()).current_dir(project.root());
    shell.envs(
        command.env_remove("PWD").get_envs().filter_map(|(name, value)| Some((name, value?))),
    );
    let said = Said::from(&shell.output().unwrap(), &project.root());
    assert_eq!(said.stdout, "{\"result\":\"spam-1.0.tar.gz\"}\n", "{said}");
    let said = project.run(&["pep517", "build-sdist", "--result-fd", "77"]);
    assert_eq!(said.code, Some(2), "{said}");
    assert!(said.stderr.starts_with("error: --result-fd 77 can't be used"), "{said}");
}

#[test]
fn metadata_needs_no_build() {
    let project = Project::with_c();
    let (_, answer) = hook(&project, &["prepare-metadata"]);
    assert_eq!(answer, json!({ "result": "spam-1.0.dist-info" }));
    let metadata = project.root().join("out/spam-1.0.dist-info/METADATA");
    let metadata = std::fs::read_to_string(metadata).unwrap();
    assert!(metadata.contains("Name: spam\n"), "{metadata}");
    assert!(!project.root().join("build").exists());
}

#[test]
fn nothing_more_is_required() {
    let project = Project::pure();
    for name in ["wheel", "sdist", "editable"] {
        let (said, answer) = hook(&project, &[&format!("get-requires-for-build-{name}")]);
        assert_eq!((said.code, answer), (Some(0), json!({ "result": [] })));
    }
}

#[test]
fn config_settings_are_flags_and_settings() {
    let project = Project::with_c();
    let settings = r#"{"defaults.define.A": "1", "explain": "true", "args": "--what-ran -C defaults.define.B=2", "build-dir": "elsewhere"}"#;
    let (said, answer) = hook(&project, &["build-wheel", "--config-settings", settings]);
    assert!(answer["result"].is_string(), "{said}");
    assert!(said.stderr.contains("-DA=1") && said.stderr.contains("-DB=2"), "{said}");
    assert!(said.stderr.contains("ran        not built before"), "{said}");
    assert!(project.root().join("elsewhere/build.log").exists());
    assert_eq!(said.stdout, "");
}

#[test]
fn errors_are_answers_too() {
    let project = Project::pure();
    let (said, answer) =
        hook(&project, &["build-wheel", "--config-settings", r#"{"defaults.debu": "1"}"#]);
    assert_eq!(answer, json!({ "error": "unknown key `debu`" }));
    snapshot!(said, @"
    exit 2
    --- stdout
    --- stderr
    error[invalid-override]: unknown key `debu`
     |
     = note: in `defaults.debu` of --config-settings
     = help: did you mean `debug`?
    ");
    let (said, answer) = hook(&project, &["build-wheel", "--config-settings", r#"{"jobs": "x"}"#]);
    assert_eq!(said.code, Some(2), "{said}");
    assert!(answer["error"].as_str().unwrap().contains("--jobs"), "{answer}");
}

#[test]
fn questions_refuse_wrong_settings_as_builds_do() {
    let project = Project::pure();
    for name in ["wheel", "sdist", "editable"] {
        let question = format!("get-requires-for-build-{name}");
        let (said, answer) =
            hook(&project, &[&question, "--config-settings", r#"{"defaults.debu": "1"}"#]);
        assert_eq!(said.code, Some(2), "{said}");
        assert_eq!(answer, json!({ "error": "unknown key `debu`" }));
    }
}

#[test]
fn a_failed_build_says_so() {
    let project = Project::with_c();
    project.append("src/spam/_core.c", "int x = foo;\n");
    let (said, answer) = hook(&project, &["build-wheel"]);
    assert_eq!(said.code, Some(1), "{said}");
    assert_eq!(answer, json!({ "error": "the build failed: 1 action failed, 2 skipped" }));
}
