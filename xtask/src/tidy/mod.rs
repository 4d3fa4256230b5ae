//! `cargo xtask tidy`: house rules that neither rustc nor clippy knows, each finding with its place.
//!
//! Rules about a file's text are in [`text`], rules about crates in [`crates`].

mod crates;
mod text;

use std::env;
use std::fmt;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use walkdir::{DirEntry, WalkDir};

use crate::workspace::Workspace;

/// The largest file that may be in the repository, in bytes.
const LARGEST: u64 = 1 << 20;

/// Folders whose content isn't ours.
const SKIPPED: [&str; 8] =
    [".git", ".hypothesis", ".venv", "__pycache__", "corpus", "dist", "node_modules", "target"];

/// Options of `cargo xtask tidy`.
#[derive(Default, clap::Args)]
pub(crate) struct Args {}

impl Args {
    pub(crate) fn run(&self, workspace: &Workspace) -> Result<()> {
        let findings = check(workspace.root())?;
        for finding in &findings {
            eprintln!("{finding}");
        }
        if !findings.is_empty() {
            bail!("{} finding(s)", findings.len());
        }
        println!("tidy");
        Ok(())
    }
}

/// A breach of a rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    /// Relative to the root, with `/`.
    path: String,
    /// From 1; the whole file if it is 0.
    line: usize,
    message: String,
}

impl Finding {
    fn new(path: &str, line: usize, message: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, message: message.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.path, self.message),
            line => write!(f, "{}:{line}: {}", self.path, self.message),
        }
    }
}

fn check(root: &Path) -> Result<Vec<Finding>> {
    let here = text::Here { private_folders: private_folders(root) };
    let mut findings = Vec::new();
    let mut manifests = Vec::new();
    let files = WalkDir::new(root).sort_by_file_name().into_iter().filter_entry(is_ours);
    for entry in files {
        let entry = entry.context("the workspace can't be listed")?;
        if !entry.file_type().is_file() {
            continue;
        }
        let path = entry.path().strip_prefix(root)?.to_string_lossy().replace('\\', "/");
        let size = entry.metadata()?.len();
        if size > LARGEST {
            findings.push(Finding::new(&path, 0, format!("{size} bytes are more than {LARGEST}")));
            continue;
        }
        let Ok(text) = fs::read_to_string(entry.path()) else { continue };
        findings.extend(text::check(&path, &text, &here));
        if entry.file_name() == "Cargo.toml" {
            manifests.push((path, text));
        }
    }
    findings.extend(crates::check(&manifests)?);
    findings.sort();
    Ok(findings)
}

fn is_ours(entry: &DirEntry) -> bool {
    let name = entry.file_name().to_string_lossy();
    !(entry.file_type().is_dir() && SKIPPED.contains(&name.as_ref()))
}

/// Folders of this machine: the workspace's, the one around it, and the user's. A path that holds
/// one would not exist elsewhere.
fn private_folders(root: &Path) -> Vec<String> {
    let folders = [Some(root.to_owned()), root.parent().map(Path::to_owned), env::home_dir()];
    let mut folders: Vec<String> = folders
        .into_iter()
        .flatten()
        .filter(|folder| folder.components().count() > 1)
        .map(|folder| format!("{}/", folder.display()))
        // Shared by all machines.
        .filter(|folder| !["/tmp/", "/usr/", "/opt/", "/var/", "/home/"].contains(&folder.as_str()))
        .collect();
    folders.dedup();
    folders
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_is_walked_without_what_is_not_ours() {
        let root = tempfile::tempdir().unwrap();
        let write = |path: &str, content: &[u8]| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        };
        write("src/lib.rs", b"fn f() {}\n");
        write("target/lib.rs", b"fn f() {}\n");
        write("big.bin", &vec![0; 1 << 21]);
        write("Cargo.toml", b"[workspace]\n");
        let found: Vec<String> =
            check(root.path()).unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(
            found,
            [
                "big.bin: 2097152 bytes are more than 1048576",
                "src/lib.rs:1: a module opens with `//!`: what it is for",
            ]
        );
    }

    #[test]
    fn private_folders_name_this_machine_only() {
        let folders = private_folders(Path::new("/somewhere/ekiben"));
        assert!(folders.contains(&"/somewhere/".to_owned()));
        assert!(folders.contains(&"/somewhere/ekiben/".to_owned()));
        assert!(!private_folders(Path::new("/tmp/x")).contains(&"/tmp/".to_owned()));
    }
}
