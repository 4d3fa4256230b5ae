//! [`Roots`]: the folders of a build, and the only place where a symbolic path becomes a real one and back.
//!
//! Besides source and build root there are *movable* folders: parts of the system whose place changes from build to
//! build, such as the isolated environment that pip makes anew each time. A location in one stays a system location,
//! but its symbolic form names the folder and not its place.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use crate::error::EngineError;
use crate::path::{Location, PathError, RelPath, Root, SystemPath};

/// Absolute paths of the roots, as given and with symbolic links resolved: tools report either.
#[derive(Debug)]
pub(crate) struct Roots {
    source: PathBuf,
    build: PathBuf,
    real_source: PathBuf,
    real_build: PathBuf,
    /// The build root as seen from the source root, if it lies there.
    nested_build: Option<RelPath>,
    /// The deepest first.
    movable: Vec<Movable>,
}

#[derive(Debug)]
struct Movable {
    /// What precedes the colon in symbolic locations.
    scheme: String,
    folder: PathBuf,
    real: PathBuf,
}

impl Roots {
    /// Makes both absolute. The build root is created.
    pub(crate) fn new(
        source: &Path,
        build: &Path,
        movable: &BTreeMap<String, PathBuf>,
    ) -> Result<Self, EngineError> {
        let absolute =
            |path: &Path| std::path::absolute(path).map_err(EngineError::io("resolve", path));
        let (source, build) = (absolute(source)?, absolute(build)?);
        std::fs::create_dir_all(&build).map_err(EngineError::io("create", &build))?;
        let real = |path: &Path| path.canonicalize().map_err(EngineError::io("open", path));
        let nested_build = match build.strip_prefix(&source) {
            Ok(rest) if rest.as_os_str().is_empty() => Some(RelPath::root()),
            Ok(rest) => rest.to_str().and_then(|rest| RelPath::new(rest).ok()),
            Err(_) => None,
        };
        let mut movable = movable
            .iter()
            .map(|(name, folder)| {
                let folder = absolute(folder)?;
                // No name can pass for another's, or for a root's.
                let scheme = format!("in {}", name.replace('%', "%25").replace(':', "%3A"));
                let real = folder.canonicalize().unwrap_or_else(|_| folder.clone());
                Ok(Movable { scheme, folder, real })
            })
            .collect::<Result<Vec<_>, EngineError>>()?;
        movable.sort_by_key(|movable| Reverse(movable.folder.components().count()));
        Ok(Self {
            movable,
            real_source: real(&source)?,
            real_build: real(&build)?,
            source,
            build,
            nested_build,
        })
    }

    pub(crate) fn source(&self) -> &Path {
        &self.source
    }

    pub(crate) fn build(&self) -> &Path {
        &self.build
    }

    /// The absolute path.
    pub(crate) fn path(&self, location: &Location) -> PathBuf {
        match location {
            Location::Source(path) => path.under(&self.source),
            Location::Build(path) => path.under(&self.build),
            Location::System(path) => path.as_path().to_owned(),
        }
    }

    /// How a location is written in keys: the same wherever roots and movable folders lie.
    pub(crate) fn symbolic(&self, location: &Location) -> String {
        if let Location::System(path) = location {
            for Movable { scheme, folder, real } in &self.movable {
                let rest =
                    [folder, real].iter().find_map(|at| path.as_path().strip_prefix(at).ok());
                match rest.and_then(Path::to_str) {
                    Some("") => return format!("{scheme}:."),
                    Some(rest) => return format!("{scheme}:{rest}"),
                    None => {}
                }
            }
        }
        location.symbolic()
    }

    /// The location that [`Roots::symbolic`] wrote, as of this build; none if it has no such folder.
    pub(crate) fn parse_symbolic(&self, text: &str) -> Option<Location> {
        let Some((scheme, rest)) = text.strip_prefix("in ").and(text.split_once(':')) else {
            return Location::from_symbolic(text);
        };
        let movable = self.movable.iter().find(|movable| movable.scheme == scheme)?;
        SystemPath::new(movable.folder.join(rest)).ok().map(Location::System)
    }

    /// The path as a process that runs in the source root is told it: relative where that's possible.
    pub(crate) fn spell(&self, location: &Location) -> OsString {
        let nested = match (location, &self.nested_build) {
            (Location::Source(path), _) => Some(path.clone()),
            (Location::Build(path), Some(build)) => build.join(path.as_str()).ok(),
            _ => None,
        };
        match nested {
            // Never an option or a response file.
            Some(path) if path.as_str().starts_with(['-', '@']) => format!("./{path}").into(),
            Some(path) => path.as_str().into(),
            None => self.path(location).into(),
        }
    }

    /// A root as [`crate::Piece::Root`] renders it.
    pub(crate) fn spell_root(&self, root: Root) -> OsString {
        match root {
            Root::Source => self.source.clone().into(),
            Root::Build => self.spell(&Location::Build(RelPath::root())),
        }
    }

