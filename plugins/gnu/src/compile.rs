//! A request to compile becomes one action a source.
//!
//! An object lies at a path made of the source's whole path, so no two sources of a product can
//! share one. Commands hold relative paths, or roots that the host fills in, and map the roots away
//! from debug information and `__FILE__`: the same source gives the same object in any folder.

use std::collections::BTreeSet;

use ekiben_plugin::{Diagnostic, Failure, Location};

use crate::environment::Environment;
use crate::flags;
use crate::fortran::{self, Form, Reading, Scan};
use crate::identify::{Compiler, Family};
use crate::modules::{self, Links, Scanned};
use crate::plan::{Action, Argument, File, Output, Plan, show};
use crate::program::Language;
use crate::settings::Settings;

/// A request to compile, as data.
#[derive(Debug, Clone)]
pub(crate) struct CompileSpec {
    pub(crate) product: String,
    pub(crate) language: Language,
    pub(crate) sources: Vec<Source>,
    pub(crate) include_directories: Vec<Location>,
    pub(crate) definitions: Vec<(String, Option<String>)>,
    pub(crate) undefinitions: Vec<String>,
    pub(crate) standard: Option<String>,
    pub(crate) optimization: String,
    pub(crate) debug: bool,
    pub(crate) warnings: String,
    pub(crate) position_independent: bool,
    pub(crate) arguments: Vec<String>,
    pub(crate) settings: Settings,
    pub(crate) environment: Environment,
    /// `PATH` for the compiler.
    pub(crate) path: String,
}

/// A source file.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    pub(crate) at: Location,
    /// Its content, where it decides on the plan: that of Fortran.
    pub(crate) text: String,
}

