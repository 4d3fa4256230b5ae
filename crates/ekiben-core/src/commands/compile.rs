//! `compile`: asks a toolchain to turn each product's sources into objects, one request a language.

use ekiben_engine::{Location, SystemPath};

use super::CommandContext;
use super::discover::place;
use crate::contributions::{Added, Stage};
use crate::graph::Kind;
use crate::limited_api;
use crate::plugin::protocol::{ArtifactInfo, CompileRequest};
use crate::plugin::{Call, PluginError};
use crate::plugins::Plugins;
use crate::problem::{Cause, Problem, Problems};
use crate::products::{Product, locations};

/// The folder, below the build folder, where sources lie that stand in for others.
const STAND_INS: &str = "static/";

pub(super) fn run(cx: &CommandContext) -> Result<(), Problems> {
    cx.shared.contributions.close(Stage::Compile);
    if cx.shared.modules().next().is_none() {
        return Ok(());
    }
    cx.shared.modules().try_for_each(|product| check_answered(cx, product))?;
    cx.shared.configuration.interpreter()?.check_headers()?;
    limited_api::note_fallback(&cx.shared)?;
    for product in cx.shared.modules() {
        for (language, sources) in by_language(cx, product)? {
            compile(cx, product, &language, sources)?;
        }
    }
    Ok(())
}

/// The product's sources, generated ones last, grouped by language in the order of first use.
fn by_language(
    cx: &CommandContext,
    product: &Product,
) -> Result<Vec<(String, Vec<ArtifactInfo>)>, Problems> {
    let configured = product.sources.iter().map(|path| {
        let location = place(path)?;
        Ok(ArtifactInfo {
            location,
            kind: Kind::SOURCE.as_str().to_owned(),
            product: Some(product.name.clone()),
        })
    });
    let generated = generated(cx, product).into_iter().map(Ok);
    let mut groups: Vec<(String, Vec<ArtifactInfo>)> = Vec::new();
    let plugins = cx.shared.configuration.plugins();
    for source in configured.chain(generated) {
        let source: ArtifactInfo = source.map_err(|problems: Problems| problems)?;
        let name = source.location.to_string();
        if plugins.translation_of(&name).is_some() {
            // What became of it is among the generated sources.
            continue;
        }
        if source.kind != Kind::SOURCE.as_str() && is_header(&name, plugins) {
            continue;
        }
        let Some(language) = product.language_of(&name, plugins) else {
            return Err(unknown_language(cx, product, &name));
        };
        match groups.iter_mut().find(|(known, _)| known == language) {
            Some((_, sources)) => sources.push(source),
            None => groups.push((language.to_owned(), vec![source])),
        }
    }
    Ok(groups)
}

/// The product's generated sources. Where there is one for programs alone, it stands in for that of the
/// same path.
fn generated(cx: &CommandContext, product: &Product) -> Vec<ArtifactInfo> {
    let of = |kind: &Kind| cx.of(kind, Some(&product.name)).into_iter().map(|known| known.info);
    let mut sources: Vec<ArtifactInfo> = of(&Kind::GENERATED_SOURCE).collect();
    for stand_in in of(&Kind::STATIC_SOURCE).filter(|_| product.is_static_module()) {
        let path = stand_in.location.to_string();
        let path = path.strip_prefix(STAND_INS).unwrap_or(&path);
        match sources.iter_mut().find(|source| source.location.to_string() == path) {
            Some(source) => *source = stand_in,
            None => sources.push(stand_in),
        }
    }
    sources
}

/// What a generator has made in no language is a header: it is included, not compiled.
fn is_header(name: &str, plugins: &Plugins) -> bool {
    plugins.language_of(name).is_none()
}

/// A plugin that says it answers a word must have done so by now.
fn check_answered(cx: &CommandContext, product: &Product) -> Result<(), Problems> {
    let answered = cx.shared.contributions.of(&product.name).answered;
    let left = product.build().uses.iter().find(|word| !answered.contains(word.as_str()));
    left.map_or(Ok(()), |word| {
        let message = format!(
            "`uses = [\"{word}\"]` of the extension `{}` got no answer from the plugin that offers it",
            product.name
        );
        Err(Problem::error(Cause::Internal, "unanswered", message)
            .help("`ekiben graph` shows whether its command was disabled or replaced")
            .into())
    })
}

