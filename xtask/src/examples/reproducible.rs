//! The same sources give the same bytes, whoever builds them, wherever and whenever.
//!
//! This is what reprotest does, without what it needs to be installed: two builds differ in all that
//! must not matter ([`Circumstances`]), and begin with empty caches.

use std::cmp::Ordering;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result};
use walkdir::WalkDir;

use crate::checks::Checks;
use crate::python::{Python, Venv};
use crate::workspace::{Workspace, run_quietly};

/// The user and group `nobody`, on most systems. Only that it is another one matters.
const OTHER_USER: u32 = 65534;

/// The time of members if nothing else is asked for, and one that is asked for.
const DEFAULT_TIME: u64 = 315_532_800;
const CHOSEN_TIME: u64 = 1_700_000_000;

/// A file system in memory lists files in an order that follows that of their creation.
const IN_MEMORY: &str = "/dev/shm";

/// All that may not change what is built.
struct Circumstances {
    folder: &'static str,
    /// Whether [`OTHER_USER`] builds and owns the sources.
    by_another: bool,
    umask: u32,
    variables: &'static [(&'static str, &'static str)],
    jobs: &'static str,
    /// When the sources were changed last, in seconds since 1970.
    changed: u64,
    /// Whether files are made in the order of their names, or in the reverse one.
    order: fn(&OsString, &OsString) -> Ordering,
}

const HERE: Circumstances = Circumstances {
    folder: "a",
    by_another: false,
    umask: 0o022,
    variables: &[("TZ", "UTC"), ("LANG", "C"), ("LC_ALL", "C"), ("USER", "root")],
    jobs: "1",
    changed: 1_000_000_000,
    order: Ord::cmp,
};

const ELSEWHERE: Circumstances = Circumstances {
    folder: "quite another/folder, with a longer name/à côté",
    by_another: true,
    umask: 0o077,
    variables: &[
        ("TZ", "ELSE-14"),
        ("LANG", "tr_TR.UTF-8"),
        ("LC_ALL", "C.UTF-8"),
        ("USER", "nobody"),
        ("CAPTURED", "by whoever looks at all variables"),
    ],
    jobs: "4",
    changed: 2_000_000_000,
    order: |one, other| other.cmp(one),
};

/// A build that was made.
struct Built {
    wheel: PathBuf,
    sdist: PathBuf,
}

/// Builds an example by the program in `ekiben` in both circumstances, with and without
/// `SOURCE_DATE_EPOCH`.
pub(super) fn test(
    workspace: &Workspace,
    checks: &Checks<'_>,
    ekiben: &Venv,
    name: &str,
    python: &Python,
) -> Result<()> {
    let root = tempfile::tempdir_in(IN_MEMORY).or_else(|_| tempfile::tempdir())?;
    let bench = Bench {
        source: workspace.path(&format!("examples/{name}")),
        program: ekiben.path("ekiben"),
        python,
        root: root.path(),
        has_another: can_be_another(),
    };
    let once = |time| -> Result<Built> {
        let here = bench.build(&HERE, time)?;
        let elsewhere = bench.build(&ELSEWHERE, time)?;
        checks.same(&here.wheel, &elsewhere.wheel)?;
        checks.same(&here.sdist, &elsewhere.sdist)?;
        Ok(here)
    };
    let plain = once(None)?;
    let dated = once(Some(CHOSEN_TIME))?;
    for (plain, dated) in [(&plain.wheel, &dated.wheel), (&plain.sdist, &dated.sdist)] {
        checks.same_but_for_time((plain, DEFAULT_TIME), (dated, CHOSEN_TIME))?;
    }
    let user = if bench.has_another { "users" } else { "(the user must be root for others)" };
    let order = if bench.order_differs()? { ", orders of files" } else { "" };
    println!(
        "examples/{name}: the same bytes in folders, {user}, umasks, zones, languages, times of \
         files{order} and numbers of jobs that differ"
    );
    Ok(())
}

struct Bench<'a> {
    source: PathBuf,
    program: PathBuf,
    python: &'a Python,
    root: &'a Path,
    has_another: bool,
}