    /// The location of a file that a process running in the source root called `spelled`.
    pub(crate) fn locate(&self, spelled: &str) -> Result<Location, PathError> {
        let path = without_dots(&self.source.join(spelled));
        let roots = [
            (&self.build, Root::Build),
            (&self.real_build, Root::Build),
            (&self.source, Root::Source),
            (&self.real_source, Root::Source),
        ];
        // The deeper root first, whichever contains the other.
        let mut best: Option<(usize, Location)> = None;
        for (folder, root) in roots {
            let Ok(rest) = path.strip_prefix(folder) else { continue };
            let Some(rest) = rest.to_str().filter(|rest| !rest.is_empty()) else { continue };
            let depth = folder.components().count();
            if best.as_ref().is_none_or(|(deepest, _)| depth > *deepest) {
                let rest = RelPath::new(rest)?;
                let location = match root {
                    Root::Source => Location::Source(rest),
                    Root::Build => Location::Build(rest),
                };
                best = Some((depth, location));
            }
        }
        match best {
            Some((_, location)) => Ok(location),
            None => Ok(Location::System(SystemPath::new(&path)?)),
        }
    }
}

/// `path` without `.` and `..`. Beyond a symbolic link `a/..` isn't what it says, so the shorter path is taken only
/// if it names the same file.
fn without_dots(path: &Path) -> PathBuf {
    let mut short = PathBuf::new();
    let mut climbed = false;
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                climbed = true;
                short.pop();
            }
            component => short.push(component),
        }
    }
    if !climbed {
        return short;
    }
    let identity = |path: &Path| -> io::Result<_> {
        let metadata = path.metadata()?;
        Ok((metadata.dev(), metadata.ino()))
    };
    match (identity(path), identity(&short)) {
        (Ok(long), Ok(direct)) if long == direct => short,
        (Err(_), Err(_)) => short,
        _ => path.canonicalize().unwrap_or(short),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn build(path: &str) -> Location {
        Location::Build(RelPath::new(path).unwrap())
    }

    fn source(path: &str) -> Location {
        Location::Source(RelPath::new(path).unwrap())
    }

    #[test]
    fn nested_build_root() {
        let folder = tempfile::tempdir().unwrap();
        let roots =
            Roots::new(folder.path(), &folder.path().join("out"), &BTreeMap::new()).unwrap();
        assert_eq!(roots.spell(&build("a.o")), "out/a.o");
        assert_eq!(roots.spell(&source("src/a.c")), "src/a.c");
        assert_eq!(roots.spell(&source("-a.c")), "./-a.c");
        assert_eq!(roots.spell_root(Root::Build), "out");
        assert_eq!(roots.locate("out/a.h").unwrap(), build("a.h"));
        assert_eq!(roots.locate("./src/../inc/a.h").unwrap(), source("inc/a.h"));
        assert_eq!(roots.locate("/usr/include/x.h").unwrap().to_string(), "/usr/include/x.h");
    }

    #[test]
    fn separate_build_root() {
        let (tree, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let roots = Roots::new(tree.path(), out.path(), &BTreeMap::new()).unwrap();
        let object = out.path().join("a.o");
        assert_eq!(roots.spell(&build("a.o")), object);
        assert_eq!(roots.spell_root(Root::Build), out.path());
        assert_eq!(roots.locate(object.to_str().unwrap()).unwrap(), build("a.o"));
    }

    #[test]
    fn movable_folders() {
        let folder = tempfile::tempdir().unwrap();
        let of = |environment: &str| {
            let movable = [("env:1".to_owned(), PathBuf::from(environment))].into();
            Roots::new(folder.path(), &folder.path().join("out"), &movable).unwrap()
        };
        let header = |path: &str| Location::System(SystemPath::new(path).unwrap());
        let (one, two) = (of("/env/one"), of("/env/two"));
        let symbolic = one.symbolic(&header("/env/one/include/x.h"));
        assert_eq!(symbolic, "in env%3A1:include/x.h");
        assert_eq!(two.parse_symbolic(&symbolic), Some(header("/env/two/include/x.h")));
        assert_eq!(one.symbolic(&header("/env/one")), "in env%3A1:.");
        assert_eq!(two.parse_symbolic("in env%3A1:."), Some(header("/env/two")));
        assert_eq!(two.parse_symbolic("in other:x"), None);
        assert_eq!(one.symbolic(&header("/env/oneself")), "system:/env/oneself");
        assert_eq!(one.parse_symbolic("system:/env/oneself"), Some(header("/env/oneself")));
    }

    #[test]
    fn links_are_not_climbed_lexically() {
        let folder = tempfile::tempdir().unwrap();
        let tree = folder.path().join("tree");
        std::fs::create_dir_all(tree.join("real/deep")).unwrap();
        std::fs::write(tree.join("real/x.h"), "").unwrap();
        std::os::unix::fs::symlink("real/deep", tree.join("link")).unwrap();
        let roots = Roots::new(&tree, &tree.join("out"), &BTreeMap::new()).unwrap();
        assert_eq!(roots.locate("link/../x.h").unwrap(), source("real/x.h"));
    }
}