fn unknown_language(cx: &CommandContext, product: &Product, name: &str) -> Problems {
    let message =
        format!("no plugin compiles `{name}`, a source of the extension `{}`", product.name);
    let project = cx.shared.configuration.project();
    let mut known: Vec<&str> = cx
        .shared
        .configuration
        .plugins()
        .iter()
        .flat_map(|plugin| &plugin.description().languages)
        .flat_map(|language| language.suffixes.iter().map(String::as_str))
        .collect();
    known.sort_unstable();
    known.dedup();
    Problem::from(project.error_at(&["extension"], "unknown-language", &message))
        .help(format!("the suffixes that are known: {}", known.join(", ")))
        .into()
}

fn compile(
    cx: &CommandContext,
    product: &Product,
    language: &str,
    sources: Vec<ArtifactInfo>,
) -> Result<(), Problems> {
    let request = request(cx, product, language, sources)?;
    let mut refused = Vec::new();
    let mut depends = product.depends.iter().map(place).collect::<Result<Vec<_>, _>>()?;
    // A source that includes a generated header waits for it.
    let generated = cx.of(&Kind::GENERATED_SOURCE, Some(&product.name)).into_iter();
    let plugins = cx.shared.configuration.plugins();
    depends.extend(
        generated
            .map(|known| known.info.location)
            .filter(|location| is_header(&location.to_string(), plugins)),
    );
    for plugin in cx.shared.toolchains(language) {
        match cx.call_with(&plugin, Call::Compile(&request), depends.clone()) {
            Ok(world) => {
                let objects = world.made(Kind::OBJECT.as_str());
                if objects.len() == request.sources.len() {
                    return Ok(());
                }
                return Err(PluginError::Mistake {
                    plugin: plugin.title(),
                    call: Call::Compile(&request).to_string(),
                    problem: format!(
                        "it made {} objects of {} sources",
                        objects.len(),
                        request.sources.len()
                    ),
                }
                .into());
            }
            Err(PluginError::Unsupported { what, .. }) => refused.push((plugin.title(), what)),
            Err(error) => return Err(error.into()),
        }
    }
    Err(no_toolchain(language, &refused))
}

/// No plugin serves: each says why not.
pub(super) fn no_toolchain(language: &str, refused: &[(String, String)]) -> Problems {
    let message = format!("no toolchain can build {language} here");
    let mut problem = Problem::error(Cause::Environment, "no-toolchain", message);
    for (plugin, why) in refused {
        problem = problem.help(format!("the plugin {plugin} says: {why}"));
    }
    problem.into()
}

/// The limited API, then what plugins define, unless the project has its own mind about the name,
/// then what it defines.
fn definitions(
    product: &Product,
    added: &Added,
    limited: Option<&(String, Option<String>)>,
) -> Vec<(String, Option<String>)> {
    let build = product.build();
    let is_own = |name: &str| {
        limited.is_some_and(|(known, _)| known == name)
            || build.define.contains_key(name)
            || build.undefine.iter().any(|known| known.as_str() == name)
    };
    let theirs = added.definitions.iter().filter(|(name, _)| !is_own(name)).cloned();
    limited.into_iter().cloned().chain(theirs).chain(product.definitions()).collect()
}

fn request(
    cx: &CommandContext,
    product: &Product,
    language: &str,
    sources: Vec<ArtifactInfo>,
) -> Result<CompileRequest, Problems> {
    let build = product.build();
    let added = cx.shared.contributions.of(&product.name);
    let mut include_directories = locations(&build.include_dirs, &cx.shared.configuration)?;
    include_directories.extend(added.include_directories.iter().cloned());
    for folder in cx.shared.configuration.interpreter()?.include_folders() {
        include_directories.extend(SystemPath::new(folder).ok().map(Location::System));
    }
    let is_c = matches!(language, "c" | "c++");
    let limit = limited_api::version(product, &cx.shared.configuration)?.filter(|_| is_c);
    Ok(CompileRequest {
        product: product.name.clone(),
        language: language.to_owned(),
        sources,
        include_directories,
        definitions: definitions(product, &added, limit.map(limited_api::definition).as_ref()),
        undefinitions: build.undefine.iter().map(ToString::to_string).collect(),
        standard: product.standard(language),
        optimization: build.optimization().as_str().to_owned(),
        debug: build.debug(),
        warnings: build.warnings().as_str().to_owned(),
        position_independent: true,
        arguments: [added.compile_arguments(language), product.arguments(language)].concat(),
        settings: product.passed_on(),
    })
}
