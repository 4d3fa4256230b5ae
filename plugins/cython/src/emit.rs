//! Between the host and the plans: products in, actions and contributions out.

use std::collections::{BTreeMap, BTreeSet};

use ekiben_plugin::{
    Action, Artifact, Context, Diagnostic, Distribution, Failure, Location, Product, Severity,
    Tool, Tree,
};

use crate::distutils::{self, Needs};
use crate::options::Options;
use crate::plan::{self, Facts, Module, Translation};
use crate::scan::{self, Scan};

/// The interpreter, by the name that the plugin calls it.
pub(crate) const PYTHON: &str = "python";
/// What a project with Cython sources needs for its build.
pub(crate) const REQUIREMENT: &str = "Cython>=3.0";

const GENERATED: &str = "generated-source";
const WORKER: &str = "cython-worker";
const ANNOTATION: &str = "cython-annotation";
const DEBUG_INFORMATION: &str = "cython-debug-information";
/// The kinds of what `translate` makes.
pub(crate) const PRODUCED: [&str; 4] = [GENERATED, WORKER, ANNOTATION, DEBUG_INFORMATION];

const STATIC: &str = "static-source";
const RENAMER: &str = "cython-renamer";
/// The kinds of what `static-rename` makes.
pub(crate) const RENAMED: [&str; 2] = [STATIC, RENAMER];

/// The oldest version that the worker speaks to.
const OLDEST: (u32, u32) = (0, 29);
/// The first version with modules of shared utility code.
const SHARES_UTILITIES: (u32, u32) = (3, 1);

/// Plans all translations.
pub(crate) fn translate(cx: &Context) -> Result<(), Failure> {
    let options: Options = serde_json::from_str(&cx.options())
        .map_err(|error| Failure::Internal(format!("the options: {error}")))?;
    let modules = modules(cx)?;
    let names: Vec<String> = modules.iter().map(|(_, module, _)| module.name.clone()).collect();
    for pattern in options.idle(&names) {
        let message = format!("no module's name fits the pattern `{pattern}`");
        cx.report(
            &Diagnostic::warning("idle-pattern", message)
                .with_help(format!("the modules that Cython translates: {}", names.join(", "))),
        );
    }
    let Some((_, first, _)) = modules.first() else { return Ok(()) };
    let translator = Translator::find(cx, &first.name)?;
    let utility = match &options.shared_utility_module {
        Some(name) => translator.check_utility(cx, name, &names)?,
        None => None,
    };
    let mut reader = Reader { tree: cx.source_tree()?, known: BTreeMap::new() };
    for (product, module, source) in modules {
        let settings = options.of(&module.name).map_err(Failure::Internal)?;
        let (mut needs, facts) = reader.read_all(cx, &module, &settings.include_path)?;
        let language = settings
            .language
            .clone()
            .or_else(|| product.setting("language").map(|json| json.trim_matches('"').to_owned()))
            .or_else(|| needs.language.take());
        let facts = Facts { cplus: language.as_deref() == Some("c++"), utility, ..facts };
        let translation = module.translate(&settings, &facts);
        contribute(cx, &product, &translation, &needs)?;
        translator.emit(cx, &source, &translation)?;
    }
    Ok(())
}

/// Plans the renaming of all that was translated.
pub(crate) fn static_rename(cx: &Context) -> Result<(), Failure> {
    let modules = modules(cx)?;
    if modules.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = modules.iter().map(|(_, module, _)| module.name.clone()).collect();
    if let Some(clash) = plan::find_clash(&names) {
        return Err(clash.into());
    }
    let generated = cx.artifacts(GENERATED)?;
    let python = cx.tool(PYTHON)?;
    let renamer = cx.write("cython/rename.py", RENAMER, None, include_bytes!("rename.py"))?;
    for artifact in generated {
        let Location::Build(path) = artifact.location() else { continue };
        let Some((_, module, _)) = modules.iter().find(|(_, module, _)| module.makes(&path)) else {
            continue;
        };
        let output = format!("static/{path}");
        let action = cx.action("Rename", &python);
        action.description(&format!("rename {}", module.name));
        for text in ["-I", "-S"] {
            action.text(text);
        }
        action.input("", &renamer, "");
        action.text(&module.static_name());
        action.input("", &artifact, "");
        action.output("", &cx.output(&output, STATIC, Some(&module.name))?, "");
        Action::submit(action)?;
    }
    Ok(())
}

/// The products that Cython translates a source of.
fn modules(cx: &Context) -> Result<Vec<(Product, Module, Artifact)>, Failure> {
    let mut modules = Vec::new();
    let mut refused = Vec::new();
    for product in cx.products() {
        let sources = product.sources();
        let paths: Vec<String> = sources.iter().filter_map(path_of).collect();
        match Module::find(&product.name(), &paths) {
            Ok(None) => {}
            Ok(Some(module)) => {
                let is_it = |source: &Artifact| path_of(source).as_ref() == Some(&module.source);
                let source = sources.into_iter().find(is_it);
                modules.extend(source.map(|source| (product, module, source)));
            }
            Err(report) => refused.push(report),
        }
    }
    if refused.is_empty() { Ok(modules) } else { Err(Failure::User(refused)) }
}

