//! Rules about crates: what their manifests must say, and which of ours each may use.

use anyhow::{Context as _, Result};

use super::Finding;

/// The crates of ours that each may depend on; one that isn't listed may use none. A plugin runs in
/// WebAssembly: it gets those that do no input and output.
const MAY_USE: [(&str, &[&str]); 11] = [
    (
        "ekiben",
        &[
            "ekiben-archive",
            "ekiben-core",
            "ekiben-engine",
            "ekiben-freeze",
            "ekiben-image",
            "ekiben-install",
            "ekiben-migrate",
            "ekiben-object",
            "ekiben-project",
            "ekiben-python",
            "ekiben-static",
        ],
    ),
    (
        "ekiben-core",
        &[
            "ekiben-archive",
            "ekiben-engine",
            "ekiben-image",
            "ekiben-install",
            "ekiben-object",
            "ekiben-project",
            "ekiben-python",
        ],
    ),
    (
        "ekiben-freeze",
        &[
            "ekiben-archive",
            "ekiben-engine",
            "ekiben-image",
            "ekiben-object",
            "ekiben-project",
            "ekiben-static",
        ],
    ),
    ("ekiben-static", &["ekiben-archive", "ekiben-engine", "ekiben-object"]),
    ("ekiben-fuzz", &["ekiben-image", "ekiben-object"]),
    ("ekiben-install", &["ekiben-archive"]),
    ("ekiben-migrate", &["ekiben-project"]),
    ("ekiben-launcher", &["ekiben-image"]),
    ("ekiben-runtime", &["ekiben-image"]),
    ("plugins/", &["ekiben-archive", "ekiben-image", "ekiben-object", "ekiben-plugin"]),
    ("tests/guests/", &["ekiben-plugin"]),
];

/// Checks manifests, given by path and text.
pub(super) fn check(manifests: &[(String, String)]) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for (path, text) in manifests {
        let manifest: toml::Table =
            text.parse().with_context(|| format!("`{path}` can't be read"))?;
        if let Some(package) = manifest.get("package").and_then(toml::Value::as_table) {
            check_statements(path, text, &manifest, package, &mut findings);
            check_direction(path, text, &manifest, package, &mut findings);
        }
    }
    Ok(findings)
}

fn check_statements(
    path: &str,
    text: &str,
    manifest: &toml::Table,
    package: &toml::Table,
    findings: &mut Vec<Finding>,
) {
    let line = line_of(text, "[package]");
    if !package.contains_key("license") {
        findings.push(Finding::new(path, line, "the package states no license"));
    }
    // A fuzzing crate is a workspace of its own.
    if manifest.contains_key("workspace") {
        return;
    }
    let lints = manifest.get("lints").and_then(|lints| lints.get("workspace"));
    if lints.and_then(toml::Value::as_bool) != Some(true) {
        findings.push(Finding::new(path, line, "`[lints] workspace = true` is missing"));
    }
}

fn check_direction(
    path: &str,
    text: &str,
    manifest: &toml::Table,
    package: &toml::Table,
    findings: &mut Vec<Finding>,
) {
    let name = package.get("name").and_then(toml::Value::as_str).unwrap_or_default();
    let allowed = MAY_USE.iter().find(|(who, _)| match who.strip_suffix('/') {
        Some(_) => path.starts_with(who),
        None => *who == name,
    });
    let allowed = allowed.map_or(&[][..], |(_, allowed)| *allowed);
    for table in ["dependencies", "build-dependencies"] {
        let Some(table) = manifest.get(table).and_then(toml::Value::as_table) else { continue };
        for used in table.keys() {
            let ours = used == "ekiben" || used.starts_with("ekiben-");
            if ours && !allowed.contains(&used.as_str()) {
                let line = line_of(text, used);
                findings.push(Finding::new(path, line, format!("`{name}` may not use `{used}`")));
            }
        }
    }
}

/// The first line that starts so.
fn line_of(text: &str, start: &str) -> usize {
    text.lines().position(|line| line.starts_with(start)).map_or(0, |at| at + 1)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Vec<String> {
        let manifests = [(path.to_owned(), text.to_owned())];
        check(&manifests).unwrap().iter().map(ToString::to_string).collect()
    }

    fn using(name: &str, used: &str) -> String {
        format!(
            "[package]\nname = \"{name}\"\nlicense.workspace = true\n[lints]\nworkspace = true\n\
             [dependencies]\nserde.workspace = true\n{used}.workspace = true\n"
        )
    }

    #[test]
    fn a_crate_states_its_license_and_takes_the_lints() {
        let found = found("crates/x/Cargo.toml", "[package]\nname = \"x\"\n");
        assert_eq!(
            found,
            [
                "crates/x/Cargo.toml:1: the package states no license",
                "crates/x/Cargo.toml:1: `[lints] workspace = true` is missing",
            ]
        );
    }

    #[test]
    fn dependencies_go_down_only() {
        let fine = [
            ("crates/ekiben/Cargo.toml", "ekiben", "ekiben-core"),
            ("crates/ekiben-core/Cargo.toml", "ekiben-core", "ekiben-engine"),
            ("plugins/gnu/Cargo.toml", "ekiben-gnu", "ekiben-plugin"),
        ];
        for (path, name, used) in fine {
            assert_eq!(found(path, &using(name, used)), [""; 0]);
        }
        let wrong = [
            ("crates/ekiben-core/Cargo.toml", "ekiben-core", "ekiben"),
            ("crates/ekiben-engine/Cargo.toml", "ekiben-engine", "ekiben-core"),
            ("crates/ekiben-engine/Cargo.toml", "ekiben-engine", "ekiben-project"),
            ("plugins/gnu/Cargo.toml", "ekiben-gnu", "ekiben-engine"),
            ("xtask/Cargo.toml", "xtask", "ekiben-core"),
        ];
        for (path, name, used) in wrong {
            let message = format!("{path}:8: `{name}` may not use `{used}`");
            assert_eq!(found(path, &using(name, used)), [message]);
        }
    }
}
