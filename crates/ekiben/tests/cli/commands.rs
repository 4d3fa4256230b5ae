//! The commands that build nothing.

use serde_json::Value;

use crate::support::{Project, snapshot};

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn clean_removes_the_build_folder_alone() {
    let project = Project::pure();
    project.run(&["build"]);
    snapshot!(project.run(&["clean"]), @"
    exit 0
    --- stdout
    Removed build/ekiben ([SIZE])
    --- stderr
    ");
    assert!(!project.root().join("build/ekiben").exists());
    assert!(project.root().join("dist").exists());
    snapshot!(project.run(&["clean"]), @"
    exit 0
    --- stdout
    Nothing to remove: there is no build/ekiben
    --- stderr
    ");
}

#[test]
fn clean_leaves_a_folder_that_it_did_not_make() {
    let project = Project::pure();
    project.write("precious/thesis.txt", "all my work\n");
    snapshot!(project.run(&["clean", "--build-dir", "precious"]), @"
    exit 2
    --- stdout
    --- stderr
    error[not-a-build-folder]: precious isn't a folder that a build made, so it stays
     |
     = help: remove it yourself if nothing in it is of use
    ");
    assert!(project.root().join("precious/thesis.txt").exists());
}

#[test]
fn clean_empties_the_cache() {
    let project = Project::pure();
    project.run(&["build"]);
    let said = project.run(&["clean", "--cache"]);
    assert!(said.stdout.ends_with("from [BASE]/cache; 0 B are left\n"), "{said}");
    let said = project.run(&["build"]);
    assert!(said.stdout.ends_with(" 0 cached\n"), "{said}");
    let said = project.run(&["clean", "--cache-to-limit"]);
    assert!(said.stdout.starts_with("Removed 0 B from"), "{said}");
}

#[test]
fn config_shows_what_is_in_force() {
    let project = Project::pure();
    project.append("pyproject.toml", "\n[tool.ekiben.defaults]\ndebug = true\n");
    let said = project.run(&["config", "-C", "build-dir=elsewhere"]);
    assert!(said.stdout.contains("tool.ekiben.defaults.debug = true\n"), "{said}");
    assert!(said.stdout.contains("tool.ekiben.build-dir = \"elsewhere\"\n"), "{said}");
}

#[test]
fn config_explains_where_values_come_from() {
    let project = Project::pure();
    project.append("pyproject.toml", "\n[tool.ekiben.defaults]\ndebug = true\n");
    let said = project.run(&["config", "--explain", "-C", "build-dir=elsewhere"]);
    let shown = |key: &str| {
        let block = said.stdout.split("\n\n").find(|block| block.starts_with(key));
        block.unwrap_or_else(|| panic!("no {key} in {said}")).to_owned()
    };
    snapshot!(shown("tool.ekiben.defaults.debug"), @"
    tool.ekiben.defaults.debug = true  # line 10
        Whether to keep debug information
        takes `true` or `false`
    ");
    snapshot!(shown("tool.ekiben.build-dir"), @r#"
    tool.ekiben.build-dir = "elsewhere"  # --config-setting
        The folder for what a build makes on its way
        takes a string
    "#);
    let rows = json(&project.run(&["config", "--format", "json"]).stdout);
    let debug = |row: &&Value| row["key"] == "tool.ekiben.defaults.debug";
    let row = rows.as_array().unwrap().iter().find(debug).unwrap();
    assert_eq!(row["origin"], serde_json::json!({ "from": "file", "line": 10 }));
    let schema = json(&project.run(&["config", "--format", "schema"]).stdout);
    assert!(schema["properties"]["defaults"].is_object());
}

#[test]
fn the_graph_has_three_forms() {
    let project = Project::pure();
    let text = project.run(&["graph"]).stdout;
    assert!(text.contains("For wheel, ") && text.contains("discover"), "{text}");
    let graph = json(&project.run(&["graph", "--format", "json", "--target", "sdist"]).stdout);
    assert_eq!(graph["targets"], serde_json::json!([{ "kind": "sdist" }]));
    let said = project.run(&["graph", "--format", "svg", "-o", "graph.svg"]);
    assert_eq!((said.code, said.stdout.as_str()), (Some(0), ""), "{said}");
    let drawing = std::fs::read_to_string(project.root().join("graph.svg")).unwrap();
    assert!(drawing.contains("<svg") && drawing.contains("discover"));
}

#[test]
fn the_graph_knows_its_targets() {
    let project = Project::pure();
    snapshot!(project.run(&["graph", "--target", "weel"]), @"
    exit 2
    --- stdout
    --- stderr
    error[command-graph]: there is neither a command nor a kind called `weel`
     |
     = help: did you mean `wheel`?
    ");
}

#[test]
fn plugins_are_listed() {
    let project = Project::pure();
    let text = project.run(&["plugin", "list"]).stdout;
    assert!(text.contains("(built-in)\n") && text.contains("    languages: "), "{text}");
    let list = json(&project.run(&["plugin", "list", "--format", "json"]).stdout);
    let gnu = list.as_array().unwrap().iter().find(|plugin| plugin["id"] == "gnu").unwrap();
    assert_eq!(gnu["origin"], "built-in");
    assert_eq!(gnu["sha256"].as_str().unwrap().len(), 64);
}

/// Machine code that was made with the program needs more addresses than some machines give.
#[cfg(unix)]
#[test]
fn plugins_work_where_addresses_are_limited() {
    let project = Project::pure();
    let mut limited = std::process::Command::new("sh");
    let command = project.command(&["plugin", "list", "--format", "json"]);
    limited.args(["-c", "ulimit -v 4194304 && exec \"$0\" \"$@\""]).arg(command.get_program());
    limited.args(command.get_args()).current_dir(project.root());
    limited.env("EKIBEN_CACHE_DIR", project.beside("cache"));
    let code = |text: &str| json(text).as_array().unwrap()[0]["code"].clone();
    let output = limited.output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    assert_eq!(code(&String::from_utf8(output.stdout).unwrap()), "compiled");
    // Its description is known now.
    assert_eq!(code(&project.run(&["plugin", "list", "--format", "json"]).stdout), json("null"));
}
