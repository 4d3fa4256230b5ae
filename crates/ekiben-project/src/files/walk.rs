//! Walks the project's folder.
//!
//! Leaves out, whole folders at a time, what is never part of a project: version control,
//! environments, caches, what builds leave behind. Links are followed inside the project. A link
//! that leads out, or to nothing, is kept as a [`Trouble`], and is an error only if some rule
//! selects it.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::ProjectError;
use crate::settings::BuildDir;
use crate::values::ProjectPath;

/// Folders of version control.
const VCS_DIRS: &[&str] = &[".git", ".hg", ".svn", ".bzr", ".jj", "_darcs", "CVS"];

/// Other folders that are left out wherever they are.
const PRUNED_DIRS: &[&str] = &[
    "__pycache__",
    ".venv",
    ".tox",
    ".nox",
    ".eggs",
    "node_modules",
    ".mypy_cache",
    ".pytest_cache",
    ".ruff_cache",
    ".hypothesis",
    ".idea",
    ".vscode",
    ".ipynb_checkpoints",
    ".Spotlight-V100",
    ".Trashes",
];

/// Files that are left out wherever they are.
const PRUNED_FILES: &[&str] = &["Thumbs.db", "ehthumbs.db", "desktop.ini", ".coverage"];

/// What is wrong with a file that can be listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// A link that leads out of the project.
    LeadsOut(PathBuf),
    /// A link to nothing.
    Dangling,
    /// A link to a folder that it lies in itself.
    Loop,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Walked {
    pub(crate) path: ProjectPath,
    pub(crate) trouble: Option<Trouble>,
}

/// The files of a folder, sorted by path.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tree {
    pub(crate) files: Vec<Walked>,
    /// Paths that can't be in an archive: not UTF-8, or with a control character or backslash.
    pub(crate) unusable: Vec<PathBuf>,
}

impl Tree {
    /// Walks the project at `root`, leaving out `build_dir` and a top-level `dist`.
    pub(crate) fn walk(root: &Path, build_dir: &ProjectPath) -> Result<Self, ProjectError> {
        Self::walk_with(root, Some(build_dir))
    }

    /// Walks the project at `root` and leaves out version control only.
    pub(crate) fn walk_all(root: &Path) -> Result<Self, ProjectError> {
        Self::walk_with(root, None)
    }

    fn walk_with(root: &Path, build_dir: Option<&ProjectPath>) -> Result<Self, ProjectError> {
        // The folder of a plain `pyproject.toml` is the current one.
        let root = if root.as_os_str().is_empty() { Path::new(".") } else { root };
        let canonical = fs::canonicalize(root).map_err(|e| ProjectError::read(root, e))?;
        let above = vec![canonical.clone()];
        let tree = Self::default();
        let mut walker = Walker { root, canonical: &canonical, build_dir, tree, above };
        walker.dir(root)?;
        let mut tree = walker.tree;
        tree.files.sort_by(|a, b| a.path.cmp(&b.path));
        tree.unusable.sort();
        Ok(tree)
    }

    pub(crate) fn get(&self, path: &ProjectPath) -> Option<&Walked> {
        let at = self.files.binary_search_by(|file| file.path.cmp(path)).ok()?;
        self.files.get(at)
    }

    pub(crate) fn contains(&self, path: &ProjectPath) -> bool {
        self.get(path).is_some()
    }

    /// The files below a folder.
    pub(crate) fn below<'t>(
        &'t self,
        dir: &'t ProjectPath,
    ) -> impl Iterator<Item = (&'t Walked, &'t str)> {
        self.files.iter().filter_map(|file| Some((file, file.path.strip_folder(dir)?)))
    }
}

struct Walker<'w> {
    root: &'w Path,
    canonical: &'w Path,
    /// `None` to see everything but version control.
    build_dir: Option<&'w ProjectPath>,
    tree: Tree,
    /// The real paths of the folders that are being walked, to notice loops.
    above: Vec<PathBuf>,
}

impl Walker<'_> {
    /// The real path of the folder that is being walked.
    fn here(&self) -> &Path {
        self.above.last().map_or(self.canonical, PathBuf::as_path)
    }

    fn dir(&mut self, dir: &Path) -> Result<(), ProjectError> {
        for entry in fs::read_dir(dir).map_err(|e| ProjectError::read(dir, e))? {
            let entry = entry.map_err(|e| ProjectError::read(dir, e))?;
            let kind = entry.file_type().map_err(|e| ProjectError::read(&entry.path(), e))?;
            self.entry(&entry.path(), kind)?;
        }
        Ok(())
    }

    fn entry(&mut self, path: &Path, kind: fs::FileType) -> Result<(), ProjectError> {
        let relative = path.strip_prefix(self.root).unwrap_or(path);
        let Some(at) = ProjectPath::from_relative(relative) else {
            self.tree.unusable.push(relative.to_owned());
            return Ok(());
        };
        if kind.is_symlink() {
            return self.link(path, at);
        }
        if kind.is_dir() {
            if !self.prunes_dir(path, &at) {
                self.above.push(self.here().join(at.file_name()));
                self.dir(path)?;
                self.above.pop();
            }
        } else if kind.is_file() && !self.prunes_name(&at) && !self.prunes_file(&at) {
            self.tree.files.push(Walked { path: at, trouble: None });
        }
        Ok(())
    }

    fn link(&mut self, path: &Path, at: ProjectPath) -> Result<(), ProjectError> {
        if self.prunes_name(&at) || self.prunes_file(&at) {
            return Ok(());
        }
        let trouble = match fs::canonicalize(path) {
            Err(_) => Trouble::Dangling,
            Ok(target) if !target.starts_with(self.canonical) => Trouble::LeadsOut(target),
            Ok(target) if self.above.contains(&target) => Trouble::Loop,
            Ok(target) if target.is_dir() => {
                if !self.prunes_dir(path, &at) {
                    self.above.push(target);
                    self.dir(path)?;
                    self.above.pop();
                }
                return Ok(());
            }
            Ok(_) => {
                self.tree.files.push(Walked { path: at, trouble: None });
                return Ok(());
            }
        };
        self.tree.files.push(Walked { path: at, trouble: Some(trouble) });
        Ok(())
    }

    /// Whether a folder of this name, or whatever stands in for one (a link, the file `.git` of a
    /// worktree), is left out.
    fn prunes_name(&self, at: &ProjectPath) -> bool {
        let name = at.file_name();
        if VCS_DIRS.contains(&name) {
            return true;
        }
        let Some(build_dir) = self.build_dir else { return false };
        PRUNED_DIRS.contains(&name)
            || name.ends_with(".egg-info")
            || at == build_dir
            || *at == BuildDir::default().0
            || at.as_str() == "dist"
    }

    fn prunes_dir(&self, dir: &Path, at: &ProjectPath) -> bool {
        let is_environment = || dir.join("pyvenv.cfg").is_file();
        self.prunes_name(at) || (self.build_dir.is_some() && is_environment())
    }

    fn prunes_file(&self, at: &ProjectPath) -> bool {
        let name = at.file_name();
        self.build_dir.is_some()
            && (PRUNED_FILES.contains(&name)
                || matches!(at.extension(), Some("pyc" | "pyo" | "swp" | "swo" | "orig" | "rej"))
                || name.ends_with('~')
                || name.starts_with(".#")
                // What macOS keeps beside files.
                || name.starts_with("._")
                || name.starts_with(".DS_Store")
                // What a build that was killed while it placed a file leaves behind.
                || name.starts_with(".ekiben-"))
    }
}
