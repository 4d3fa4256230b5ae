//! `editable`: the wheel of an editable install (PEP 660), and what is to be placed in the project.
//!
//! The wheel holds a `.pth` file that names the folder of the packages, so an import finds the
//! project's own files and costs what it always costs. Modules that are built are placed beside
//! their sources once everything has succeeded (see [`crate::editable`]); metadata, scripts, headers
//! and data files are installed as from any wheel. With `editable.rebuild`, the `.pth` file also imports
//! a module that looks for changes.

use std::collections::BTreeSet;

use ekiben_archive::{ArchivePath, Origin, WheelSpec};
use ekiben_engine::{Location, RelPath};
use ekiben_project::ProjectPath;

use super::{CommandContext, MODULE_FILE, link, metadata, wheel};
use crate::archive::{Archive, Spec};
use crate::artifacts::Known;
use crate::editable::{Placement, rebuild};
use crate::graph::Kind;
use crate::limited_api;
use crate::problem::{Cause, Problem, Problems};

/// The folder, below the build folder, of files that only an editable wheel has.
const FOLDER: &str = "editable-entry/";

pub(super) fn run(cx: &CommandContext) -> Result<(), Problems> {
    let spec = wheel::wheel_of_modules(&cx.shared.configuration, &cx.shared.products)?;
    let mut archive = Archive::new(Spec::Wheel(spec.clone()), cx.shared.timestamp()?);
    let root = &cx.shared.configuration.files()?.package_root;
    let mut placements = Vec::new();
    for known in cx.of(&Kind::EXTENSION_MODULE, None) {
        let Some(product) = &known.info.product else { continue };
        placements.push(place(&known, root, &link::target(cx, product)?)?);
        archive.require(limited_api::check(&cx.shared, &cx.name, product, known.id)?);
    }
    let is_generated = |known: &Known| matches!(known.info.location, Location::Build(_));
    let modules = cx.of(&MODULE_FILE, None).into_iter().filter(is_generated);
    for known in modules.chain(cx.of(&Kind::WHEEL_ENTRY, None)) {
        let path = wheel::below(&known, wheel::ENTRIES);
        match importable(&spec, &path)? {
            Some(path) => placements.push(place(&known, root, path)?),
            None => {
                archive.add(known.id, ArchivePath::new(path)?, false, &wheel::made_by(&known))?;
            }
        }
    }
    for known in cx.of(&Kind::METADATA, None) {
        let path = spec.dist_info(&wheel::below(&known, metadata::FOLDER))?;
        archive.add(known.id, path, false, &Origin::new("the project's metadata"))?;
    }
    let name = cx.shared.configuration.project().standard().name.in_file_names();
    let mut pth = path_line(&root.in_dir(cx.shared.configuration.root()))?;
    let repetition = cx.shared.configuration.repetition();
    if let Some(repetition) = repetition.filter(|_| cx.shared.configuration.rebuilds()) {
        let module = format!("_editable_{name}");
        let text = rebuild::module(&cx.shared, repetition, &top_level(cx, &placements)?)?;
        provide(cx, &mut archive, &format!("{module}.py"), &text)?;
        pth.push_str(&format!("import {module}\n"));
    }
    provide(cx, &mut archive, &format!("_editable_{name}.pth"), &pth)?;
    cx.shared.set_placements(placements);
    archive.submit(&cx.shared, &cx.name, &Kind::EDITABLE_WHEEL)
}

/// The names that the project's modules begin with.
fn top_level(cx: &CommandContext, placements: &[Placement]) -> Result<BTreeSet<String>, Problems> {
    let found = cx.shared.configuration.files()?;
    let root = found.package_root.as_str();
    let installed = found.installed.iter().map(|file| file.target.as_str());
    let placed = placements.iter().map(|placement| {
        let path = placement.target.as_str();
        path.strip_prefix(root).and_then(|rest| rest.strip_prefix('/')).unwrap_or(path)
    });
    let first = |path: &str| path.split(['/', '.']).next().unwrap_or(path).to_owned();
    Ok(installed.chain(placed).map(first).filter(|name| !name.is_empty()).collect())
}

