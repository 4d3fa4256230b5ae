//! The limited API: which modules keep to it, what that means to names and tags, and the check of
//! what the linked modules really use.
//!
//! Invariant: no wheel says `abi3` whose modules weren't checked. The check is an action of whoever
//! writes the wheel, on the very file that goes into it, and an input of the wheel's action.

use ekiben_engine::{Action, ActionError, ArtifactId, FunctionContext, RelPath};
use ekiben_object::abi3::{self, Findings};
use ekiben_project::LIMITED_API_MACRO;
use ekiben_python::{Error, ExtensionAbi, PythonVersion, Tag};

use crate::build::Shared;
use crate::configuration::Configuration;
use crate::graph::CommandName;
use crate::problem::{Cause, Problem, Problems, Severity};
use crate::products::Product;

/// The version of the limited API that `product` is built for; none if it is built for the
/// interpreter's own ABI.
///
/// # Errors
/// When the interpreter is older than the version.
pub(crate) fn version(
    product: &Product,
    configuration: &Configuration,
) -> Result<Option<PythonVersion>, Problems> {
    let Some(asked) = product.build().limited_api() else { return Ok(None) };
    let asked = PythonVersion::new(3, asked.minor());
    match configuration.interpreter()?.abi3_tag(asked) {
        Ok(_) => Ok(Some(asked)),
        Err(Error::NoLimitedApi { .. }) => Ok(None),
        Err(error @ Error::LimitedApiVersion { .. }) => {
            let message = format!("the extension `{}`: {error}", product.name);
            let key = key(product, configuration);
            let key: Vec<&str> = key.iter().map(String::as_str).collect();
            let project = configuration.project();
            Err(Problem::from(project.error_at(&key, "limited-api-version", &message))
                .help(format!("build with Python {asked} or later, or ask for an older version"))
                .into())
        }
        Err(error) => Err(error.into()),
    }
}

/// The setting that says so: the extension's own, or the default.
fn key(product: &Product, configuration: &Configuration) -> Vec<String> {
    let mut extensions = configuration.project().settings().extension.iter();
    let own = extensions.position(|extension| {
        extension.name.as_str() == product.name && extension.build.limited_api.is_some()
    });
    let table = match own {
        Some(at) => vec!["extension".to_owned(), at.to_string()],
        None => vec!["defaults".to_owned()],
    };
    [table, vec!["limited-api".to_owned()]].concat()
}

/// Says so if modules that ask for the limited API can't have it here.
pub(crate) fn note_fallback(shared: &Shared) -> Result<(), Problems> {
    let configuration = &shared.configuration;
    for product in shared.modules() {
        if product.build().limited_api().is_some() && version(product, configuration)?.is_none() {
            let python = configuration.interpreter()?.describe();
            let message = format!(
                "{python} can't import modules of the limited API, so these are built for its own ABI"
            );
            let problem = Problem::warning(Cause::Environment, "no-limited-api", message);
            shared.observer.problem(&Problem { severity: Severity::Note, ..problem });
            return Ok(());
        }
    }
    Ok(())
}

/// The macro that headers look at, with its value.
pub(crate) fn definition(version: PythonVersion) -> (String, Option<String>) {
    let value = format!("0x{:02X}{:02X}0000", version.major, version.minor);
    (LIMITED_API_MACRO.to_owned(), Some(value))
}

/// The kind of file name that a module of this version has.
pub(crate) fn abi(version: Option<PythonVersion>) -> ExtensionAbi {
    version.map_or(ExtensionAbi::Full, |_| ExtensionAbi::Limited)
}

/// The tag of a wheel with all modules: that of the limited API only if every one keeps to it.
pub(crate) fn wheel_tag(
    configuration: &Configuration,
    products: &[Product],
) -> Result<Tag, Problems> {
    let interpreter = configuration.interpreter()?;
    let modules = products.iter().filter(|product| product.is_module());
    let versions = modules.map(|product| version(product, configuration));
    let versions: Option<Vec<PythonVersion>> =
        versions.collect::<Result<Vec<_>, _>>()?.into_iter().collect();
    match versions.and_then(|versions| versions.into_iter().max()) {
        Some(newest) => Ok(interpreter.abi3_tag(newest)?),
        None => Ok(interpreter.extension_tag()),
    }
}

