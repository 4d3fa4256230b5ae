//! Makes a small library, for mutators to begin with.

use std::path::PathBuf;
use std::process::Command;
use std::{env, fs};

const SOURCE: &str = "\
__attribute__((section(\".ekiben_image\"), used)) const char image[16] = {0};
extern int taken(int);
int offered(void) { return taken(1); }
";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let folder = PathBuf::from(env::var_os("OUT_DIR").expect("cargo names a folder"));
    let source = folder.join("small.c");
    fs::write(&source, SOURCE).expect("the source is written");
    let mut cc = Command::new("cc");
    cc.args(["-shared", "-fPIC", "-nostdlib", "-s", "-Wl,-soname,small.so", "-Wl,-rpath,$ORIGIN"]);
    cc.args(["-Wl,--build-id=none", "-Wl,-z,norelro", "-Wl,-z,noseparate-code"]);
    let done = cc.arg("-o").arg(folder.join("small.so")).arg(&source).status();
    assert!(done.is_ok_and(|status| status.success()), "cc makes a library");
}