/// Where a file of the wheel is imported from, relative to `site-packages`; none for scripts,
/// headers and data, which are installed elsewhere.
pub(super) fn importable<'p>(spec: &WheelSpec, path: &'p str) -> Result<Option<&'p str>, Problems> {
    for (scheme, imported) in [
        ("purelib", true),
        ("platlib", true),
        ("scripts", false),
        ("headers", false),
        ("data", false),
    ] {
        let inside = spec.data(scheme, "x")?;
        let folder = inside.as_str().trim_end_matches('x');
        if let Some(rest) = path.strip_prefix(folder) {
            return Ok(imported.then_some(rest));
        }
    }
    Ok(Some(path))
}

fn place(known: &Known, root: &ProjectPath, path: &str) -> Result<Placement, Problems> {
    let target = root.join(path);
    let target = RelPath::new(target.as_str()).map_err(|error| {
        Problem::error(Cause::Internal, "path", format!("the path `{target}`: {error}"))
    })?;
    Ok(Placement { artifact: known.id, target })
}

/// The line of a `.pth` file that puts a folder on `sys.path`.
///
/// `site` takes a line that begins with `import` for code, strips blanks at its end, and decodes the
/// file as UTF-8 or by the locale, depending on the version of Python.
fn path_line(folder: &std::path::Path) -> Result<String, Problems> {
    let unusable = |why: &str| {
        let message =
            format!("the folder {} can't be named in a `.pth` file: {why}", folder.display());
        Problems::from(
            Problem::error(Cause::Environment, "unusable-folder", message)
                .help("move the project to a folder with a plainer name, or install it without -e"),
        )
    };
    let text = folder.to_str().ok_or_else(|| unusable("it isn't UTF-8"))?;
    if text.contains(['\n', '\r']) || text.trim_end() != text {
        return Err(unusable("it has line breaks, or blanks at its end"));
    }
    Ok(format!("{text}\n"))
}

/// Adds a file with this text.
fn provide(
    cx: &CommandContext,
    archive: &mut Archive,
    path: &str,
    text: &str,
) -> Result<(), Problems> {
    let at = RelPath::new(&format!("{FOLDER}{path}")).map_err(|error| {
        Problem::error(Cause::Internal, "path", format!("the path `{path}`: {error}"))
    })?;
    let id = cx.shared.engine.provide(cx.name.as_str(), at, text.as_bytes())?;
    archive.add(id, ArchivePath::new(path)?, false, &Origin::new("the editable install"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::path::Path;

    use ekiben_archive::TagSet;

    use super::*;

    #[test]
    fn what_is_imported_is_placed_and_the_rest_installed() {
        let spec = WheelSpec::new("Spam", "1.0", TagSet::parse("py3-none-any").unwrap()).unwrap();
        let placed = |path| importable(&spec, path).unwrap();
        assert_eq!(placed("spam/_version.py"), Some("spam/_version.py"));
        assert_eq!(placed("spam-1.0.data/platlib/spam/x.py"), Some("spam/x.py"));
        assert_eq!(placed("spam-1.0.data/scripts/spam"), None);
        assert_eq!(placed("spam-1.0.data/headers/spam/spam.h"), None);
        assert_eq!(placed("spam-1.0.data/data/share/spam"), None);
    }

    #[test]
    fn a_folder_that_pth_files_cannot_name_is_refused() {
        assert_eq!(path_line(Path::new("/a b/src")).unwrap(), "/a b/src\n");
        for folder in ["/a\nb", "/a "] {
            let problems = path_line(Path::new(folder)).unwrap_err();
            assert_eq!(problems.0[0].code, "unusable-folder");
        }
    }
}
