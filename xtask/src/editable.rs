//! Editable installs of `tests/editable` by pip and uv, in environments of the oldest and the newest
//! Python that are found. All share one checkout, as they do on a developer's machine.
//!
//! Front ends isolate builds, so by the time that something is imported, the environment that held
//! Ekiben and Cython is gone.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};

use crate::examples::copy_into;
use crate::frontend::{Frontend, Frontends, Isolation};
use crate::python::{Python, Venv};
use crate::workspace::{Workspace, copy_folder, output_of, run_quietly};

/// The front ends that install.
const INSTALLERS: [Frontend; 2] = [Frontend::Pip, Frontend::Uv];

/// The setting for the second half of the tests.
const REBUILD: &str = "editable.rebuild=true";

/// What an environment needs for builds that aren't isolated.
const BUILD_REQUIRES: [&str; 2] = ["ekiben", "Cython"];

/// Prints what the package makes of all its sources.
const COUNT: &str = "import tally; print(tally.count())";

/// Prints what was imported when Python started.
const STARTED: &str = "import sys; print(sorted(sys.modules))";

/// Prints the metadata of an editable install.
const METADATA: &str = "\
import importlib.metadata as m, json
d = m.distribution('tally')
url = json.loads(d.read_text('direct_url.json'))
scripts = [(e.name, e.value) for e in d.entry_points if e.group == 'console_scripts']
print(d.version, scripts, url['dir_info'], url['url'].startswith('file://'))";

/// Edits of sources, with what the package makes of them together.
const EDITS: [(&str, &str, &str, &str); 3] = [
    ("native/scale.h", "FACTOR 10", "FACTOR 200", "401"),
    ("native/scale.c", "value * FACTOR", "value * FACTOR + 5000", "5401"),
    ("src/tally/_count.pyx", "scale(2) + 1", "scale(2) + 20", "5420"),
];

/// Runs all tests with Ekiben's wheel.
pub(crate) fn test(workspace: &Workspace, ekiben: &Path) -> Result<()> {
    let pythons = Python::find_all();
    let (Some(oldest), Some(newest)) = (pythons.first(), pythons.last()) else {
        bail!("no Python with headers and venv is found");
    };
    let work = tempfile::tempdir()?;
    let checkout = Checkout::new(workspace, ekiben, work.path())?;
    let mut plain = Vec::new();
    for (python, installer) in [oldest, newest].into_iter().zip(INSTALLERS) {
        let installed = checkout.install(workspace, python, installer, Isolation::Full, &[])?;
        installed.test_plain().with_context(|| installed.name.clone())?;
        println!("editable: {}: imports, metadata, nothing at start", installed.name);
        plain.push(installed);
    }
    ensure_modules(&checkout.project, if oldest.path() == newest.path() { 1 } else { 2 })?;
    for installed in plain {
        installed.test_uninstall().with_context(|| installed.name.clone())?;
    }
    for python in [oldest, newest] {
        for (installer, isolation) in [
            (Frontend::Pip, Isolation::Full),
            (Frontend::Uv, Isolation::Full),
            (Frontend::Pip, Isolation::None),
        ] {
            let installed =
                checkout.install(workspace, python, installer, isolation, &[REBUILD])?;
            if isolation == Isolation::Full {
                checkout.ensure_offered(&installed).with_context(|| installed.name.clone())?;
            }
            installed.test_rebuild().with_context(|| installed.name.clone())?;
            println!("editable: {}: changes of all kinds rebuild on import", installed.name);
        }
    }
    Ok(())
}

/// The project's folder, and what it is installed with.
struct Checkout {
    project: PathBuf,
    wheels: PathBuf,
    work: PathBuf,
}

impl Checkout {
    fn new(workspace: &Workspace, ekiben: &Path, work: &Path) -> Result<Self> {
        let project = work.join("tally");
        copy_folder(&workspace.path("tests/editable"), &project)?;
        let wheels = work.join("wheels");
        copy_into(ekiben, &wheels)?;
        for wheel in build_requirements(workspace)? {
            copy_into(&wheel, &wheels)?;
        }
        Ok(Self { project, wheels, work: work.to_owned() })
    }