/// The path of a file of the project.
fn path_of(artifact: &Artifact) -> Option<String> {
    match artifact.location() {
        Location::Source(path) => Some(path),
        _ => None,
    }
}

/// Reads files of the project, each once.
struct Reader {
    tree: Tree,
    known: BTreeMap<String, Option<std::rc::Rc<Scan>>>,
}

impl Reader {
    /// The scan of a file, if there is one.
    fn scan(&mut self, path: &str) -> Result<Option<std::rc::Rc<Scan>>, Failure> {
        if let Some(known) = self.known.get(path) {
            return Ok(known.clone());
        }
        let scan = if self.tree.exists(path)? {
            let text = self.tree.read(path)?;
            Some(std::rc::Rc::new(scan::scan(&String::from_utf8_lossy(&text))))
        } else {
            None
        };
        self.known.insert(path.to_owned(), scan.clone());
        Ok(scan)
    }

    /// Whether one of `headers` is found from the folder of `source`.
    fn has_beside(&self, source: &str, headers: &[String]) -> Result<bool, Failure> {
        for header in headers {
            let path = format!("{}/{header}", folder_of(source));
            if let Location::Source(path) = distutils::place(path.trim_start_matches('/'))
                && !path.starts_with("..")
                && self.tree.exists(&path)?
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What a module's files say: its source, its `.pxd`, what they include, and the project's
    /// modules that they cimport.
    fn read_all(
        &mut self,
        cx: &Context,
        module: &Module,
        include_path: &[String],
    ) -> Result<(Needs, Facts<'static>), Failure> {
        let mut roots: Vec<String> = include_path.to_vec();
        roots.extend(module.root());
        roots.push(String::new());
        let mut needs = Needs::default();
        let mut facts = Facts::default();
        let mut seen = BTreeSet::new();
        // Files, the package that their relative cimports mean, and whether they are the module's own.
        let mut waiting = vec![(module.source.clone(), module.package().to_owned(), true)];
        waiting.extend(module.own_pxd().map(|pxd| (pxd, module.package().to_owned(), true)));
        waiting.reverse();
        while let Some((path, package, own)) = waiting.pop() {
            if !seen.insert(path.clone()) {
                continue;
            }
            let Some(scan) = self.scan(&path)? else { continue };
            let mut wrong = Vec::new();
            for report in needs.add(&path, &scan, own && path == module.source) {
                if report.severity == Severity::Error {
                    wrong.push(report);
                } else {
                    cx.report(&report);
                }
            }
            if !wrong.is_empty() {
                return Err(Failure::User(wrong));
            }
            needs.finds_headers_beside |= self.has_beside(&module.source, &scan.headers)?;
            facts.public |= own && scan.public;
            facts.api |= own && scan.api;
            let folder = folder_of(&path).to_owned();
            for include in &scan.includes {
                for folder in [&folder].into_iter().chain(&roots) {
                    if let Location::Source(path) =
                        distutils::place(format!("{folder}/{include}").trim_start_matches('/'))
                    {
                        waiting.push((path, package.clone(), own));
                    }
                }
            }
            for name in &scan.cimports {
                for candidate in plan::candidates(name, &package, &roots) {
                    let package = package_of(&candidate, &roots);
                    waiting.push((candidate, package, false));
                }
            }
        }
        Ok((needs, facts))
    }
}

/// The package of a `.pxd` file that was found in one of `roots`.
fn package_of(path: &str, roots: &[String]) -> String {
    let inside = roots
        .iter()
        .filter(|root| !root.is_empty())
        .find_map(|root| path.strip_prefix(root.as_str())?.strip_prefix('/'));
    folder_of(inside.unwrap_or(path)).replace('/', ".")
}

fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// Adds what the sources ask for to how the product is compiled and linked.
fn contribute(
    cx: &Context,
    product: &Product,
    translation: &Translation,
    needs: &Needs,
) -> Result<(), Failure> {
    for at in &needs.include_directories {
        product.include_directory(at)?;
    }
    if needs.finds_headers_beside {
        // setuptools puts the C file beside its source, from where it includes them.
        let folder = folder_of(&translation.module.source);
        product.include_directory(&Location::Source(folder.to_owned()))?;
    }
    if let Some(header) = translation.headers.first() {
        // C code beside the source includes it by its name alone, others by its package.
        product.include_directory(&Location::Build(folder_of(header).to_owned()))?;
        product.include_directory(&Location::Build(plan::FOLDER.to_owned()))?;
    }
    for (name, value) in &needs.definitions {
        product.define(name, value.as_deref())?;
    }
    for argument in &needs.compile_arguments {
        product.compile_argument(None, argument)?;
    }
    for name in &needs.libraries {
        product.link_library(name)?;
    }
    for at in &needs.library_directories {
        product.library_directory(at)?;
    }
    for at in &needs.files {
        product.link_file(at)?;
    }
    for argument in &needs.link_arguments {
        product.link_argument(argument)?;
    }
    let name = product.name();
    for source in &needs.sources {
        // A product's sources are settled; one that comes later is included by a generated file.
        let path = format!(
            "{}+sources/{source}",
            translation.output.trim_end_matches(".c").trim_end_matches(".cpp")
        );
        product.include_directory(&Location::Source(String::new()))?;
        cx.write(&path, GENERATED, Some(&name), format!("#include \"{source}\"\n").as_bytes())?;
    }
    Ok(())
}

/// Python with Cython, as far as actions need to know.
struct Translator {
    python: Tool,
    worker: Artifact,
    sites: Vec<Location>,
    /// Another Cython makes another translation.
    identity: String,
    version: (u32, u32),
}

impl Translator {
    fn find(cx: &Context, needed_by: &str) -> Result<Self, Failure> {
        let Some(cython) = cx.distribution("Cython")? else {
            let message =
                format!("`{needed_by}` is written in Cython, which isn't installed for this build");
            return Err(Diagnostic::error("no-cython", message)
                .with_help(format!("add it to pyproject.toml: `[build-system] requires = [\"ekiben\", \"{REQUIREMENT}\"]`"))
                .with_help(format!("in a build without isolation, install it: `pip install \"{REQUIREMENT}\"`"))
                .into());
        };
        let version = check_version(&cython)?;
        let python = cx.tool(PYTHON)?;
        let path = format!("{}/worker.py", plan::FOLDER);
        let worker = cx.write(&path, WORKER, None, include_bytes!("worker.py"))?;
        let identity = format!("{} {}", cython.version(), cython.digest());
        // Other packages' `.pxd` files may have been installed apart from Cython.
        Ok(Self { python, worker, sites: cx.package_folders()?, identity, version })
    }

    /// The module for shared utility code, if this Cython can make one.
    fn check_utility<'a>(
        &self,
        cx: &Context,
        name: &'a str,
        modules: &[String],
    ) -> Result<Option<&'a str>, Failure> {
        if !modules.iter().any(|module| module == name) {
            let message = format!("`shared-utility-module`: there is no module `{name}`");
            let path = name.replace('.', "/");
            return Err(Diagnostic::error("no-utility-module", message)
                .with_help(format!("make an empty file `{path}.pyx`, in `src` if your packages are there; Cython fills the module"))
                .with_help(format!("the modules that Cython translates: {}", modules.join(", ")))
                .into());
        }
        if self.version >= SHARES_UTILITIES {
            return Ok(Some(name));
        }
        let message = format!(
            "Cython {}.{} can't share utility code, so `{name}` stays empty",
            self.version.0, self.version.1
        );
        cx.report(
            &Diagnostic::warning("no-shared-utilities", message)
                .with_help("write `Cython>=3.1` in `build-system.requires`"),
        );
        Ok(None)
    }

