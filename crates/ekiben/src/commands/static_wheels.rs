//! `ekiben static`: builds packages as static wheels, and shows and exports those that are there.

mod check;

use std::fmt::Write as _;

use ekiben_core::{Cause, Problem, Problems};
use ekiben_freeze::program::{self, Base, Installed, Installer, Sources};
use ekiben_freeze::runtime::Store as Runtimes;
use ekiben_static::{Error, Manifest, Progress, Request, StaticWheel, Store};
use serde_json::json;

use super::End;
use super::build::print;
use super::ending::{Stop, end, say};
use super::stopped::Stopped;
use crate::cli::{
    Global, ListFormat, StaticBuild, StaticCheck, StaticExport, StaticList, StaticRemove,
    StaticShow,
};
use crate::environment;
use crate::report;
use crate::statics;

/// Runs `ekiben static build`.
pub(crate) fn build(build: &StaticBuild, global: &Global) -> End {
    end(built(build, global))
}

/// Runs `ekiben static list`.
pub(crate) fn list(list: &StaticList, global: &Global) -> End {
    end(listed(list, global))
}

/// Runs `ekiben static show`.
pub(crate) fn show(show: &StaticShow, global: &Global) -> End {
    end(shown(show, global))
}

/// Runs `ekiben static export`.
pub(crate) fn export(export: &StaticExport, global: &Global) -> End {
    end(exported(export, global))
}

/// Runs `ekiben static check`.
pub(crate) fn check(check: &StaticCheck, global: &Global) -> End {
    end(check::checked(check, global))
}

/// Runs `ekiben static remove`.
pub(crate) fn remove(remove: &StaticRemove, global: &Global) -> End {
    end(removed(remove, global))
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        match error {
            Error::Interrupted => Self::Interrupted,
            Error::Build { .. } => Self::Failed(problems(&error)),
            _ => Self::Problems(problems(&error)),
        }
    }
}

/// What people see of an error.
pub(super) fn problems(error: &Error) -> Problems {
    let cause = match error {
        Error::Io { .. } | Error::NoInstaller => Cause::Environment,
        _ => Cause::Input,
    };
    let problem = Problem::error(cause, error.code(), error.to_string());
    match error.help() {
        Some(help) => problem.help(help).into(),
        None => problem.into(),
    }
}

fn built(build: &StaticBuild, global: &Global) -> Result<End, Stop> {
    let runtimes = Runtimes::new(&environment::cache_dir(global)?);
    let runtime = runtimes.find(build.runtime.as_deref());
    let runtime = runtime.map_err(|error| super::runtime::problems(&error))?;
    let store = store(global)?;
    let stopped = Stopped::watch()?;
    let say = say(global);
    let stop = || stopped.is_set();
    let progress = Progress { step: &say, stop: Some(&stop) };
    let mut requests = Vec::new();
    for package in &build.packages {
        requests.push(statics::request(&runtime, package)?);
    }
    if let Some(file) = &build.requirements {
        let wrong = |error| Stop::from(super::freeze::problems(error));
        let python = Base::in_folder(&runtime.folder).map_err(wrong)?.interpreter;
        let cache = environment::cache_dir(global)?;
        let installer = Installer { python, cache, refresh: false };
        let site = installer.requirements_until(file, Some(&stop)).map_err(wrong)?;
        let sources = Sources::of(file).map_err(wrong)?;
        for installed in program::installed_with_modules(&site).map_err(wrong)? {
            let Installed { name, version, .. } = installed;
            requests.push(statics::pinned(&runtime, &name, &version, &sources)?);
        }
    }
    let mut wheels = Vec::new();
    for request in requests {
        let settings = build.config_settings.clone();
        let request = Request { settings, debug: build.debug, ..request };
        wheels.push(store.build(&request, progress)?);
    }
    print_list(&wheels, build.format);
    Ok(End::Done)
}

fn listed(list: &StaticList, global: &Global) -> Result<End, Stop> {
    print_list(&store(global)?.list()?, list.format);
    Ok(End::Done)
}

fn print_list(wheels: &[StaticWheel], format: ListFormat) {
    let text = match format {
        ListFormat::Json => {
            let entries: Vec<_> = wheels.iter().map(entry).collect();
            format!("{:#}\n", serde_json::Value::from(entries))
        }
        ListFormat::Text => wheels.iter().map(line).collect(),
    };
    print(&text);
}

