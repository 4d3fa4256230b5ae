//! `link`: asks a toolchain to make each extension module from its objects.

use ekiben_engine::{Location, RelPath};
use ekiben_project::{SearchPath, StaticLibrary};

use super::CommandContext;
use super::compile::no_toolchain;
use crate::contributions::Stage;
use crate::graph::Kind;
use crate::limited_api;
use crate::plugin::protocol::{ArtifactInfo, LinkRequest};
use crate::plugin::{Call, PluginError};
use crate::problem::{Cause, Problem, Problems};
use crate::products::{Product, locations};

pub(super) fn run(cx: &CommandContext) -> Result<(), Problems> {
    cx.shared.contributions.close(Stage::Link);
    for product in cx.shared.modules() {
        link(cx, product)?;
    }
    Ok(())
}

/// Where an extension module goes in the wheel.
pub(super) fn target(cx: &CommandContext, module: &str) -> Result<String, Problems> {
    let configuration = &cx.shared.configuration;
    let product = cx.shared.products.iter().find(|product| product.name == module);
    let version =
        product.map(|product| limited_api::version(product, configuration)).transpose()?;
    let abi = limited_api::abi(version.flatten());
    Ok(configuration.interpreter()?.extension_file_name(module, abi)?)
}

/// Where the object of a module lies whose shared object would be at `path`.
fn object_path(path: &str) -> String {
    format!("{}.o", path.rsplit_once('.').map_or(path, |(stem, _)| stem))
}

fn link(cx: &CommandContext, product: &Product) -> Result<(), Problems> {
    let mut path = format!("modules/{}", target(cx, &product.name)?);
    if product.is_static_module() {
        path = object_path(&path);
    }
    let path = RelPath::new(&path).map_err(|error| {
        Problem::error(Cause::Internal, "path", format!("the path `{path}`: {error}"))
    })?;
    let location = Location::Build(path);
    let request = request(cx, product, &location)?;
    cx.add(location, &product.kind, Some(&product.name))?;
    let mut refused = Vec::new();
    // Which plugin links follows from who compiled: its objects may be its own kind of thing.
    let language = request.languages.first().cloned().unwrap_or_else(|| "c".to_owned());
    for plugin in cx.shared.toolchains(&language) {
        match cx.call(&plugin, Call::Link(&request)) {
            Ok(_) => return Ok(()),
            Err(PluginError::Unsupported { what, .. }) => refused.push((plugin.title(), what)),
            Err(error) => return Err(error.into()),
        }
    }
    Err(no_toolchain(&language, &refused))
}

fn request(
    cx: &CommandContext,
    product: &Product,
    output: &Location,
) -> Result<LinkRequest, Problems> {
    let build = product.build();
    let of = |kind: &Kind| -> Vec<ArtifactInfo> {
        cx.of(kind, Some(&product.name)).into_iter().map(|known| known.info).collect()
    };
    let plugins = cx.shared.configuration.plugins();
    let mut languages: Vec<String> = Vec::new();
    let generated = of(&Kind::GENERATED_SOURCE).into_iter().map(|info| info.location.to_string());
    for name in product.sources.iter().map(ToString::to_string).chain(generated) {
        if plugins.translation_of(&name).is_some() {
            continue;
        }
        let language = product.language_of(&name, plugins);
        if let Some(language) = language.filter(|l| !languages.iter().any(|known| known == l)) {
            languages.push(language.to_owned());
        }
    }
    let added = cx.shared.contributions.of(&product.name);
    let mut library_directories = locations(&build.library_dirs, &cx.shared.configuration)?;
    library_directories.extend(added.library_directories);
    let mut static_libraries = of(&Kind::STATIC_LIBRARY);
    let files: Vec<SearchPath> =
        build.static_libraries.iter().filter_map(StaticLibrary::file).collect();
    let files = locations(&files, &cx.shared.configuration)?;
    static_libraries.extend(files.into_iter().chain(added.files).map(|location| ArtifactInfo {
        location,
        kind: Kind::STATIC_LIBRARY.as_str().to_owned(),
        product: Some(product.name.clone()),
    }));
    let own = |arguments: &[ekiben_project::Argument]| -> Vec<String> {
        arguments.iter().map(ToString::to_string).collect()
    };
    Ok(LinkRequest {
        product: product.name.clone(),
        kind: product.kind.to_string(),
        output: ArtifactInfo {
            location: output.clone(),
            kind: product.kind.as_str().to_owned(),
            product: Some(product.name.clone()),
        },
        objects: of(&Kind::OBJECT),
        static_libraries,
        languages,
        libraries: own(&build.libraries).into_iter().chain(added.libraries).collect(),
        library_directories,
        debug: build.debug(),
        optimization: build.optimization().as_str().to_owned(),
        arguments: added.link_arguments.into_iter().chain(own(&build.link_args)).collect(),
        settings: product.passed_on(),
    })
}