    fn install(
        &self,
        workspace: &Workspace,
        python: &Python,
        installer: Frontend,
        isolation: Isolation,
        settings: &[&str],
    ) -> Result<Installed> {
        let name = format!("{installer}, {python}, {isolation}, {settings:?}");
        let frontends = Frontends::new(workspace, python, &self.wheels)?;
        let root = tempfile::tempdir_in(&self.work)?.keep();
        let venv = python.make_bare_venv(&root.join("venv"))?;
        let started = started_with_a_plain_file(&venv)?;
        // A cache of its own, so that what one install keeps is no help to the next.
        let cache = root.join("cache");
        if isolation == Isolation::None {
            frontends.install_named(&venv, &BUILD_REQUIRES)?;
        }
        frontends
            .install_editable(installer, &self.project, isolation, settings, &venv, &cache)
            .with_context(|| name.clone())?;
        let project = self.project.clone();
        Ok(Installed { name, frontends, venv, started, project, elsewhere: root })
    }

    /// Fails if a build had something else than the wheels that were offered.
    fn ensure_offered(&self, installed: &Installed) -> Result<()> {
        let offered: Vec<String> = files_that_end_in(&self.wheels, ".whl")?
            .iter()
            .filter_map(|wheel| wheel.file_name().map(|name| name.to_string_lossy().to_lowercase()))
            .collect();
        let kept = installed.elsewhere.join("cache/ekiben/kept");
        let mut seen = 0;
        for entry in walkdir::WalkDir::new(&kept) {
            let name = entry?.file_name().to_string_lossy().to_lowercase();
            if let Some(release) = name.strip_suffix(".dist-info") {
                seen += 1;
                let is_offered = offered.iter().any(|it| it.starts_with(&format!("{release}-")));
                ensure!(is_offered, "built with {release}, of {offered:?}");
            }
        }
        ensure!(seen > 0, "nothing is kept in `{}`", kept.display());
        Ok(())
    }
}

/// What Python imports at its start if there is a `.pth` file: old versions need more to read it.
fn started_with_a_plain_file(venv: &Venv) -> Result<String> {
    let site = "import sysconfig; print(sysconfig.get_path('purelib'))";
    let site = output_of(venv.program("python").args(["-c", site]))?;
    let file = Path::new(&site).join("plain.pth");
    fs::write(&file, "# nothing\n").with_context(|| format!("`{}`", file.display()))?;
    let started = output_of(venv.program("python").args(["-c", STARTED]))?;
    fs::remove_file(&file).with_context(|| format!("`{}`", file.display()))?;
    Ok(started)
}