impl CompileSpec {
    /// Plans the request. `read` gives a file of the project, by its path, if there is one.
    pub(crate) fn plan(
        &self,
        compiler: &Compiler,
        read: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Plan, Failure> {
        let common = self.common_flags(compiler)?;
        let mut plan = Plan::default();
        for source in &self.sources {
            let path = object_path(&self.product, &source.at);
            plan.outputs.push(Output { path, kind: "object" });
        }
        if self.language != Language::Fortran {
            for at in 0..self.sources.len() {
                plan.actions.push(self.action(at, compiler, &common));
            }
            return Ok(plan);
        }
        let read: Vec<FortranSource> =
            self.sources.iter().map(|source| self.read_fortran(source, read)).collect();
        let scanned: Vec<Scanned> = read.iter().map(|source| source.scanned.clone()).collect();
        let ordered = modules::order(&scanned).map_err(Failure::User)?;
        let module_files = declare_modules(&self.product, &ordered.links, &mut plan);
        let module_file = |name: &String| {
            let at = module_files.iter().position(|known| known == name);
            at.map(|at| File::Made(self.sources.len() + at))
        };
        for at in ordered.order {
            let links = &ordered.links[at];
            let mut action = self.action(at, compiler, &common);
            if !(links.makes.is_empty() && links.reads.is_empty()) {
                // Before `-c`: the folder where module files are written, and found.
                let folder = Location::Build(module_folder(&self.product));
                let end = action.arguments.iter().position(is_compile_only).unwrap_or_default();
                action.arguments.insert(end, Argument::Place("-J", folder, ""));
            }
            action.makes = links.makes.iter().filter_map(&module_file).collect();
            action.reads = links.reads.iter().filter_map(&module_file).collect();
            if !self.writes_dependencies(at, compiler) {
                action.reads.extend(read[at].includes.iter().cloned().map(File::Source));
            }
            plan.actions.push(action);
        }
        Ok(plan)
    }

    /// What doesn't depend on the source, up to the project's own arguments.
    fn common_flags(&self, compiler: &Compiler) -> Result<Vec<String>, Diagnostic> {
        let mut result = Vec::new();
        if let Some(asked) = &self.standard {
            result.push(flags::standard(self.language, compiler, asked)?);
        }
        result.extend(flags::optimization(&self.optimization)?);
        if self.debug {
            result.push("-g".to_owned());
        }
        result.extend(flags::warnings(&self.warnings)?.iter().map(|&flag| flag.to_owned()));
        let pic = self.position_independent;
        result.extend(flags::code_generation(&self.settings, compiler, self.language, pic));
        Ok(result)
    }

    fn action(&self, at: usize, compiler: &Compiler, common: &[String]) -> Action {
        let source = &self.sources[at].at;
        let name = show(source);
        let verb = if self.language == Language::Assembler { "assemble" } else { "compile" };
        let mut action = Action::new(self.language.mnemonic(), format!("{verb} {name}"));
        action.environment.push(("PATH".to_owned(), self.path.clone()));
        action.environment.extend(self.environment.passed.iter().cloned());
        action.compiles = Some(File::Given(at));
        let preprocessed = self.preprocesses(at);
        let assembles_only = self.language == Language::Assembler && !preprocessed;
        if !assembles_only {
            action.texts(common);
        } else if self.debug {
            action.text("-g");
        }
        if preprocessed {
            self.add_macros(&mut action);
        }
        for folder in &self.include_directories {
            action.place("-I", folder.clone(), "");
            action.search_directories.push(folder.clone());
        }
        if compiler.family != Family::Flang && !assembles_only {
            let map = flags::prefix_map(compiler);
            action.place(map, Location::Source(String::new()), "=.");
            action.place(map, Location::Build(String::new()), "=build");
        }
        let object = object_path(&self.product, source);
        if compiler.is_gcc() && !assembles_only {
            // Otherwise names that must differ between objects are made of random numbers.
            action.text(format!("-frandom-seed={object}"));
        }
        if compiler.is_apple() {
            action.texts(&self.environment.arch);
        }
        action.texts(&self.arguments);
        if preprocessed {
            action.texts(&self.environment.cpp);
        }
        action.texts(self.environment.flags(self.language, is_free(&name)));
        if self.writes_dependencies(at, compiler) {
            let dependencies = format!("{}.d", object.strip_suffix(".o").unwrap_or(&object));
            // With the headers of the system: a Python of another version may come to lie there.
            if assembles_only {
                action.arguments.push(Argument::DependencyFile("-Wa,--MD,", dependencies));
            } else {
                action.text("-MD");
                action.arguments.push(Argument::DependencyFile("-MF", dependencies));
            }
        }
        if !self.language.suffixes().iter().any(|suffix| name.ends_with(suffix)) {
            action.text("-x");
            action.text(match self.language {
                Language::C => "c",
                Language::Cxx => "c++",
                Language::Fortran => "f95",
                Language::Assembler => "assembler-with-cpp",
            });
        }
        action.text("-c");
        action.arguments.push(Argument::Input(File::Given(at)));
        action.text("-o");
        action.arguments.push(Argument::Output("", File::Made(at)));
        action
    }

    fn add_macros(&self, action: &mut Action) {
        let c_like = matches!(self.language, Language::C | Language::Cxx);
        if c_like && !self.debug && !self.settings.assertions {
            action.text("-DNDEBUG");
        }
        for (name, value) in &self.definitions {
            action.text(match value {
                Some(value) => format!("-D{name}={value}"),
                None => format!("-D{name}"),
            });
        }
        for name in &self.undefinitions {
            action.text(format!("-U{name}"));
        }
    }

    /// Whether the preprocessor runs on a source.
    fn preprocesses(&self, at: usize) -> bool {
        let name = show(&self.sources[at].at);
        match self.language {
            Language::C | Language::Cxx => true,
            Language::Assembler => !name.ends_with(".s"),
            Language::Fortran => {
                let own = self.environment.flags(self.language, is_free(&name));
                let mut given = self.arguments.iter().chain(own);
                fortran::form(&name).1 || given.any(|argument| argument == "-cpp")
            }
        }
    }

    fn writes_dependencies(&self, at: usize, compiler: &Compiler) -> bool {
        match compiler.family {
            Family::Flang => false,
            // For a file that is only assembled it is GNU as that has to write them.
            Family::Gcc => self.language != Language::Fortran || self.preprocesses(at),
            _ => self.preprocesses(at),
        }
    }

    /// The macros that are surely defined for the preprocessor.
    fn macros(&self, name: &str) -> BTreeSet<String> {
        let mut macros: BTreeSet<String> =
            self.definitions.iter().map(|(name, _)| name.clone()).collect();
        for name in &self.undefinitions {
            macros.remove(name);
        }
        let own = self.environment.flags(self.language, is_free(name));
        for argument in self.arguments.iter().chain(&self.environment.cpp).chain(own) {
            if let Some(definition) = argument.strip_prefix("-D") {
                macros.insert(definition.split('=').next().unwrap_or_default().to_owned());
            } else if let Some(name) = argument.strip_prefix("-U") {
                macros.remove(name);
            }
        }
        macros
    }

    fn read_fortran(
        &self,
        source: &Source,
        read: &dyn Fn(&str) -> Option<String>,
    ) -> FortranSource {
        let name = show(&source.at);
        let at = self.sources.iter().position(|other| show(&other.at) == name).unwrap_or_default();
        let macros = self.macros(&name);
        let reading = Reading {
            form: fortran::form(&name).0,
            macros: self.preprocesses(at).then_some(&macros),
            openmp: self.settings.openmp,
        };
        let mut folders: Vec<&str> = Vec::new();
        if let Location::Source(path) = &source.at {
            folders.push(path.rsplit_once('/').map_or("", |(folder, _)| folder));
        }
        folders.extend(self.include_directories.iter().filter_map(|folder| match folder {
            Location::Source(path) => Some(path.as_str()),
            _ => None,
        }));
        let mut scan = fortran::scan(&source.text, reading);
        let mut includes: BTreeSet<String> = BTreeSet::new();
        let mut waiting: Vec<String> = scan.includes.iter().cloned().collect();
        while let Some(include) = waiting.pop() {
            let mut candidates = folders.iter().filter_map(|folder| join(folder, &include));
            let found = candidates.find_map(|path| Some((read(&path)?, path)));
            let Some((text, path)) = found else { continue };
            if includes.insert(path) {
                let Scan { uses, includes: nested, .. } = fortran::scan(&text, reading);
                scan.uses.extend(uses);
                waiting.extend(nested);
            }
        }
        FortranSource { scanned: Scanned { path: name, scan }, includes }
    }
}

/// A Fortran source and the project's files that it includes.
struct FortranSource {
    scanned: Scanned,
    includes: BTreeSet<String>,
}

/// Adds the module files to the plan's outputs and returns their names in that order.
fn declare_modules(product: &str, links: &[Links], plan: &mut Plan) -> Vec<String> {
    let names: Vec<String> = links.iter().flat_map(|links| links.makes.iter().cloned()).collect();
    for name in &names {
        let path = format!("{}/{name}", module_folder(product));
        plan.outputs.push(Output { path, kind: "fortran-module" });
    }
    names
}

fn module_folder(product: &str) -> String {
    format!("mod/{}", escape(product))
}

fn is_free(name: &str) -> bool {
    fortran::form(name).0 == Form::Free
}

fn is_compile_only(argument: &Argument) -> bool {
    matches!(argument, Argument::Text(text) if text == "-c")
}

/// Where the object of a source lies. Injective: the source's root and whole path are in it.
fn object_path(product: &str, source: &Location) -> String {
    let product = escape(product);
    let components = |path: &str| {
        let parts: Vec<String> =
            path.split('/').filter(|part| !part.is_empty()).map(escape).collect();
        parts.join("/")
    };
    match source {
        Location::Source(path) => format!("obj/{product}/{}.o", components(path)),
        Location::Build(path) => format!("obj/{product}/+build/{}.o", components(path)),
        Location::System(path) => format!("obj/{product}/+system/{}.o", components(path)),
    }
}

/// A name as one component of a path that means nothing else.
fn escape(name: &str) -> String {
    let name = name.replace('%', "%25").replace('/', "%2F");
    if name.starts_with('+') || name == "." || name == ".." { format!("%{name}") } else { name }
}

/// A path below the project's folder, or nothing if it leads out of it.
fn join(folder: &str, path: &str) -> Option<String> {
    if path.starts_with('/') {
        return None;
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    (!parts.is_empty()).then(|| parts.join("/"))
}

#[cfg(test)]
mod tests;
