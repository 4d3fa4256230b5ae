//! Between the host and the plans: requests in, actions out.

use std::cell::RefCell;
use std::collections::BTreeMap;

use ekiben_plugin::{
    Action as HostAction, Artifact, CompileRequest, Context, Failure, LinkRequest, Location, Tool,
    Tree,
};

use crate::compile::{CompileSpec, Source};
use crate::environment::Environment;
use crate::identify::{self, Compiler};
use crate::link::{self, Kind, LinkSpec};
use crate::plan::{Action, Argument, File, Plan};
use crate::program::{Language, Program};
use crate::runtime;
use crate::settings::Settings;
use crate::static_module::{self, Files, Linked, Toolchain};

/// A compiler that the host found, and who it is.
pub(crate) struct Identified {
    pub(crate) tool: Tool,
    pub(crate) compiler: Compiler,
    /// `PATH` for its actions.
    pub(crate) path: String,
}

fn find(cx: &Context, program: Program) -> Result<Tool, Failure> {
    cx.tool(program.name()).map_err(|failure| match failure {
        Failure::User(mut reports) => {
            if let Some(report) = reports.last_mut() {
                report.help.push(program.how_to_install());
            }
            Failure::User(reports)
        }
        other => other,
    })
}

/// Finds a compiler and asks it who it is.
pub(crate) fn identified(
    cx: &Context,
    program: Program,
    environment: &Environment,
) -> Result<Identified, Failure> {
    let tool = find(cx, program)?;
    let probe = tool.probe();
    let sample = identify::sample(program);
    probe.file(sample, b"");
    probe.argument("-###");
    probe.argument(sample);
    for (name, value) in &environment.passed {
        probe.environment(name, value);
    }
    let answer = probe.query()?;
    let name = tool.program();
    let Some(compiler) = identify::parse(&String::from_utf8_lossy(&answer.stderr)) else {
        return Err(Failure::Unsupported(format!("`{name}`, which doesn't work like gcc")));
    };
    let language = program.serves().first().copied().unwrap_or(Language::C);
    if let Some(missing) = compiler.missing_front_end(program, language, &name) {
        return Err(missing.into());
    }
    tool.version(&compiler.title);
    for helper in &compiler.helpers {
        // A driver also names what isn't installed, such as the wrapper of a linker plugin.
        if let Err(failure) = tool.companion(helper) {
            ekiben_plugin::log(&format!("{helper} isn't part of {name}: {failure:?}"));
        }
    }
    let path = add_bare_helpers(cx, &tool, &compiler.bare_helpers)?;
    Ok(Identified { tool, compiler, path })
}

/// Finds programs on `PATH`, adds them to the tool's identity, and returns the `PATH` by which the
/// tool will find them too. One that isn't there is left for the tool to complain about.
fn add_bare_helpers(cx: &Context, tool: &Tool, helpers: &[String]) -> Result<String, Failure> {
    let mut found = Vec::new();
    if !helpers.is_empty() {
        let folders = identify::search_path(cx.environment("PATH")?.as_deref());
        for helper in helpers {
            let there = |folder: &&String| tool.companion(&format!("{folder}/{helper}")).is_ok();
            found.extend(folders.iter().find(there).cloned());
        }
    }
    Ok(identify::action_path(&found))
}

/// Plans and emits a request to compile.
pub(crate) fn compile(
    cx: &Context,
    request: &CompileRequest,
    language: Language,
    with: &Identified,
    environment: Environment,
) -> Result<(), Failure> {
    let given = request.sources();
    let mut sources = Vec::with_capacity(given.len());
    for artifact in &given {
        let text = if language == Language::Fortran {
            String::from_utf8_lossy(&artifact.read()?).into_owned()
        } else {
            String::new()
        };
        sources.push(Source { at: artifact.location(), text });
    }
    let product = request.product();
    let spec = CompileSpec {
        product: product.clone(),
        language,
        sources,
        include_directories: request.include_directories(),
        definitions: request.definitions(),
        undefinitions: request.undefinitions(),
        standard: request.standard(),
        optimization: request.optimization(),
        debug: request.debug(),
        warnings: request.warnings(),
        position_independent: request.position_independent(),
        arguments: request.arguments(),
        settings: Settings::read(|key| request.setting(key))?,
        environment,
        path: with.path.clone(),
    };
    let project = Project::new(cx, language)?;
    let plan = spec.plan(&with.compiler, &|path| project.read(path))?;
    Emitter { cx, tool: &with.tool, project, given, product: Some(product) }.emit(&plan)
}

