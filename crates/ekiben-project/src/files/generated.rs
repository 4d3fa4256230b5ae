//! The module with the version: made for the archives, never written into the project's folder.
//!
//! A file of its name in the folder, left there by another tool or by unpacking a source
//! distribution, is out of the game: the generated one takes its place.

use super::{GeneratedFile, Reason};
use crate::diagnostic::Diagnostic;
use crate::project::Project;
use crate::values::ProjectPath;

const TEMPLATE: &str = "\
# Written by Ekiben when the package was built.
__version__ = version = \"{version}\"
__version_tuple__ = version_tuple = {version_tuple}
";

pub(super) fn generated(
    project: &Project,
    root: &ProjectPath,
    errors: &mut Vec<Diagnostic>,
) -> Vec<GeneratedFile> {
    let settings = &project.settings().version;
    let Some(path) = &settings.write_to else { return Vec::new() };
    let Some(target) = path.strip_folder(root) else {
        let message = format!("`{path}` lies outside `{root}`, so it would not be installed");
        let error = project.error_at(&["version", "write-to"], "include-outside-root", &message);
        errors.push(error.help(format!("name a path below `{root}`")));
        return Vec::new();
    };
    let version = &project.standard().version;
    let parts = version_tuple(&version.to_string());
    let template = settings.template.as_deref().unwrap_or(TEMPLATE);
    let content =
        template.replace("{version_tuple}", &parts).replace("{version}", &version.to_string());
    vec![GeneratedFile {
        path: path.clone(),
        target: target.to_owned(),
        content,
        reason: Reason::WriteTo,
    }]
}

/// `(1, 2, "dev5", "g0123abc")`: numbers as numbers, all else as strings.
fn version_tuple(version: &str) -> String {
    let (public, local) = match version.split_once('+') {
        Some((public, local)) => (public, Some(local)),
        None => (version, None),
    };
    let part = |part: &str| match part.parse::<u64>() {
        Ok(number) => number.to_string(),
        Err(_) => format!("\"{part}\""),
    };
    let mut parts: Vec<String> = public.split('.').map(part).collect();
    parts.extend(local.map(|local| format!("\"{local}\"")));
    let comma = if parts.len() == 1 { "," } else { "" };
    format!("({}{comma})", parts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tuples_are_pythons() {
        assert_eq!(version_tuple("1.2.3"), "(1, 2, 3)");
        assert_eq!(version_tuple("2"), "(2,)");
        assert_eq!(version_tuple("1.2.4.dev5+g01.d2"), "(1, 2, 4, \"dev5\", \"g01.d2\")");
        assert_eq!(version_tuple("1!2.0rc1"), "(\"1!2\", \"0rc1\")");
    }
}
