//! `ekiben static check`: a program with a static wheel and all that it depends on, run.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::{Command, Stdio};

use ekiben_archive::normalize_name;
use ekiben_core::{Cause, Problem, Problems};
use ekiben_engine::{Cache, CacheLimits};
use ekiben_freeze::program::{Base, Flavour, Installer, Link, Links, Request, Sources, Target};
use ekiben_freeze::runtime::Store as Runtimes;
use ekiben_static::{Manifest, Progress};
use serde_json::json;

use super::store;
use crate::cli::{Global, StaticCheck};
use crate::commands::End;
use crate::commands::build::print;
use crate::commands::ending::{Stop, say};
use crate::commands::stopped::Stopped;
use crate::environment;
use crate::statics::{self, Failed, Statics};

/// Imports modules, which are named in lines before it, as is what is installed. A module may be for those
/// who have more installed than the package requires, as its tests are.
const IMPORTS: &str = "\
import importlib
failed, imported = False, False
for name in MODULES:
    try:
        importlib.import_module(name)
    except Exception as error:
        other = isinstance(error, ModuleNotFoundError) and (error.name or '').partition('.')[0]
        if other and other not in INSTALLED:
            print(f'{name}: not tried, for it needs {other}, which the package does not require')
        else:
            failed = True
            print(f'{name}: {type(error).__name__}: {error}')
    else:
        imported = True
        print(f'{name}: imported')
raise SystemExit(failed or not imported)
";

pub(super) fn checked(check: &StaticCheck, global: &Global) -> Result<End, Stop> {
    let cache = environment::cache_dir(global)?;
    let runtimes = Runtimes::new(&cache);
    let runtime = runtimes.find(check.runtime.as_deref());
    let runtime = runtime.map_err(|error| crate::commands::runtime::problems(&error))?;
    let stopped = Stopped::watch()?;
    let say = say(global);
    let stop = || stopped.is_set();
    let mut request = statics::request(&runtime, &check.package)?;
    request.settings.clone_from(&check.config_settings);
    let wheel = store(global)?.build(&request, Progress { step: &say, stop: Some(&stop) })?;
    let Manifest { name, version, modules, .. } = &wheel.manifest;

    let unusable = |action: &str, error: std::io::Error| -> Problems {
        let message = format!("can't {action}: {error}");
        Problem::error(Cause::Environment, "static-check", message).into()
    };
    let work = tempfile::tempdir().map_err(|error| unusable("create a folder", error))?;
    let at = |name: &str| work.path().join(name);
    fs::write(at("requirements.txt"), format!("{name}=={version}\n"))
        .map_err(|error| unusable("write requirements", error))?;
    let wrong = |error| Stop::from(crate::commands::freeze::problems(error));
    let base = Base::in_folder(&runtime.folder).map_err(wrong)?;
    let installer =
        Installer { python: base.interpreter.clone(), cache: cache.clone(), refresh: false };
    let site = installer.requirements(&at("requirements.txt")).map_err(wrong)?;
    let includes: Vec<String> = modules.iter().map(|module| module.name.clone()).collect();
    let script = match &check.script {
        Some(script) => script.clone(),
        None => {
            let installed =
                fs::read_dir(&site).map_err(|error| unusable("list packages", error))?;
            let installed: BTreeSet<String> = installed
                .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
                .filter_map(|name| Some(name.split('.').next()?.to_owned()))
                .collect();
            // Lists of strings are the same in JSON and in Python.
            let (modules, installed) = (json!(includes), json!(installed));
            let text = format!("MODULES = {modules}\nINSTALLED = {installed}\n{IMPORTS}");
            fs::write(at("import_all_of_it.py"), text)
                .map_err(|error| unusable("write a script", error))?;
            at("import_all_of_it.py")
        }
    };
    let mut links = Links::default();
    links.set("*", Link::Static);
    let mut request = Request {
        site: vec![site],
        includes,
        link: links.clone(),
        flavour: Some(Flavour::Static),
        ..Request::new(Target::Script(script))
    };
    let settings: BTreeMap<String, Vec<String>> =
        [(normalize_name(name), check.config_settings.clone())].into();
    let statics = Statics {
        base: &base,
        cache: &cache,
        links: &links,
        settings: &settings,
        sources: &Sources::default(),
        say: &say,
        stop: Some(&stop),
    };
    let kept = Cache::open(&cache, CacheLimits::new(global.cache_size)).ok();
    let made = statics.make(&mut request, 0, kept.as_ref()).map_err(|failed| match failed {
        Failed::Static(error) => Stop::from(error),
        Failed::Program(error) => wrong(error),
    })?;
    let program = at("program");
    made.write(&program).map_err(wrong)?;
    let output = Command::new(&program).stdin(Stdio::null()).output();
    let output = output.map_err(|error| unusable("run the program", error))?;
    print(&String::from_utf8_lossy(&output.stdout));
    if output.status.success() {
        return Ok(End::Done);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let message = format!("the program ended with {}\n{}", output.status, said.trim_end());
    let problem = Problem::error(Cause::Input, "static-check", message.trim_end());
    Err(Stop::Failed(problem.into()))
}