/// Plans and emits a request to link.
pub(crate) fn link(
    cx: &Context,
    request: &LinkRequest,
    environment: Environment,
) -> Result<(), Failure> {
    let kind = Kind::from_name(&request.kind())?;
    let output = request.output();
    let mut languages = Vec::new();
    for name in request.languages() {
        languages.push(Language::from_name(&name)?);
    }
    let objects = request.objects();
    let static_libraries = request.static_libraries();
    let settings = Settings::read(|key| request.setting(key))?;
    let mut driver = link::driver(&languages);
    if link::may_lack_openmp(&languages, &settings)
        && !identified(cx, Program::Cc, &environment)?.compiler.is_gcc()
    {
        driver = Program::Cc;
    }
    let mut spec = LinkSpec {
        kind,
        output: output.location(),
        objects: objects.len(),
        static_libraries: static_libraries.len(),
        driver,
        libraries: request.libraries(),
        library_directories: request.library_directories(),
        debug: request.debug(),
        optimization: request.optimization(),
        arguments: request.arguments(),
        settings,
        environment,
        path: identify::action_path(&[]),
        fortran_runtime: None,
    };
    let given: Vec<Artifact> =
        std::iter::once(output).chain(objects).chain(static_libraries).collect();
    let product = Some(request.product());
    let project = Project::new(cx, Language::C)?;
    if kind == Kind::StaticLibrary {
        let system = cx.fact("target.system").unwrap_or_default();
        let plan = spec.plan_archive(["darwin", "macos"].contains(&system.as_str()));
        let tool = find(cx, Program::Ar)?;
        return Emitter { cx, tool: &tool, project, given, product }.emit(&plan);
    }
    if kind == Kind::StaticModule {
        return static_module(cx, &spec, &languages, given, &request.product());
    }
    let with = identified(cx, driver, &spec.environment)?;
    if let Some(linker) = link::chosen_linker(spec.foreign_arguments()) {
        add_bare_helpers(cx, &with.tool, &[format!("ld.{linker}")])?;
    }
    spec.path.clone_from(&with.path);
    if link::names_fortran_runtime(&languages, driver, &spec.settings) {
        let fortran = identified(cx, Program::Fc, &spec.environment)?;
        spec.fortran_runtime = Some(if spec.settings.static_fortran_runtime {
            runtime::taken_in(cx, &fortran, kind, &with.tool)?
        } else {
            runtime::shared(&fortran)?
        });
    }
    let plan = spec.plan(&with.compiler)?;
    Emitter { cx, tool: &with.tool, project, given, product }.emit(&plan)
}

/// Plans the object of a whole module, and says what it is to be linked with.
fn static_module(
    cx: &Context,
    spec: &LinkSpec,
    languages: &[Language],
    mut given: Vec<Artifact>,
    product: &str,
) -> Result<(), Failure> {
    let with = identified(cx, spec.driver, &spec.environment)?;
    let machine = Host { cx, tree: cx.source_tree()?, packages: package_folders(cx)? };
    let needs = static_module::needs(spec, languages, &with.compiler, &machine)?;
    let mut libraries = Vec::new();
    for library in needs.linked {
        let archive = match library.archive {
            Some(archive) => Some(archive),
            None => find_archive(cx, &with, &library)?,
        };
        libraries.push(Linked { archive, ..library });
    }
    for archive in &needs.taken_in {
        given.push(machine.file(archive)?);
    }
    let toolchain = Toolchain {
        compiler: with.compiler.title.clone(),
        linker: linker_title(&with)?.unwrap_or_default(),
    };
    let text = static_module::text(&toolchain, &libraries);
    let path = format!("link/{}.txt", product.replace('/', "%2F"));
    cx.write(&path, "linked-libraries", Some(product), text.as_bytes())?;
    let plan = spec.plan_static_module(needs.taken_in.len(), &with.compiler, &with.path)?;
    let product = Some(product.to_owned());
    let project = Project::new(cx, Language::C)?;
    Emitter { cx, tool: &with.tool, project, given, product }.emit(&plan)
}

/// The archive that a driver would link, if there is one.
fn find_archive(
    cx: &Context,
    with: &Identified,
    library: &Linked,
) -> Result<Option<String>, Failure> {
    let file = format!("lib{}.a", library.name);
    let found = runtime::locate_now(&with.tool, &file)?;
    if found.is_some() || !library.is_fortrans {
        return Ok(found);
    }
    // It may be of another compiler than the one that links.
    runtime::locate_now(&find(cx, Program::Fc)?, &file)
}

