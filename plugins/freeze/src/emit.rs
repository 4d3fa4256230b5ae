//! Between the host and what was decided.

use ekiben_plugin::{Action, Artifact, Context, Diagnostic, Failure, Location, Product};
use serde_json::{Value, json};

use crate::{platforms, requirements, static_modules};

/// The host's service.
pub(crate) const SERVICE: &str = "program";

/// The kind of products, and of what is made of them.
pub(crate) const EXECUTABLE: &str = "executable";

/// The kind of lists of requirements.
pub(crate) const REQUIREMENTS: &str = "requirements";

/// The settings that the service gets as they are.
const PASSED_ON: [&str; 11] = [
    "include",
    "exclude",
    "prune",
    "relink",
    "link",
    "linker",
    "static-config",
    "strict",
    "optimize",
    "sources",
    "set",
];

/// What the service says of a runtime, or of an ordinary interpreter in place of one.
pub(crate) struct Runtime {
    digest: String,
    flavour: String,
    /// What a person should know of the choice.
    note: Option<String>,
    architecture: String,
    glibc: Option<String>,
    /// The release of CPython.
    pub(crate) version: String,
    /// The folder of its headers. Of an ordinary interpreter none are taken.
    include: Option<String>,
    /// What follows the name in the files of its extension modules.
    pub(crate) suffix: String,
}

/// The command `runtime`: says on which platforms the programs run, after those of a runtime that is
/// there.
pub(crate) fn runtime(cx: &Context) -> Result<(), Failure> {
    let products = cx.products();
    for (at, product) in executables(&products).enumerate() {
        let runtime = find_runtime(cx, product)?;
        if at == 0 {
            if let Some(note) = &runtime.note {
                let report = Diagnostic::warning("host", note.clone());
                cx.report(&placed(report, product, &["python"]));
            }
            // They are parts of this Python, whatever the interpreter is that builds them.
            for module in products.iter().filter(|it| it.kind() == static_modules::MODULE) {
                let Some(include) = &runtime.include else {
                    return Err(unlinkable(product, &module.name()).into());
                };
                module.include_directory(&Location::System(include.clone()))?;
            }
        }
        let tags = match runtime.flavour.as_str() {
            "static" => platforms::of_static(&runtime.architecture),
            _ => platforms::of_dynamic(&runtime.architecture, runtime.glibc.as_deref()),
        };
        for tag in tags {
            product.platform(&tag)?;
        }
    }
    Ok(())
}

/// Nothing can be linked with an ordinary interpreter.
fn unlinkable(product: &Product, module: &str) -> Diagnostic {
    let message = format!(
        "`{module}` is an extension module, which can't be linked with an ordinary interpreter"
    );
    let error = Diagnostic::error("host", message)
        .with_help("`ekiben runtime build` makes a runtime, with which it can be")
        .with_help("or build it as a wheel of its own, with `artifact = \"extension\"`, and depend on that");
    placed(error, product, &["flavour"])
}

/// The command `program`: an action for each program, and one that resolves what they depend on if
/// nothing pins that.
pub(crate) fn program(cx: &Context) -> Result<(), Failure> {
    let products = cx.products();
    let files = cx.installed_files()?;
    let mut dependencies = None;
    for product in executables(&products) {
        let runtime = find_runtime(cx, product)?;
        if dependencies.is_none() {
            // They are those of the project: the same for all its programs.
            dependencies = Some(Dependencies::of(cx, product, &files, &runtime)?);
        }
        let mut plan = serde_json::Map::new();
        plan.insert("runtime".to_owned(), json!(runtime.digest));
        plan.insert("flavour".to_owned(), json!(runtime.flavour));
        plan.insert("entry-point".to_owned(), setting(product, "entry-point")?);
        for key in PASSED_ON {
            plan.insert(key.to_owned(), setting(product, key)?);
        }
        let found = dependencies.as_ref().and_then(|found| found.file.as_ref());
        let is_resolved = dependencies.as_ref().is_some_and(|found| found.is_resolved);
        plan.insert("resolved".to_owned(), json!(is_resolved));
        let static_wheels = static_wheels(cx, product)?;
        let has_modules = products.iter().any(|product| product.kind() == static_modules::MODULE);
        let links = has_modules || !static_wheels.is_empty();
        plan.insert("links".to_owned(), json!(links));
        // What a program of this flavour can't load may have to be linked in.
        let may_link = found.is_some() && (runtime.flavour == "static" || asks_for_links(product)?);
        plan.insert("may-link".to_owned(), json!(may_link));
        let action = action(cx, "Freeze", &json!({ "freeze": plan }))?;
        action.description(&format!("freeze {}", product.name()));
        for (path, file) in &files {
            action.input(&format!("site/{path}"), file, "");
        }
        for archive in static_modules::archives(cx, &products)? {
            action.reads(&archive);
        }
        if let Some(requirements) = found {
            action.input("requirements", requirements, "");
        }
        for (name, file) in hints(cx, product)? {
            action.input(&name, &file, "");
        }
        for (name, file) in static_wheels {
            action.input(&name, &file, "");
        }
        if let Some(file) = trace_file(cx, product)? {
            action.input("trace-file", &file, "");
        }
        let name = product.name();
        let program = cx.output(&format!("program/{name}"), EXECUTABLE, Some(&name))?;
        action.output("program", &program, "");
        Action::submit(action)?;
    }
    Ok(())
}