fn entry(wheel: &StaticWheel) -> serde_json::Value {
    let Manifest { name, version, python, modules, .. } = &wheel.manifest;
    let modules: Vec<_> = modules
        .iter()
        .map(|module| {
            let size = wheel.site.join(&module.object).metadata().map_or(0, |it| it.len());
            json!({ "name": module.name, "size": size, "libraries": module.libraries })
        })
        .collect();
    json!({
        "name": name,
        "version": version,
        "python": python,
        "modules": modules,
        "seconds": wheel.build_time().map(|time| time.as_secs()),
        "folder": wheel.site.display().to_string(),
    })
}

fn line(wheel: &StaticWheel) -> String {
    let Manifest { name, version, python, modules, .. } = &wheel.manifest;
    let modules = super::freeze::counted(modules.len(), "module");
    format!("{name} {version}  Python {python}  {modules}  {}\n", wheel.site.display())
}

fn shown(show: &StaticShow, global: &Global) -> Result<End, Stop> {
    let wheel = store(global)?.find(&show.name)?;
    let text = match show.format {
        ListFormat::Json => wheel.manifest.text(),
        ListFormat::Text => description(&wheel),
    };
    print(&format!("{}\n", text.trim_end()));
    Ok(End::Done)
}

fn description(wheel: &StaticWheel) -> String {
    let manifest = &wheel.manifest;
    let mut text = format!("{} {}\n", manifest.name, manifest.version);
    let sdist = manifest.sdist.as_ref();
    let sdist = sdist.map(|sdist| format!("{} (sha256 {})", sdist.file, sdist.sha256));
    for (key, value) in [
        ("folder", wheel.site.display().to_string()),
        ("source", sdist.unwrap_or_default()),
        ("python", manifest.python.clone()),
        ("compiler", manifest.toolchain.compiler.clone()),
        ("linker", manifest.toolchain.linker.clone()),
        (
            "built in",
            wheel.build_time().map_or_else(String::new, |it| format!("{} s", it.as_secs())),
        ),
    ] {
        if value.is_empty() {
            continue;
        }
        // Writing to a string can't fail.
        let _ = writeln!(text, "    {key}: {value}");
    }
    text.push_str("\nmodules\n");
    for module in &manifest.modules {
        let size = wheel.site.join(&module.object).metadata().map_or(0, |it| it.len());
        let _ = write!(text, "    {}: {}", module.name, report::bytes(size));
        if !module.libraries.is_empty() {
            let _ = write!(text, ", with {}", module.libraries.join(", "));
        }
        text.push('\n');
    }
    if !manifest.libraries.is_empty() {
        text.push_str("\nlibraries\n");
        for library in &manifest.libraries {
            let place = match (&library.inner, &library.archive) {
                (Some(inner), _) => format!("{inner} of the wheel"),
                (None, Some(archive)) => archive.display().to_string(),
                (None, None) => "no archive was found".to_owned(),
            };
            let package = library.package.as_ref().map(|package| format!(", of {package}"));
            let _ = writeln!(text, "    {}: {place}{}", library.name, package.unwrap_or_default());
        }
    }
    text
}

fn exported(export: &StaticExport, global: &Global) -> Result<End, Stop> {
    let store = store(global)?;
    let wheels = match export.names.is_empty() {
        true => store.list()?,
        false => export.names.iter().map(|name| store.find(name)).collect::<Result<_, _>>()?,
    };
    for wheel in wheels {
        let path = wheel.export(&export.out_dir, export.libraries)?;
        if !global.quiet {
            print(&format!("{}\n", report::short(&path).display()));
        }
    }
    Ok(End::Done)
}

fn removed(remove: &StaticRemove, global: &Global) -> Result<End, Stop> {
    for Manifest { name, version, python, .. } in store(global)?.remove(&remove.name)? {
        if !global.quiet {
            print(&format!("Removed {name} {version} for Python {python}\n"));
        }
    }
    Ok(End::Done)
}

fn store(global: &Global) -> Result<Store, Stop> {
    Ok(Store::new(&environment::cache_dir(global)?))
}