impl Bench<'_> {
    fn build(&self, circumstances: &Circumstances, time: Option<u64>) -> Result<Built> {
        let folder = self.folder(circumstances, time);
        let project = folder.join("project");
        self.lay_out(circumstances, &project)?;
        let (home, out) = (folder.join("home"), folder.join("out"));
        for made in [&home, &out] {
            fs::create_dir(made).with_context(|| format!("`{}`", made.display()))?;
            self.give(circumstances, made)?;
        }
        let mut build = Command::new("sh");
        build.args(["-c", "umask \"$1\" && shift && exec \"$@\"", "sh"]);
        build.arg(format!("{:03o}", circumstances.umask));
        if circumstances.by_another && self.has_another {
            build.args(become_another());
        }
        build.arg(&self.program).args(["build", "--wheel", "--sdist", "--quiet"]);
        build.args(["--jobs", circumstances.jobs, "--python"]).arg(self.python.path());
        build.arg("--out-dir").arg(&out).arg(&project).current_dir(&folder);
        for variable in ["EKIBEN_ARGS", "EKIBEN_CACHE_DIR", "SOURCE_DATE_EPOCH", "XDG_CACHE_HOME"] {
            build.env_remove(variable);
        }
        build.env("HOME", &home).envs(circumstances.variables.iter().copied());
        build.envs(time.map(|time| ("SOURCE_DATE_EPOCH", time.to_string())));
        run_quietly(&mut build)?;
        Ok(Built { wheel: made(&out, ".whl")?, sdist: made(&out, ".tar.gz")? })
    }

    fn folder(&self, circumstances: &Circumstances, time: Option<u64>) -> PathBuf {
        let time = time.map_or_else(|| "no-time".to_owned(), |time| time.to_string());
        self.root.join(circumstances.folder).join(time)
    }

    /// Copies the sources as the circumstances want them.
    fn lay_out(&self, circumstances: &Circumstances, project: &Path) -> Result<()> {
        let parent = project.parent().context("a folder without a parent")?;
        fs::create_dir_all(parent).with_context(|| format!("`{}`", parent.display()))?;
        let order = circumstances.order;
        let sources = WalkDir::new(&self.source)
            .sort_by(move |one, other| order(&one.file_name().into(), &other.file_name().into()));
        for source in sources {
            let source = source?;
            let target = project.join(source.path().strip_prefix(&self.source)?);
            let made = if source.file_type().is_dir() {
                fs::create_dir(&target)
            } else {
                fs::copy(source.path(), &target).map(drop)
            };
            made.with_context(|| format!("`{}` can't be made", target.display()))?;
            let mode = fs::metadata(&target)?.permissions().mode() & !circumstances.umask;
            fs::set_permissions(&target, fs::Permissions::from_mode(mode))?;
            if source.file_type().is_file() {
                let changed = SystemTime::UNIX_EPOCH + Duration::from_secs(circumstances.changed);
                fs::File::options().write(true).open(&target)?.set_modified(changed)?;
            }
            self.give(circumstances, &target)?;
        }
        Ok(())
    }

    /// Makes a file theirs who build.
    fn give(&self, circumstances: &Circumstances, path: &Path) -> Result<()> {
        if circumstances.by_another && self.has_another {
            chown(path, Some(OTHER_USER), Some(OTHER_USER))
                .with_context(|| format!("`{}` can't be given away", path.display()))?;
        }
        Ok(())
    }

    /// Whether the two projects' folders really list their files in different orders.
    fn order_differs(&self) -> Result<bool> {
        let listed = |circumstances| -> Result<Vec<OsString>> {
            let project = self.folder(circumstances, None).join("project");
            let entries = fs::read_dir(project)?;
            Ok(entries.flatten().map(|entry| entry.file_name()).collect())
        };
        Ok(listed(&HERE)? != listed(&ELSEWHERE)?)
    }
}

/// The start of a command line that another user runs. The one capability that is kept opens the
/// folders of others, since interpreters and this checkout may lie in a home folder.
fn become_another() -> [String; 6] {
    [
        "setpriv".to_owned(),
        format!("--reuid={OTHER_USER}"),
        format!("--regid={OTHER_USER}"),
        "--clear-groups".to_owned(),
        "--inh-caps=+dac_override".to_owned(),
        "--ambient-caps=+dac_override".to_owned(),
    ]
}

/// Only root can, and only where `setpriv` is.
fn can_be_another() -> bool {
    let [setpriv, arguments @ ..] = become_another();
    let status = Command::new(setpriv).args(arguments).arg("true").output();
    status.is_ok_and(|output| output.status.success())
}

fn made(folder: &Path, suffix: &str) -> Result<PathBuf> {
    let names = fs::read_dir(folder)?.flatten().map(|entry| entry.path());
    let mut found = names.filter(|path| path.to_string_lossy().ends_with(suffix));
    found.next().with_context(|| format!("no `*{suffix}` in `{}`", folder.display()))
}
