//! [`Asked`]: from the command line to a request, with everything installed that it names, and to a
//! program.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use ekiben_archive::normalize_name;
use ekiben_core::{Cause, Problem, Problems};
use ekiben_engine::Cache;
use ekiben_freeze::program::{
    self, Base, Error, Flavour, Installer, Link, Links, Modules, Program, Project, Request,
    Sources, StaticWheels, Target, Warning,
};

use super::super::ending::say;
use super::problems;
use crate::cli::{Freeze, Global};
use crate::commands::stopped::Stopped;
use crate::environment;
use crate::report;
use crate::statics::{Failed, Statics};

/// What is asked for, and what it is made with.
pub(super) struct Asked<'a> {
    pub(super) freeze: &'a Freeze,
    pub(super) global: &'a Global,
    /// Whether it is to end.
    pub(super) stopped: &'a Stopped,
    pub(super) base: &'a Base,
    /// The folder of the cache.
    pub(super) cache: &'a Path,
    /// The project that becomes a program.
    pub(super) project: Option<&'a Project>,
}

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum For {
    /// A program, of which compiled modules may become part.
    Program,
    /// A run by the ordinary interpreter, which can only load them.
    Run,
}

impl Asked<'_> {
    /// The request, with everything installed that it names.
    pub(super) fn request(&self, target: Target) -> Result<Request, Problems> {
        let mut link = Links::default();
        for word in &self.freeze.link {
            link.take(word).map_err(|message| Problem::error(Cause::Input, "freeze", message))?;
        }
        let is_host = self.base.is_host();
        if let Some(project) = self.project.filter(|project| project.links_modules() && !is_host) {
            link.link_own(project.name());
        }
        let mut request = self.request_for(For::Program, target.clone(), &link)?;
        request.traced = match (self.freeze.trace, &self.freeze.trace_file) {
            (false, None) => Vec::new(),
            (false, Some(file)) => listed(program::recorded(file))?,
            (true, file) => {
                let run = self.request_for(For::Run, target, &link)?;
                self.traced(&run, file.as_deref())?
            }
        };
        Ok(request)
    }

    /// That the active virtual environment is of another Python, so that nothing is taken from it.
    pub(super) fn inactive_environment(&self) -> Option<String> {
        let Self { freeze, base, project, .. } = self;
        let looks = project.is_none() && freeze.requirements.is_none() && freeze.site.is_empty();
        let active =
            std::env::var_os("VIRTUAL_ENV").filter(|folder| looks && !folder.is_empty())?;
        let active = PathBuf::from(active);
        (!base.site(&active).is_dir()).then(|| {
            format!(
                "the active virtual environment {} isn't of Python {}, so nothing is taken from it: name \
                 its version by --python, or another folder by --site",
                active.display(),
                base.python
            )
        })
    }

    /// What becomes of the project's own compiled modules: an interpreter of the machine can't be linked
    /// anew.
    fn modules(&self, purpose: For, link: &Links) -> Modules {
        let is_from_memory =
            self.project.is_some_and(|project| link.of(project.name()) == Some(Link::Memory));
        let is_host = self.base.is_host();
        match purpose == For::Run || is_from_memory || is_host {
            true => Modules::Shared,
            false => Modules::Static,
        }
    }

    fn request_for(&self, purpose: For, target: Target, link: &Links) -> Result<Request, Problems> {
        let Self { freeze, base, cache, project, .. } = *self;
        let modules = self.modules(purpose, link);
        let mut site = Vec::new();
        let installer = Installer {
            python: base.interpreter.clone(),
            cache: cache.to_owned(),
            refresh: freeze.refresh,
        };
        let target = match project {
            Some(project) => {
                let target = project.entry_point(freeze.script.as_deref()).map_err(problems)?;
                let installed = match freeze.requirements {
                    Some(_) => installer.project_alone(project, modules).map(|folder| vec![folder]),
                    None => installer.project(project, modules),
                };
                site.extend(installed.map_err(problems)?);
                target
            }
            None => target,
        };
        if let Target::Script(script) = &target
            && freeze.requirements.is_none()
            && freeze.site.is_empty()
            && script.is_file()
        {
            let named = program::script_dependencies(script, &base.python).map_err(problems)?;
            if !named.is_empty() {
                site.push(installer.dependencies(&named).map_err(problems)?);
            }
        }
        if let Some(file) = &freeze.requirements {
            site.push(installer.requirements(file).map_err(problems)?);
        }
        site.extend(freeze.site.iter().map(|folder| base.site(folder)));
        let active = std::env::var_os("VIRTUAL_ENV").map(|folder| base.site(Path::new(&folder)));
        match active {
            // An environment of another version has nothing for this program.
            Some(active) if site.is_empty() && active.is_dir() => site.push(active),
            _ => {}
        }
        let warnings = match purpose {
            For::Program => self.put_static_wheels(&mut site, link)?,
            For::Run => Vec::new(),
        };
        Ok(Request {
            target,
            site,
            passing: None,
            includes: freeze.include.clone(),
            excludes: freeze.exclude.clone(),
            traced: Vec::new(),
            hints: freeze.hints.clone(),
            prune: freeze.prune || freeze.relink,
            relink: freeze.relink,
            warnings,
            link: link.clone(),
            linker: freeze.linker,
            strict: freeze.strict,
            optimize: freeze.optimize,
            sources: !freeze.no_sources,
            interpreter: freeze.interpreter,
            path: freeze.path.clone(),
            beside: None,
            flavour: freeze.flavour.map(Flavour::from),
            switches: freeze.set.iter().cloned().collect::<BTreeMap<_, _>>(),
        })
    }

    /// Puts the static wheels that are given in place of installed packages.
    fn put_static_wheels(
        &self,
        site: &mut [PathBuf],
        link: &Links,
    ) -> Result<Vec<Warning>, Problems> {
        let (places, python) = (&self.freeze.static_wheels, &self.base.python);
        if places.is_empty() {
            return Ok(Vec::new());
        }
        let without = &BTreeSet::new();
        let wheels = StaticWheels { places, links: link, without, python, cache: self.cache };
        program::replace_by_static(site, &wheels).map_err(problems)
    }

    /// What was imported in a run, and in earlier ones that a file has recorded.
    fn traced(&self, request: &Request, file: Option<&Path>) -> Result<Vec<String>, Problems> {
        if self.stopped.is_set() {
            let error = std::io::ErrorKind::Interrupted.into();
            let path = self.base.interpreter.clone();
            return Err(problems(Error::Io { action: "start", path, source: error }));
        }
        let run = program::trace(request, self.base, &self.freeze.arguments).map_err(problems)?;
        // Ctrl-C is a way to end a program that would run for ever.
        self.stopped.forget_interrupts();
        if !run.status.success() {
            let message = format!("the traced run ended with {}", run.status);
            let warning = Problem::warning(Cause::Input, "traced-run", message);
            report::show_problems(&warning.into(), Path::new(""));
        }
        match file {
            Some(file) => listed(program::record(file, &run.modules)),
            None => Ok(run.modules.into_iter().collect()),
        }
    }

    /// Makes the program. Packages that are to be linked in are built from source, and so are those without
    /// whose compiled modules it would stop, if it can't load them.
    pub(super) fn made(
        &self,
        request: &mut Request,
        cache: Option<&Cache>,
    ) -> Result<Program, Problems> {
        let Self { freeze, global, stopped, .. } = self;
        let mut settings: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, setting) in &freeze.static_config {
            settings.entry(normalize_name(name)).or_default().push(setting.clone());
        }
        // As runtimes they are no results of builds: they are there with any cache.
        let folder = environment::cache_dir(global)?;
        let say = say(global);
        let sources = match &freeze.requirements {
            Some(file) => Sources::of(file).map_err(problems)?,
            None => Sources::default(),
        };
        let links = request.link.clone();
        let stop = || stopped.is_set();
        let statics = Statics {
            base: self.base,
            cache: &folder,
            links: &links,
            settings: &settings,
            sources: &sources,
            say: &say,
            stop: Some(&stop),
        };
        statics.make(request, 0, cache).map_err(|failed| match failed {
            Failed::Static(error) => super::super::static_wheels::problems(&error),
            Failed::Program(error) => problems(error),
        })
    }
}

fn listed(known: Result<BTreeSet<String>, Error>) -> Result<Vec<String>, Problems> {
    Ok(known.map_err(problems)?.into_iter().collect())
}