    fn emit(&self, cx: &Context, source: &Artifact, plan: &Translation) -> Result<(), Failure> {
        let product = Some(plan.module.name.as_str());
        let action = cx.action("Cython", &self.python);
        action.description(&format!("translate {}", plan.module.source));
        for text in ["-I", "-S"] {
            action.text(text);
        }
        action.input("", &self.worker, "");
        action.text(&format!("--cython={}", self.identity));
        for site in &self.sites {
            action.place("--site=", site, "");
        }
        action.worker();
        action.text(&format!("--module={}", plan.module.name));
        action.input("--source=", source, "");
        action.text(&format!("--settings={}", plan.settings));
        for folder in &plan.include_path {
            action.place("--include=", folder, "");
        }
        action.place("--build=", &Location::Build(String::new()), "");
        action.output("--output=", &cx.output(&plan.output, GENERATED, product)?, "");
        for header in &plan.headers {
            action.output("--header=", &cx.output(header, GENERATED, product)?, "");
        }
        let beside = [(&plan.annotation, ANNOTATION), (&plan.debug_information, DEBUG_INFORMATION)];
        for (path, kind) in beside {
            if let Some(path) = path {
                action.makes(&cx.output(path, kind, product)?);
            }
        }
        action.dependency_file("--dependencies=", &format!("{}.d", plan.output), "trace");
        Action::submit(action)?;
        if let Some(path) = &plan.annotation {
            cx.report(&Diagnostic {
                severity: Severity::Note,
                code: "annotated".to_owned(),
                message: format!(
                    "the annotated source of `{}` will be `{path}` in the build folder",
                    plan.module.name
                ),
                at: None,
                help: Vec::new(),
            });
        }
        Ok(())
    }
}

fn check_version(cython: &Distribution) -> Result<(u32, u32), Failure> {
    let version = cython.version();
    let mut parts = version.split('.').map(|part| part.parse::<u32>().ok());
    let found = (parts.next().flatten().unwrap_or(0), parts.next().flatten().unwrap_or(0));
    if found >= OLDEST {
        return Ok(found);
    }
    let message = format!("Cython {version} is too old: 0.29 and 3.0 or later are supported");
    Err(Diagnostic::error("old-cython", message)
        .with_help(format!("write `{REQUIREMENT}` in `build-system.requires`"))
        .into())
}
