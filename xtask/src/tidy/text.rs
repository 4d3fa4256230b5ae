//! Rules about the text of one file.
//!
//! The words that are looked for are put together here, so that this file keeps the rules too.

use super::Finding;

/// The most lines that a Rust file may have.
const MOST_LINES: usize = 800;

/// Where `unsafe` may be: the runtime's C API and the start of its programs, the plugin host's loading of compiled components, the
/// list of those that are embedded, and taking over file descriptors: the front end's and make's.
const UNSAFE_ALLOWED: [&str; 6] = [
    "crates/ekiben/src/builtin.rs",
    "crates/ekiben/src/result.rs",
    "crates/ekiben-core/src/plugin/",
    "crates/ekiben-engine/src/tokens.rs",
    "crates/ekiben-launcher/",
    "crates/ekiben-runtime/",
];

/// How many lines before `unsafe` its reason may stand.
const SAFETY_DISTANCE: usize = 6;

/// Unfinished work, in any text.
const UNFINISHED: [&str; 2] = [concat!("FIX", "ME"), concat!("XX", "X:")];

/// Unfinished work, in Rust.
const UNFINISHED_RUST: [&str; 4] = [
    concat!("todo", "!("),
    concat!("unimpl", "emented!("),
    concat!("#[ign", "ore]"),
    concat!("#[ign", "ore ="),
];

/// Hosts of package registries: a mirror must be able to stand in for each.
const REGISTRIES: [&str; 7] = [
    concat!("pypi", ".org"),
    concat!("files.python", "hosted.org"),
    concat!("crates", ".io"),
    concat!("deb.deb", "ian.org"),
    concat!("security.deb", "ian.org"),
    concat!("static.rust", "-lang.org"),
    concat!("conda.ana", "conda.org"),
];

/// What is known of the machine.
pub(super) struct Here {
    pub(super) private_folders: Vec<String>,
}

/// Checks a file.
pub(super) fn check(path: &str, text: &str, here: &Here) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut add = |line, message: String| findings.push(Finding::new(path, line, message));
    let name = path.rsplit('/').next().unwrap_or(path);
    if name.ends_with(".lock") {
        return findings;
    }
    let is_rust = name.ends_with(".rs");
    let is_prose = name.ends_with(".md");
    for (number, line) in (1..).zip(text.lines()) {
        for folder in &here.private_folders {
            if line.contains(folder) {
                add(number, format!("`{folder}` is a folder of one machine"));
            }
        }
        for word in UNFINISHED {
            if line.contains(word) {
                add(number, format!("`{word}` marks unfinished work"));
            }
        }
        if is_rust {
            for word in UNFINISHED_RUST {
                if line.contains(word) {
                    add(number, format!("`{word}` is left to be done"));
                }
            }
        }
        for host in REGISTRIES {
            if !is_prose && line.contains(host) {
                add(number, format!("`{host}` names a registry; take it from the configuration"));
            }
        }
    }
    if is_rust {
        check_rust(path, text, &mut add);
    }
    findings
}

fn check_rust(path: &str, text: &str, add: &mut impl FnMut(usize, String)) {
    let lines: Vec<&str> = text.lines().collect();
    let first = lines.iter().position(|line| !line.trim().is_empty());
    if !first.is_some_and(|at| lines[at].starts_with("//!")) {
        add(1, "a module opens with `//!`: what it is for".to_owned());
    }
    if lines.len() > MOST_LINES {
        add(0, format!("{} lines are more than {MOST_LINES}: split it", lines.len()));
    }
    for (at, line) in lines.iter().enumerate() {
        if !uses_unsafe(line) {
            continue;
        }
        if !UNSAFE_ALLOWED.iter().any(|allowed| path.starts_with(allowed)) {
            add(at + 1, "`unsafe` may not be here".to_owned());
        } else if !lines[at.saturating_sub(SAFETY_DISTANCE)..=at]
            .iter()
            .any(|line| line.contains("SAFETY:") || line.ends_with("/// # Safety"))
        {
            add(at + 1, "`unsafe` without a `// SAFETY:` line before it".to_owned());
        }
    }
}

/// Whether a line has the keyword outside comments and strings.
fn uses_unsafe(line: &str) -> bool {
    let code = line.split("//").next().unwrap_or_default();
    let outside_strings = code.split('"').step_by(2);
    outside_strings
        .flat_map(|code| code.split(|c: char| !c.is_alphanumeric() && c != '_'))
        .any(|word| word == "unsafe")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Vec<String> {
        let here = Here { private_folders: vec!["/machine/".to_owned()] };
        check(path, text, &here).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn paths_of_the_machine_are_found_in_any_text() {
        let found = found("docs/x.md", "fine\nsee /machine/x\n");
        assert_eq!(found, ["docs/x.md:2: `/machine/` is a folder of one machine"]);
    }

    #[test]
    fn unfinished_work_is_found() {
        assert_eq!(found("x.py", &format!("# {}\n", UNFINISHED[0])).len(), 1);
        for word in UNFINISHED_RUST {
            assert_eq!(found("x.rs", &format!("//! X.\n{word}\n")).len(), 1, "{word}");
        }
        assert_eq!(found("x.rs", "//! X.\n// the compiler ignores it\n"), [""; 0]);
    }

    #[test]
    fn registries_are_found_in_code_but_not_in_prose_and_locks() {
        let line = format!("https://{}/simple\n", REGISTRIES[0]);
        assert_eq!(found("x.toml", &line).len(), 1);
        assert_eq!(found("x.md", &line).len(), 0);
        assert_eq!(found("Cargo.lock", &line).len(), 0);
        assert_eq!(found("x.py", "https://peps.python.org/pep-0517/\n").len(), 0);
    }

    #[test]
    fn a_module_says_what_it_is_for() {
        assert_eq!(found("x.rs", "\n//! X.\n").len(), 0);
        assert_eq!(
            found("x.rs", "use x;\n"),
            ["x.rs:1: a module opens with `//!`: what it is for"]
        );
        assert_eq!(found("x.rs", "").len(), 1);
    }

    #[test]
    fn long_files_are_found() {
        let long = format!("//! X.\n{}", "\n".repeat(MOST_LINES));
        assert_eq!(found("x.rs", &long), ["x.rs: 801 lines are more than 800: split it"]);
    }

    #[test]
    fn unsafe_needs_a_permitted_crate_and_a_reason() {
        let text = "//! X.\nfn f() { unsafe { g() } }\n";
        assert_eq!(found("crates/ekiben/src/x.rs", text).len(), 1);
        let allowed = "crates/ekiben-runtime/src/x.rs";
        assert_eq!(found(allowed, text).len(), 1);
        let declared = "//! X.\n/// # Safety\n/// It must be fine.\nunsafe fn g() {}\n";
        assert_eq!(found(allowed, declared).len(), 0);
        let reasoned = "//! X.\n// SAFETY: g is fine.\nlet x = unsafe { g() };\n";
        assert_eq!(found(allowed, reasoned).len(), 0);
        let spoken = "//! X.\n#![allow(unsafe_code)]\n// unsafe\nlet x = \"unsafe\";\n";
        assert_eq!(found("crates/ekiben/src/x.rs", spoken).len(), 0);
    }
}
