//! Programs with compiled code out of wheels, which they load from memory.

use anyhow::{Context as _, Result};

use super::{Bench, LOCALES, opened, scripts};
use crate::python::Site;
use crate::workspace::Workspace;

/// Makes and tests the programs in `tests/executables/wheels`.
pub(super) fn test(bench: &Bench<'_>, workspace: &Workspace) -> Result<()> {
    let site = Site::make(workspace, "memory", bench.version)?.packages;
    for script in scripts(&bench.scripts.join("wheels"))? {
        let programs = bench.programs(&script, &["dynamic"], Some(&site))?;
        bench
            .compare(&script, &programs, &bench.python, Some(&site), &LOCALES[..1])
            .with_context(|| format!("`{}`", script.display()))?;
    }
    opened::test_wheels(bench, &site)
}
