//! Sets of patterns, and which one of them a file meets.

use globset::{GlobSet, GlobSetBuilder};

use crate::values::{Glob, ProjectPath};

/// Patterns in the order in which they are written.
pub(crate) struct Patterns<'g> {
    globs: &'g [Glob],
    set: GlobSet,
}

impl<'g> Patterns<'g> {
    pub(crate) fn new(globs: &'g [Glob]) -> Self {
        let mut builder = GlobSetBuilder::new();
        for glob in globs {
            // A `Glob` compiled once, when it was read.
            if let Ok((_, glob)) = glob.clone().compile() {
                builder.add(glob);
            }
        }
        Self { globs, set: builder.build().unwrap_or_default() }
    }

    /// The first pattern that the file itself meets.
    pub(crate) fn of_file(&self, path: &ProjectPath) -> Option<(usize, &'g Glob)> {
        let at = self.set.matches(path.as_str()).into_iter().min()?;
        Some((at, &self.globs[at]))
    }

    /// The first pattern that the file or a folder above it meets: `tests` stands for what is in
    /// the folder `tests`.
    pub(crate) fn of_path(&self, path: &ProjectPath) -> Option<(usize, &'g Glob)> {
        if self.globs.is_empty() {
            return None;
        }
        let text = path.as_str();
        let ends = text.match_indices('/').map(|(at, _)| at).chain([text.len()]);
        let at = ends.flat_map(|end| self.set.matches(&text[..end])).min()?;
        Some((at, &self.globs[at]))
    }
}
