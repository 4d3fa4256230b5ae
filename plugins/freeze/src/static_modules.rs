//! The command `static-modules`: what toolchains made of the project's extension modules becomes a static
//! wheel's files.

use ekiben_plugin::{Action, Artifact, Context, Failure, Location, Product};
use serde_json::json;

use crate::emit::{Runtime, action, executables, find_runtime};
use crate::libraries::{self, Linked};

/// The kind of products, and of what a toolchain makes of them: one object of a whole module.
pub(crate) const MODULE: &str = "static-module";

/// The kind of lists of what a module is linked with.
pub(crate) const LIBRARIES: &str = "linked-libraries";

/// Where toolchains are asked to put modules, and where files of a wheel lie, below the build folder.
const MODULES: &str = "modules/";
const ENTRIES: &str = "wheel-entry";

/// What a static wheel says of itself, in its `.dist-info`.
const MANIFEST: &str = "static.json";

/// An extension module on its way into a program.
struct Module {
    name: String,
    object: Artifact,
    /// Where the object lies in a wheel.
    path: String,
    linked: Linked,
}

impl Module {
    fn of(product: &Product, runtime: Option<&Runtime>) -> Result<Self, Failure> {
        let name = product.name();
        let mistake = |what: &str| Failure::Internal(format!("the module `{name}` has no {what}"));
        let object = product.artifacts(MODULE)?.into_iter().next();
        let object = object.ok_or_else(|| mistake("object"))?;
        let path = match object.location() {
            Location::Build(path) => path.strip_prefix(MODULES).map(str::to_owned),
            _ => None,
        };
        let mut path = path.ok_or_else(|| mistake("place in a wheel"))?;
        if let Some(Runtime { suffix, .. }) = runtime {
            path = libraries::object_path(&path, suffix);
        }
        Ok(Self { linked: linked(product)?, name, object, path })
    }
}

/// What a toolchain says that a module is linked with.
fn linked(product: &Product) -> Result<Linked, Failure> {
    let mut all = Linked::default();
    for list in product.artifacts(LIBRARIES)? {
        all = Linked::parse(&String::from_utf8_lossy(&list.read()?));
    }
    Ok(all)
}

fn modules(products: &[Product]) -> impl Iterator<Item = &Product> {
    products.iter().filter(|product| product.kind() == MODULE)
}

/// Plans an action for each module, and one for what is said of them all.
pub(crate) fn emit(cx: &Context) -> Result<(), Failure> {
    let products = cx.products();
    // Without programs they are for the interpreter that builds them.
    let runtime = executables(&products).next().map(|program| find_runtime(cx, program));
    let runtime = runtime.transpose()?;
    let found = modules(&products).map(|product| Module::of(product, runtime.as_ref()));
    let found: Vec<Module> = found.collect::<Result<_, _>>()?;
    let mut listed = Vec::new();
    for module in &found {
        let plan = json!({ "isolate": { "module": module.name } });
        let action = action(cx, "Isolate", &plan)?;
        action.description(&format!("isolate {}", module.name));
        action.input("module", &module.object, "");
        let path = format!("{ENTRIES}/{}", module.path);
        let isolated = cx.output(&path, "wheel-entry", Some(&module.name))?;
        action.output("isolated", &isolated, "");
        Action::submit(action)?;
        let names = module.linked.libraries.iter().map(|library| library.name.as_str());
        listed.push(json!({
            "name": module.name,
            "object": module.path,
            "libraries": names.collect::<Vec<_>>(),
        }));
    }
    let Some(first) = found.first() else { return Ok(()) };
    let all = libraries::together(found.iter().map(|module| &module.linked));
    let all: Vec<_> = all
        .iter()
        .map(|library| json!({ "name": library.name, "archive": library.archive }))
        .collect();
    let distribution = Distribution::of(cx)?;
    let plan = json!({ "describe": {
        "name": distribution.name,
        "version": distribution.version,
        "python": runtime.map(|runtime| runtime.version).or_else(|| cx.fact("python.version")),
        "compiler": first.linked.compiler,
        "linker": first.linked.linker,
        "modules": listed,
        "libraries": all,
    }});
    let action = action(cx, "Describe", &plan)?;
    action.description("describe the modules of programs");
    let path = format!("{ENTRIES}/{}/{MANIFEST}", distribution.folder);
    action.output("manifest", &cx.output(&path, "wheel-entry", None)?, "");
    Action::submit(action)
}

/// The archives of the machine that programs with these modules are linked with.
pub(crate) fn archives(cx: &Context, products: &[Product]) -> Result<Vec<Artifact>, Failure> {
    let linked: Vec<Linked> = modules(products).map(linked).collect::<Result<_, _>>()?;
    let mut found = Vec::new();
    for library in libraries::together(linked.iter()) {
        if let Some(archive) = &library.archive {
            found.extend(cx.system_file(archive)?);
        }
    }
    Ok(found)
}

/// What the metadata say of the project.
struct Distribution {
    /// The folder of its metadata.
    folder: String,
    name: String,
    version: String,
}

impl Distribution {
    fn of(cx: &Context) -> Result<Self, Failure> {
        let files = cx.installed_files()?;
        let metadata = files.iter().find_map(|(path, file)| {
            let folder = path.strip_suffix("/METADATA")?;
            folder.ends_with(".dist-info").then_some((folder, file))
        });
        let Some((folder, metadata)) = metadata else {
            return Err(Failure::Internal("the build has no metadata".to_owned()));
        };
        let text = metadata.read()?;
        let text = String::from_utf8_lossy(&text);
        let field = |name: &str| {
            let mut headers = text.lines().take_while(|line| !line.is_empty());
            let value = headers.find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            value.unwrap_or_default().trim().to_owned()
        };
        Ok(Self { folder: folder.to_owned(), name: field("Name"), version: field("Version") })
    }
}
