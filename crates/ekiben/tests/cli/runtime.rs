//! `ekiben runtime`, without building any: that takes minutes, and `cargo xtask runtime` does it.

use crate::support::{Project, snapshot};

#[test]
fn without_runtimes_there_are_none() {
    let project = Project::pure();
    snapshot!(project.run(&["runtime", "list"]), @"
    exit 0
    --- stdout
    --- stderr
    ");
    snapshot!(project.run(&["runtime", "list", "--format", "json"]), @"
    exit 0
    --- stdout
    []
    --- stderr
    ");
    snapshot!(project.run(&["runtime", "check"]), @"
    exit 2
    --- stdout
    --- stderr
    error[no-such-runtime]: there is no runtime
     |
     = help: there is none yet: make one with `ekiben runtime build --python 3.13`
    ");
    snapshot!(project.run(&["runtime", "show"]), @"
    exit 2
    --- stdout
    --- stderr
    error[no-such-runtime]: there is no runtime
     |
     = help: there is none yet: make one with `ekiben runtime build --python 3.13`
    ");
    snapshot!(project.run(&["runtime", "check", "3.12"]), @"
    exit 2
    --- stdout
    --- stderr
    error[no-such-runtime]: there is no runtime `3.12`
     |
     = help: there is none yet: make one with `ekiben runtime build --python 3.13`
    ");
}

#[test]
fn a_version_must_be_one_that_runtimes_are_made_of() {
    let project = Project::pure();
    snapshot!(project.run(&["runtime", "build", "--python", "3.8"]), @"
    exit 2
    --- stdout
    --- stderr
    error: invalid value '3.8' for '--python <VERSION>': runtimes are made of CPython 3.11 to 3.14

    For more information, try '--help'.
    ");
    snapshot!(project.run(&["runtime", "build", "--python", "three"]), @"
    exit 2
    --- stdout
    --- stderr
    error: invalid value 'three' for '--python <VERSION>': write a version of CPython, such as 3.13 or 3.13.5

    For more information, try '--help'.
    ");
}

#[test]
fn a_source_has_a_sha256() {
    let project = Project::pure();
    project.write("Python.tar.xz", "no archive");
    let build = ["runtime", "build", "--python", "3.13", "--source", "Python.tar.xz"];
    snapshot!(project.run(&build), @"
    exit 2
    --- stdout
    --- stderr
    error: the following required arguments were not provided:
      --sha256 <HEX>

    Usage: ekiben runtime build --python <VERSION> --source <PATH-OR-URL> --sha256 <HEX> --jobs <N> --cache-dir <DIR>

    For more information, try '--help'.
    ");
    let with = |sha256: &str| project.run(&[&build[..], &["--sha256", sha256]].concat());
    snapshot!(with("abc"), @"
    exit 2
    --- stdout
    --- stderr
    error[runtime-request]: `abc` isn't a SHA-256: that is 64 hexadecimal digits
     |
     = help: give the one that is published beside the archive
    ");
    snapshot!(with(&"0".repeat(64)), @"
    exit 2
    --- stdout
    --- stderr
    error[wrong-sha256]: Python.tar.xz has the SHA-256 7275b9d1e6c0314c52bfca6c77534b8eaa3a8454a5c74b20e3e5f983e32c6877, not 0000000000000000000000000000000000000000000000000000000000000000
     |
     = help: check where it comes from; it may be cut off or another release
    ");
}