/// Submits the check of `module`, the linked file of `product`, in the name of `command`. What it
/// gives has to be an input of what must not be made if the check fails. Nothing for a module of the
/// full ABI.
pub(crate) fn check(
    shared: &Shared,
    command: &CommandName,
    product: &str,
    module: ArtifactId,
) -> Result<Option<ArtifactId>, Problems> {
    let Some(found) = shared.products.iter().find(|known| known.name == product) else {
        return Ok(None);
    };
    let Some(limit) = version(found, &shared.configuration)? else { return Ok(None) };
    let path = format!("limited-api/{command}/{product}.txt");
    let path = RelPath::new(&path).map_err(|error| {
        Problem::error(Cause::Internal, "path", format!("the path `{path}`: {error}"))
    })?;
    let output = shared.engine.output(path);
    let parameters = serde_json::json!({
        "module": product,
        "version": limit.to_string(),
        "data": abi3::data_version(),
    });
    let name = product.to_owned();
    let action = Action::function(
        command.to_string(),
        "LimitedApi",
        ("check-limited-api", env!("CARGO_PKG_VERSION")),
        parameters,
        move |cx| run(cx, &name, limit, module, output),
    )
    .describe(format!("check that {product} keeps to the limited API of {limit}"))
    .input(module)
    .output(output);
    shared.engine.submit(action)?;
    Ok(Some(output))
}

fn run(
    cx: &FunctionContext,
    product: &str,
    limit: PythonVersion,
    module: ArtifactId,
    output: ArtifactId,
) -> Result<(), ActionError> {
    let binaries = ekiben_object::read(&cx.read(module)?).map_err(|error| ActionError {
        message: format!("what `{product}` uses of Python can't be seen: {error}"),
        hint: Some("build without `limited-api`, or keep the dynamic symbols".to_owned()),
    })?;
    for binary in &binaries {
        let findings = abi3::check(binary, abi3::Version(limit.minor));
        if !findings.is_empty() {
            return Err(refusal(product, limit, &findings));
        }
    }
    cx.write(output, format!("{product}: limited API of {limit}\n").as_bytes())
}

fn refusal(product: &str, limit: PythonVersion, findings: &Findings) -> ActionError {
    let symbols = findings.symbols.iter().map(|(name, reason)| format!("\n  {name}: {reason}"));
    let libraries = findings.libraries.iter();
    let libraries = libraries.map(|name| format!("\n  {name}: a library of one Python version"));
    let list: String = symbols.chain(libraries).collect();
    let hint = match findings.sufficient() {
        Some(version) if findings.libraries.is_empty() => format!(
            "set `limited-api = \"{version}\"`, which has them all, or do without what came later"
        ),
        _ if findings.symbols.is_empty() => "don't link with Python's library: whoever imports \
             the module has it already"
            .to_owned(),
        _ => "do without them, or set `limited-api = false` for the extension".to_owned(),
    };
    ActionError {
        message: format!("`{product}` uses what isn't in the limited API of Python {limit}:{list}"),
        hint: Some(hint),
    }
}

#[cfg(test)]
mod tests {
    use ekiben_object::abi3::{Reason, Version};

    use super::*;

    #[test]
    fn the_macro_has_the_form_of_a_version() {
        let value = |minor| definition(PythonVersion::new(3, minor)).1;
        assert_eq!(value(9).as_deref(), Some("0x03090000"));
        assert_eq!(value(11).as_deref(), Some("0x030B0000"));
    }

    #[test]
    fn a_library_of_one_version_is_refused_whatever_the_symbols() {
        let later = ("PyType_GetName".to_owned(), Reason::AddedIn(Version(11)));
        let mut findings =
            Findings { symbols: vec![later], libraries: vec!["libpython3.12.so.1.0".to_owned()] };
        let limit = PythonVersion::new(3, 9);
        let error = refusal("spam._x", limit, &findings);
        insta::assert_snapshot!(error.message, @r"
        `spam._x` uses what isn't in the limited API of Python 3.9:
          PyType_GetName: added in 3.11
          libpython3.12.so.1.0: a library of one Python version
        ");
        findings.symbols.clear();
        let hint = refusal("spam._x", limit, &findings).hint.unwrap_or_default();
        assert!(hint.starts_with("don't link with Python's library"), "{hint}");
    }
}