/// The wheels that builds need besides Ekiben, fetched the first time.
fn build_requirements(workspace: &Workspace) -> Result<Vec<PathBuf>> {
    let pins = workspace.path("tests/editable/build-requires.txt");
    let wanted = fs::read_to_string(&pins).with_context(|| format!("`{}`", pins.display()))?;
    let folder = workspace.target().join("editable-wheels");
    let stamp = folder.join("build-requires.txt");
    if !fs::read_to_string(&stamp).is_ok_and(|present| present == wanted) {
        if folder.exists() {
            fs::remove_dir_all(&folder).with_context(|| format!("`{}`", folder.display()))?;
        }
        let tools = Python::find()?.tools(workspace, "frontends")?;
        let mut download = tools.program("python");
        download.args(["-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]);
        download.args(["--only-binary", ":all:", "--dest"]).arg(&folder).arg("-r").arg(&pins);
        run_quietly(&mut download)?;
        fs::write(&stamp, wanted).with_context(|| format!("`{}`", stamp.display()))?;
    }
    files_that_end_in(&folder, ".whl")
}

/// An environment with an editable install.
struct Installed {
    name: String,
    frontends: Frontends,
    venv: Venv,
    /// What Python imports at its start with a `.pth` file of nothing.
    started: String,
    project: PathBuf,
    /// A folder from which nothing of the project is found by accident.
    elsewhere: PathBuf,
}

impl Installed {
    fn python(&self, code: &str) -> Command {
        let mut python = self.venv.program("python");
        python.args(["-c", code]).current_dir(&self.elsewhere);
        // Bytecode counts as fresh if the source has the same second and size.
        python.env("PYTHONDONTWRITEBYTECODE", "1").env_remove("EKIBEN_REBUILD");
        python
    }

    fn expect(&self, code: &str, expected: &str) -> Result<()> {
        let printed = output_of(&mut self.python(code))?;
        ensure!(printed == expected, "{code}\nprinted {printed}\ninstead of {expected}");
        Ok(())
    }

    fn test_plain(&self) -> Result<()> {
        self.expect(COUNT, "21")?;
        self.expect(STARTED, &self.started)?;
        self.expect(METADATA, "1.2 [('tally', 'tally.plain:main')] {'editable': True} True")?;
        let printed = output_of(self.venv.program("tally").env("PYTHONDONTWRITEBYTECODE", "1"))?;
        ensure!(printed == "first", "the script printed {printed}");
        let undo = Edit::make(&self.project, "src/tally/plain.py", "first", "second")?;
        self.expect("import tally.plain; print(tally.plain.WORD)", "second")?;
        undo.undo()
    }

    fn test_uninstall(&self) -> Result<()> {
        self.frontends.uninstall(&self.venv, "tally")?;
        let is_there = "import importlib.util as u; print(u.find_spec('tally'))";
        self.expect(is_there, "None")
    }

    fn test_rebuild(&self) -> Result<()> {
        self.expect(COUNT, "21")?;
        // What the front end's environment held is found elsewhere, and is the same.
        let inputs = self.project.join("build/ekiben/editable");
        for file in files_that_end_in(&inputs, ".inputs")? {
            fs::remove_file(&file).with_context(|| format!("`{}`", file.display()))?;
        }
        self.expect(COUNT, "21")?;
        self.ensure_nothing_ran()?;
        let mut undone = Vec::new();
        for (path, old, new, expected) in EDITS {
            undone.push(Edit::make(&self.project, path, old, new)?);
            self.expect(COUNT, expected).with_context(|| format!("after an edit of {path}"))?;
        }
        let mistake = Edit::make(&self.project, "native/scale.c", "return", "retrun")?;
        let output = self.python(COUNT).output()?;
        let errors = String::from_utf8_lossy(&output.stderr);
        for expected in ["native/scale.c:3:", "retrun", "ImportError: `tally` has changed"] {
            ensure!(errors.contains(expected), "no `{expected}` in:\n{errors}");
        }
        ensure!(!output.status.success() && output.stdout.is_empty(), "{output:?}");
        mistake.undo()?;
        self.expect(COUNT, "5420")?;
        undone.into_iter().rev().try_for_each(Edit::undo)?;
        self.expect(COUNT, "21")
    }

    /// Fails if the last build started a compiler.
    fn ensure_nothing_ran(&self) -> Result<()> {
        let log = self.project.join("build/ekiben/build.log");
        let text = fs::read_to_string(&log).with_context(|| format!("`{}`", log.display()))?;
        let ran: Vec<&str> = text.lines().filter(|line| is_of_a_tool(line)).collect();
        ensure!(ran.is_empty(), "these ran again:\n{}\n\n{text}", ran.join("\n"));
        ensure!(text.contains("pep517"), "the log is of no build on import:\n{text}");
        Ok(())
    }
}

/// Whether a line of a log says that a translation, a compilation or a link was started.
fn is_of_a_tool(line: &str) -> bool {
    let did = line.strip_prefix("start ");
    did.is_some_and(|did| ["translate ", "compile ", "link "].iter().any(|it| did.starts_with(it)))
}

/// A change of a file, and the way back.
struct Edit {
    path: PathBuf,
    before: String,
}

impl Edit {
    fn make(project: &Path, path: &str, old: &str, new: &str) -> Result<Self> {
        let path = project.join(path);
        let before = fs::read_to_string(&path).with_context(|| format!("`{}`", path.display()))?;
        ensure!(before.contains(old), "no `{old}` in `{}`", path.display());
        fs::write(&path, before.replace(old, new))?;
        Ok(Self { path, before })
    }

    fn undo(self) -> Result<()> {
        fs::write(&self.path, &self.before).with_context(|| format!("`{}`", self.path.display()))
    }
}

fn ensure_modules(project: &Path, expected: usize) -> Result<()> {
    let found = files_that_end_in(&project.join("src/tally"), ".so")?;
    ensure!(found.len() == expected, "{expected} modules were expected: {found:?}");
    Ok(())
}

fn files_that_end_in(folder: &Path, suffix: &str) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("`{}`", folder.display()))? {
        let path = entry?.path();
        if path.to_string_lossy().ends_with(suffix) {
            found.push(path);
        }
    }
    Ok(found)
}