/// Whether packages are to be linked in.
fn asks_for_links(product: &Product) -> Result<bool, Failure> {
    let is_static = |value: &Value| value == "static";
    Ok(match setting(product, "link")? {
        Value::Object(packages) => packages.values().any(is_static),
        value => is_static(&value),
    })
}

/// What programs depend on.
struct Dependencies {
    /// A list that pins it; none if that is nothing.
    file: Option<Artifact>,
    /// Whether the list was resolved in this build.
    is_resolved: bool,
}

impl Dependencies {
    fn of(
        cx: &Context,
        product: &Product,
        files: &[(String, Artifact)],
        runtime: &Runtime,
    ) -> Result<Self, Failure> {
        let asked = match setting(product, "requirements")? {
            Value::String(path) => {
                let (file, text) = requirements_file(cx, product, &path)?;
                if requirements::is_pinned(&path, &text) {
                    return Ok(Self { file: Some(file), is_resolved: false });
                }
                file
            }
            _ => {
                let stated = stated(cx, product, files)?;
                if stated.is_empty() {
                    return Ok(Self { file: None, is_resolved: false });
                }
                let text = stated.join("\n") + "\n";
                cx.write("program/requirements.in", REQUIREMENTS, None, text.as_bytes())?
            }
        };
        let resolved = cx.output("program/requirements.txt", REQUIREMENTS, None)?;
        let plan = json!({ "runtime": runtime.digest, "flavour": runtime.flavour });
        let action = action(cx, "Resolve", &json!({ "resolve": plan }))?;
        action.description("resolve what the programs depend on");
        action.input("requirements", &asked, "");
        action.output("resolved", &resolved, "");
        // What an index holds changes.
        action.anew();
        Action::submit(action)?;
        Ok(Self { file: Some(resolved), is_resolved: true })
    }
}

/// The requirements of the metadata and of dependency groups.
fn stated(
    cx: &Context,
    product: &Product,
    files: &[(String, Artifact)],
) -> Result<Vec<String>, Failure> {
    let metadata = files.iter().find(|(path, _)| path.ends_with(".dist-info/METADATA"));
    let Some((_, metadata)) = metadata else {
        return Err(Failure::Internal("the build has no metadata".to_owned()));
    };
    let metadata = metadata.read()?;
    let mut stated = requirements::of_metadata(&String::from_utf8_lossy(&metadata));
    for group in texts(setting(product, "dependency-groups")?) {
        let key = format!("project.dependency-group.{group}");
        let requirements = cx.fact(&key).unwrap_or_default();
        stated.extend(texts(serde_json::from_str(&requirements).unwrap_or_default()));
    }
    Ok(stated)
}

fn requirements_file(
    cx: &Context,
    product: &Product,
    path: &str,
) -> Result<(Artifact, String), Failure> {
    let tree = cx.source_tree()?;
    if !tree.exists(path)? {
        let error = Diagnostic::error(
            "missing-file",
            format!("there is no file `{path}` that says what goes into the program"),
        )
        .with_help(
            "`uv export --format pylock.toml`, or `uv pip compile --generate-hashes`, makes one",
        );
        return Err(placed(error, product, &["requirements"]).into());
    }
    let text = String::from_utf8_lossy(&tree.read(path)?).into_owned();
    Ok((tree.file(path)?, text))
}

/// The file of recorded imports, if the settings name one.
fn trace_file(cx: &Context, product: &Product) -> Result<Option<Artifact>, Failure> {
    let Value::String(path) = setting(product, "trace-file")? else { return Ok(None) };
    let tree = cx.source_tree()?;
    if tree.exists(&path)? {
        return Ok(Some(tree.file(&path)?));
    }
    let message = format!("there is no file `{path}` of recorded imports");
    let error = Diagnostic::error("missing-file", message)
        .with_help(format!("`ekiben freeze . --trace --trace-file {path}` makes one"));
    Err(placed(error, product, &["trace-file"]).into())
}