fn linker_title(with: &Identified) -> Result<Option<String>, Failure> {
    let probe = with.tool.probe();
    probe.argument("-Wl,--version");
    probe.environment("PATH", &with.path);
    let answer = probe.query()?;
    let text = String::from_utf8_lossy(&answer.stdout);
    Ok(text.lines().next().map(|line| line.trim().to_owned()))
}

fn package_folders(cx: &Context) -> Result<Vec<String>, Failure> {
    let folders = cx.package_folders()?.into_iter();
    Ok(folders
        .filter_map(|folder| match folder {
            Location::System(path) => Some(path),
            _ => None,
        })
        .collect())
}

/// Files as the host sees them.
struct Host<'a> {
    cx: &'a Context,
    tree: Tree,
    /// Where packages lie that are installed for the build.
    packages: Vec<String>,
}

impl Host<'_> {
    fn file(&self, at: &Location) -> Result<Artifact, Failure> {
        let found = match at {
            Location::Source(path) => Some(self.tree.file(path)?),
            Location::System(path) => self.cx.system_file(path)?,
            Location::Build(_) => None,
        };
        found.ok_or_else(|| Failure::Internal(format!("an archive vanished: {at:?}")))
    }
}

impl Files for Host<'_> {
    fn is_file(&self, at: &Location) -> Result<bool, Failure> {
        match at {
            Location::Source(path) => self.tree.exists(path),
            Location::System(path) => self.cx.is_file(path),
            // What the build makes is given by file.
            Location::Build(_) => Ok(false),
        }
    }

    fn is_installed_for_build(&self, folder: &str) -> bool {
        self.packages.iter().any(|package| folder.starts_with(package.as_str()))
    }
}

/// The project's files, and those of them that became inputs.
struct Project {
    tree: Option<Tree>,
    files: RefCell<BTreeMap<String, Artifact>>,
}

impl Project {
    /// Only Fortran's includes are looked for.
    fn new(cx: &Context, language: Language) -> Result<Self, Failure> {
        let tree = match language {
            Language::Fortran => Some(cx.source_tree()?),
            _ => None,
        };
        Ok(Self { tree, files: RefCell::default() })
    }

    fn read(&self, path: &str) -> Option<String> {
        let tree = self.tree.as_ref()?;
        if !tree.exists(path).ok()? {
            return None;
        }
        let text = tree.read(path).ok()?;
        self.files.borrow_mut().insert(path.to_owned(), tree.file(path).ok()?);
        Some(String::from_utf8_lossy(&text).into_owned())
    }
}

/// Hands a plan to the host.
struct Emitter<'a> {
    cx: &'a Context,
    tool: &'a Tool,
    project: Project,
    given: Vec<Artifact>,
    product: Option<String>,
}

impl Emitter<'_> {
    fn emit(&self, plan: &Plan) -> Result<(), Failure> {
        let mut made = Vec::with_capacity(plan.outputs.len());
        for output in &plan.outputs {
            made.push(self.cx.output(&output.path, output.kind, self.product.as_deref())?);
        }
        plan.actions.iter().try_for_each(|action| self.submit(action, &made))
    }

    fn submit(&self, planned: &Action, made: &[Artifact]) -> Result<(), Failure> {
        let action = self.cx.action(planned.mnemonic, self.tool);
        action.description(&planned.description);
        action.response_file("gnu");
        for (name, value) in &planned.environment {
            action.environment(name, value);
        }
        let files = self.project.files.borrow();
        let file = |file: &File| -> Result<&Artifact, Failure> {
            let found = match file {
                File::Given(at) => self.given.get(*at),
                File::Made(at) => made.get(*at),
                File::Source(path) => files.get(path),
            };
            found.ok_or_else(|| Failure::Internal(format!("a plan names no file: {file:?}")))
        };
        for argument in &planned.arguments {
            match argument {
                Argument::Text(value) => action.text(value),
                Argument::Input(input) => action.input("", file(input)?, ""),
                Argument::Output(prefix, output) => action.output(prefix, file(output)?, ""),
                Argument::Place(prefix, at, suffix) => place(&action, prefix, at, suffix),
                Argument::DependencyFile(prefix, path) => {
                    action.dependency_file(prefix, path, "make");
                }
            }
        }
        for input in &planned.reads {
            action.reads(file(input)?);
        }
        for output in &planned.makes {
            action.makes(file(output)?);
        }
        for at in &planned.search_directories {
            action.search_directory(at);
        }
        if let Some(source) = &planned.compiles {
            action.compiles(file(source)?);
        }
        if planned.takes_job_tokens {
            action.takes_job_tokens();
        }
        HostAction::submit(action)
    }
}

fn place(action: &HostAction, prefix: &str, at: &Location, suffix: &str) {
    action.place(prefix, at, suffix);
}
