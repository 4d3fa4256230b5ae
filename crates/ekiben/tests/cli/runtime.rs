//! `ekiben runtime`, without building any: that takes minutes, and `cargo xtask runtime` does it.

use crate::support::{Project, snapshot};

#[test]
fn without_runtimes_there_are_none() {
    let project = Project::pure();
    snapshot!(project.run(&["runtime", "list"]), @"");
    snapshot!(project.run(&["runtime", "list", "--format", "json"]), @"");
    snapshot!(project.run(&["runtime", "check"]), @"");
    snapshot!(project.run(&["runtime", "show"]), @"");
    snapshot!(project.run(&["runtime", "check", "3.12"]), @"");
}

#[test]
fn a_version_must_be_one_that_runtimes_are_made_of() {
    let project = Project::pure();
    snapshot!(project.run(&["runtime", "build", "--python", "3.8"]), @"");
    snapshot!(project.run(&["runtime", "build", "--python", "three"]), @"");
}

#[test]
fn a_source_has_a_sha256() {
    let project = Project::pure();
    project.write("Python.tar.xz", "no archive");
    let build = ["runtime", "build", "--python", "3.13", "--source", "Python.tar.xz"];
    snapshot!(project.run(&build), @"");
    let with = |sha256: &str| project.run(&[&build[..], &["--sha256", sha256]].concat());
    snapshot!(with("abc"), @"");
    snapshot!(with(&"0".repeat(64)), @"");
    let of_it = "d2ab9d3b5a6ff1a5b9a2e9a7e4a2c3a2ae7ac8b5d0d1b7b7a6fd8f3d2e2b1c0d";
    assert!(with(of_it).stderr.contains("has the SHA-256"));
}