/// The files of hints, each with its name in the plan.
fn hints(cx: &Context, product: &Product) -> Result<Vec<(String, Artifact)>, Failure> {
    let tree = cx.source_tree()?;
    let mut files = Vec::new();
    for (at, folder) in texts(setting(product, "hints")?).iter().enumerate() {
        let found = tree.glob(&format!("{}/*.toml", folder.trim_end_matches('/')))?;
        if found.is_empty() {
            let message = format!("there are no hints in `{folder}`");
            let error = Diagnostic::error("missing-file", message)
                .with_help("hints are files that end in `.toml`");
            return Err(placed(error, product, &["hints"]).into());
        }
        for path in found {
            let name = path.rsplit('/').next().unwrap_or(&path);
            files.push((format!("hints/{at}/{name}"), tree.file(&path)?));
        }
    }
    Ok(files)
}

/// The static wheels, each with its name in the plan.
fn static_wheels(cx: &Context, product: &Product) -> Result<Vec<(String, Artifact)>, Failure> {
    let tree = cx.source_tree()?;
    let mut files = Vec::new();
    for (at, folder) in texts(setting(product, "static-wheels")?).iter().enumerate() {
        let found = tree.glob(&format!("{}/*.whl", folder.trim_end_matches('/')))?;
        if found.is_empty() {
            let error =
                Diagnostic::error("missing-file", format!("there are no wheels in `{folder}`"))
                    .with_help("`ekiben static export` puts static wheels into a folder");
            return Err(placed(error, product, &["static-wheels"]).into());
        }
        for path in found {
            let name = path.rsplit('/').next().unwrap_or(&path);
            files.push((format!("static-wheels/{at}/{name}"), tree.file(&path)?));
        }
    }
    Ok(files)
}

pub(crate) fn executables(products: &[Product]) -> impl Iterator<Item = &Product> {
    products.iter().filter(|product| product.kind() == EXECUTABLE)
}

pub(crate) fn find_runtime(cx: &Context, product: &Product) -> Result<Runtime, Failure> {
    // Who requires a runtime has chosen its version by that; the interpreter's is for all others.
    let (python, otherwise) = match setting(product, "python")? {
        Value::String(python) => (Some(python.clone()), python),
        _ => (None, series(cx)?),
    };
    let flavour = setting(product, "flavour")?;
    let question = json!({
        "runtime": { "python": python, "otherwise": otherwise, "flavour": flavour },
    });
    let answer = cx.ask(SERVICE, &question.to_string()).map_err(|failure| match failure {
        Failure::User(errors) => {
            let at = |error| placed(error, product, &["python", "flavour"]);
            Failure::User(errors.into_iter().map(at).collect())
        }
        other => other,
    })?;
    let answer: Value = serde_json::from_str(&answer)
        .map_err(|error| Failure::Internal(format!("the answer `{answer}`: {error}")))?;
    let text = |key: &str| answer.get(key).and_then(Value::as_str).map(str::to_owned);
    let needed = |key: &str| {
        let mistake = || Failure::Internal(format!("the answer `{answer}` has no `{key}`"));
        text(key).ok_or_else(mistake)
    };
    Ok(Runtime {
        digest: needed("digest")?,
        flavour: needed("flavour")?,
        note: text("note"),
        architecture: needed("architecture")?,
        glibc: text("glibc"),
        version: needed("version")?,
        include: text("include"),
        suffix: needed("suffix")?,
    })
}

/// The series of the interpreter that builds, such as `3.13`.
fn series(cx: &Context) -> Result<String, Failure> {
    let version = cx.fact("python.version").ok_or_else(|| {
        Failure::from(
            Diagnostic::error(
                "no-interpreter",
                "there is no interpreter whose version programs could have",
            )
            .with_help("give `python` in [tool.ekiben.executable]"),
        )
    })?;
    let parts: Vec<&str> = version.split('.').take(2).collect();
    Ok(parts.join("."))
}

/// A setting; null if it isn't given.
fn setting(product: &Product, key: &str) -> Result<Value, Failure> {
    let Some(json) = product.setting(key) else { return Ok(Value::Null) };
    serde_json::from_str(&json)
        .map_err(|error| Failure::Internal(format!("the setting `{key}`: {error}")))
}

fn texts(list: Value) -> Vec<String> {
    let Value::Array(list) = list else { return Vec::new() };
    list.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

pub(crate) fn action(cx: &Context, mnemonic: &str, plan: &Value) -> Result<Action, Failure> {
    cx.service_action(mnemonic, SERVICE, &plan.to_string())
}

/// Points at the first of these settings that stands in a file.
fn placed(error: Diagnostic, product: &Product, keys: &[&str]) -> Diagnostic {
    let at = keys.iter().find_map(|key| product.setting_place(key));
    Diagnostic { at: at.or(error.at.clone()), ..error }
}
