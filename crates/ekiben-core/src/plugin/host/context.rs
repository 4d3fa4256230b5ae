//! The resources that tell a guest what the build is about: `context`, `product` and the requests to
//! a toolchain.

use wasmtime::component::Resource;

use super::{
    CallContext, Fallible, Kinds, State, Tree, below, given, located, missing_capability, take,
    types, wit,
};
use crate::plugin::error::Stopped;
use crate::plugin::protocol::{
    ArtifactInfo, CompileRequest, Contribution, DistributionInfo, Effect, Failure, LinkRequest,
    PlannedAction, ProductInfo, Query, ServicePlan, ToolInfo,
};
use ekiben_engine::{Location, RelPath, SystemPath};

/// The kind of files that lie outside the project, and that nothing in the build makes.
const SYSTEM_FILE: &str = "system-file";

impl wit::HostProduct for State {
    fn name(&mut self, it: Resource<ProductInfo>) -> wasmtime::Result<String> {
        Ok(self.table.get(&it)?.name.clone())
    }

    fn kind(&mut self, it: Resource<ProductInfo>) -> wasmtime::Result<String> {
        Ok(self.table.get(&it)?.kind.clone())
    }

    fn artifacts(
        &mut self,
        it: Resource<ProductInfo>,
        kind: String,
    ) -> Fallible<Vec<Resource<ArtifactInfo>>> {
        if let Some(failure) = self.may_see(&kind)? {
            return Ok(Err(failure));
        }
        let product = Some(self.table.get(&it)?.name.clone());
        let found = self.ask_for(Query::Artifacts { kind, product }, take::artifacts)?;
        Ok(match found {
            Ok(infos) => Ok(self.artifacts(infos)?),
            Err(failure) => Err(failure),
        })
    }

    fn setting(
        &mut self,
        it: Resource<ProductInfo>,
        key: String,
    ) -> wasmtime::Result<Option<String>> {
        let product = self.table.get(&it)?.name.clone();
        Ok(self.ask_for(Query::Setting { product, key }, take::maybe_text)?.unwrap_or(None))
    }

    fn setting_place(
        &mut self,
        it: Resource<ProductInfo>,
        key: String,
    ) -> wasmtime::Result<Option<types::Span>> {
        let product = self.table.get(&it)?.name.clone();
        let place = self.ask_for(Query::SettingPlace { product, key }, take::maybe_span)?;
        let place = place.unwrap_or(None);
        Ok(place.map(|(path, line, column)| types::Span { path, line, column }))
    }

    fn platform(&mut self, it: Resource<ProductInfo>, tag: String) -> Fallible<()> {
        self.contribute(&it, Contribution::Platform(tag))
    }

    fn sources(
        &mut self,
        it: Resource<ProductInfo>,
    ) -> wasmtime::Result<Vec<Resource<ArtifactInfo>>> {
        let product = self.table.get(&it)?.name.clone();
        let sources = self.ask_for(Query::Sources(product), take::artifacts)?.unwrap_or_default();
        self.artifacts(sources)
    }

    fn include_directory(
        &mut self,
        it: Resource<ProductInfo>,
        at: types::Location,
    ) -> Fallible<()> {
        let at = located(at)?;
        self.contribute(&it, Contribution::IncludeDirectory(at))
    }

    fn define(
        &mut self,
        it: Resource<ProductInfo>,
        name: String,
        value: Option<String>,
    ) -> Fallible<()> {
        self.contribute(&it, Contribution::Define(name, value))
    }

    fn compile_argument(
        &mut self,
        it: Resource<ProductInfo>,
        language: Option<String>,
        value: String,
    ) -> Fallible<()> {
        self.contribute(&it, Contribution::CompileArgument(language, value))
    }

    fn link_library(&mut self, it: Resource<ProductInfo>, name: String) -> Fallible<()> {
        self.contribute(&it, Contribution::LinkLibrary(name))
    }

    fn link_file(&mut self, it: Resource<ProductInfo>, at: types::Location) -> Fallible<()> {
        let at = located(at)?;
        self.contribute(&it, Contribution::LinkFile(at))
    }

    fn library_directory(
        &mut self,
        it: Resource<ProductInfo>,
        at: types::Location,
    ) -> Fallible<()> {
        let at = located(at)?;
        self.contribute(&it, Contribution::LibraryDirectory(at))
    }

    fn link_argument(&mut self, it: Resource<ProductInfo>, value: String) -> Fallible<()> {
        self.contribute(&it, Contribution::LinkArgument(value))
    }

    fn answer(&mut self, it: Resource<ProductInfo>, word: String) -> Fallible<()> {
        self.contribute(&it, Contribution::Answer(word))
    }

    fn drop(&mut self, it: Resource<ProductInfo>) -> wasmtime::Result<()> {
        self.table.delete(it)?;
        Ok(())
    }
}

impl wit::HostContext for State {
    fn options(&mut self, _: Resource<CallContext>) -> wasmtime::Result<String> {
        Ok(self.ask_for(Query::Options, take::text)?.unwrap_or_default())
    }

    fn fact(&mut self, _: Resource<CallContext>, key: String) -> wasmtime::Result<Option<String>> {
        Ok(self.ask_for(Query::Fact(key), take::maybe_text)?.unwrap_or(None))
    }

    fn environment(&mut self, _: Resource<CallContext>, name: String) -> Fallible<Option<String>> {
        let capability = format!("env:{name}");
        if !self.has_capability(&capability) {
            return Ok(Err(missing_capability(&capability)));
        }
        self.ask_for(Query::Environment(name), take::maybe_text)
    }

    fn source_tree(&mut self, _: Resource<CallContext>) -> Fallible<Resource<Tree>> {
        if !self.has_capability("read:source") {
            return Ok(Err(missing_capability("read:source")));
        }
        Ok(Ok(self.table.push(Tree)?))
    }

    fn products(
        &mut self,
        _: Resource<CallContext>,
    ) -> wasmtime::Result<Vec<Resource<ProductInfo>>> {
        let products = self.ask_for(Query::Products, take::products)?.unwrap_or_default();
        products.into_iter().map(|info| Ok(self.table.push(info)?)).collect()
    }

    fn artifacts(
        &mut self,
        _: Resource<CallContext>,
        kind: String,
    ) -> Fallible<Vec<Resource<ArtifactInfo>>> {
        if let Some(failure) = self.may_see(&kind)? {
            return Ok(Err(failure));
        }
        let found = self.ask_for(Query::Artifacts { kind, product: None }, take::artifacts)?;
        Ok(match found {
            Ok(infos) => Ok(self.artifacts(infos)?),
            Err(failure) => Err(failure),
        })
    }

    fn tool(&mut self, _: Resource<CallContext>, name: String) -> Fallible<Resource<ToolInfo>> {
        if self.declared.tool(&name).is_none() {
            return Ok(Err(types::Failure::Internal(format!(
                "it asked for the tool `{name}`, which it doesn't declare"
            ))));
        }
        Ok(match self.ask_for(Query::Tool(name), take::tool)? {
            Ok(tool) => Ok(self.table.push(tool)?),
            Err(failure) => Err(failure),
        })
    }

    fn output(
        &mut self,
        _: Resource<CallContext>,
        path: String,
        kind: String,
        product: Option<String>,
    ) -> Fallible<Resource<ArtifactInfo>> {
        let path = match self.may_make(&path, &kind)? {
            Ok(path) => path,
            Err(failure) => return Ok(Err(failure)),
        };
        let effect =
            Effect::Output { path: path.clone(), kind: kind.clone(), product: product.clone() };
        Ok(match self.perform(effect)? {
            Ok(()) => Ok(self.artifact(path, kind, product)?),
            Err(failure) => Err(failure.into()),
        })
    }

    fn write(
        &mut self,
        _: Resource<CallContext>,
        path: String,
        kind: String,
        product: Option<String>,
        content: Vec<u8>,
    ) -> Fallible<Resource<ArtifactInfo>> {
        self.count_written(content.len())?;
        let path = match self.may_make(&path, &kind)? {
            Ok(path) => path,
            Err(failure) => return Ok(Err(failure)),
        };
        let effect = Effect::Write {
            path: path.clone(),
            kind: kind.clone(),
            product: product.clone(),
            content,
        };
        Ok(match self.perform(effect)? {
            Ok(()) => Ok(self.artifact(path, kind, product)?),
            Err(failure) => Err(failure.into()),
        })
    }

    fn action(
        &mut self,
        _: Resource<CallContext>,
        mnemonic: String,
        program: Resource<ToolInfo>,
    ) -> wasmtime::Result<Resource<PlannedAction>> {
        self.count_text(mnemonic.len())?;
        let tool = self.table.get(&program)?.name.clone();
        Ok(self.table.push(PlannedAction { mnemonic, tool, ..PlannedAction::default() })?)
    }

    fn distribution(
        &mut self,
        _: Resource<CallContext>,
        name: String,
    ) -> Fallible<Option<Resource<DistributionInfo>>> {
        if !self.has_capability("read:distributions") {
            return Ok(Err(missing_capability("read:distributions")));
        }
        Ok(match self.ask_for(Query::Distribution(name), take::maybe_distribution)? {
            Ok(Some(found)) => Ok(Some(self.table.push(found)?)),
            Ok(None) => Ok(None),
            Err(failure) => Err(failure),
        })
    }

    fn package_folders(&mut self, _: Resource<CallContext>) -> Fallible<Vec<types::Location>> {
        if !self.has_capability("read:distributions") {
            return Ok(Err(missing_capability("read:distributions")));
        }
        let found = self.ask_for(Query::PackageFolders, take::places)?;
        Ok(found.map(|places| places.iter().map(given).collect()))
    }

    fn require(&mut self, _: Resource<CallContext>, requirement: String) -> Fallible<()> {
        self.count_text(requirement.len())?;
        Ok(self.perform(Effect::Require(requirement))?.map_err(Into::into))
    }

    fn is_file(&mut self, _: Resource<CallContext>, path: String) -> Fallible<bool> {
        if !self.has_capability("find:files") {
            return Ok(Err(missing_capability("find:files")));
        }
        self.ask_for(Query::IsFile(path), take::flag)
    }

    fn system_file(
        &mut self,
        _: Resource<CallContext>,
        path: String,
    ) -> Fallible<Option<Resource<ArtifactInfo>>> {
        if !self.has_capability("find:files") {
            return Ok(Err(missing_capability("find:files")));
        }
        let Ok(at) = SystemPath::new(path.clone()) else { return Ok(Ok(None)) };
        Ok(match self.ask_for(Query::IsFile(path), take::flag)? {
            Ok(false) => Ok(None),
            Ok(true) => {
                let (location, kind) = (Location::System(at), SYSTEM_FILE.to_owned());
                Ok(Some(self.table.push(ArtifactInfo { location, kind, product: None })?))
            }
            Err(failure) => Err(failure),
        })
    }

    fn installed_files(
        &mut self,
        _: Resource<CallContext>,
    ) -> Fallible<Vec<(String, Resource<ArtifactInfo>)>> {
        let kinds = match &self.call()?.kinds {
            Kinds::Declared { consumes, .. } => consumes.iter().cloned().collect(),
            Kinds::Any => Vec::new(),
        };
        Ok(match self.ask_for(Query::InstalledFiles { kinds }, take::files)? {
            Ok(files) => {
                let handle = |(path, info)| Ok((path, self.table.push(info)?));
                Ok(files.into_iter().map(handle).collect::<wasmtime::Result<_>>()?)
            }
            Err(failure) => Err(failure),
        })
    }

    fn ask(
        &mut self,
        _: Resource<CallContext>,
        service: String,
        question: String,
    ) -> Fallible<String> {
        let capability = format!("service:{service}");
        if !self.has_capability(&capability) {
            return Ok(Err(missing_capability(&capability)));
        }
        self.ask_for(Query::Service { service, question }, take::text)
    }

    fn service_action(
        &mut self,
        _: Resource<CallContext>,
        mnemonic: String,
        service: String,
        plan: String,
    ) -> Fallible<Resource<PlannedAction>> {
        let capability = format!("service:{service}");
        if !self.has_capability(&capability) {
            return Ok(Err(missing_capability(&capability)));
        }
        self.count_text(mnemonic.len() + plan.len())?;
        let service = Some(ServicePlan { service, plan });
        Ok(Ok(self.table.push(PlannedAction { mnemonic, service, ..PlannedAction::default() })?))
    }

    fn report(&mut self, _: Resource<CallContext>, d: types::Diagnostic) -> wasmtime::Result<()> {
        self.count_text(d.message.len() + d.help.iter().map(String::len).sum::<usize>())?;
        self.perform(Effect::Report(d.into()))?
            .map_err(|failure| Stopped::Misuse(format!("{failure:?}")).into())
    }

    fn drop(&mut self, it: Resource<CallContext>) -> wasmtime::Result<()> {
        self.table.delete(it)?;
        Ok(())
    }
}

impl State {
    fn contribute(
        &mut self,
        to: &Resource<ProductInfo>,
        contribution: Contribution,
    ) -> Fallible<()> {
        let product = self.table.get(to)?.name.clone();
        let effect = Effect::Contribute { product, contribution };
        Ok(self.perform(effect)?.map_err(Into::into))
    }

    fn in_distribution(
        &mut self,
        it: &Resource<DistributionInfo>,
        path: &str,
    ) -> wasmtime::Result<Result<(String, RelPath), types::Failure>> {
        let distribution = self.table.get(it)?.name.clone();
        Ok(below(path, "a file of a distribution").map(|path| (distribution, path)))
    }
}

impl wit::HostDistribution for State {
    fn name(&mut self, it: Resource<DistributionInfo>) -> wasmtime::Result<String> {
        Ok(self.table.get(&it)?.name.clone())
    }

    fn version(&mut self, it: Resource<DistributionInfo>) -> wasmtime::Result<String> {
        Ok(self.table.get(&it)?.version.clone())
    }

    fn digest(&mut self, it: Resource<DistributionInfo>) -> wasmtime::Result<String> {
        Ok(self.table.get(&it)?.digest.clone())
    }

    fn folder(&mut self, it: Resource<DistributionInfo>) -> wasmtime::Result<types::Location> {
        Ok(given(&self.table.get(&it)?.folder))
    }

    fn find(
        &mut self,
        it: Resource<DistributionInfo>,
        path: String,
    ) -> Fallible<Option<types::Location>> {
        match self.in_distribution(&it, &path)? {
            Ok((distribution, path)) => {
                let query = Query::FindInstalled { distribution, path };
                let found = self.ask_for(query, take::maybe_place)?;
                Ok(found.map(|place| place.as_ref().map(given)))
            }
            Err(failure) => Ok(Err(failure)),
        }
    }

    fn read(&mut self, it: Resource<DistributionInfo>, path: String) -> Fallible<Vec<u8>> {
        match self.in_distribution(&it, &path)? {
            Ok((distribution, path)) => {
                self.ask_for(Query::ReadInstalled { distribution, path }, take::bytes)
            }
            Err(failure) => Ok(Err(failure)),
        }
    }

    fn file(
        &mut self,
        it: Resource<DistributionInfo>,
        path: String,
    ) -> Fallible<Resource<ArtifactInfo>> {
        let (distribution, path) = match self.in_distribution(&it, &path)? {
            Ok(named) => named,
            Err(failure) => return Ok(Err(failure)),
        };
        let query = Query::FindInstalled { distribution, path: path.clone() };
        match self.ask_for(query, take::maybe_place)? {
            Ok(Some(location)) => {
                let info = ArtifactInfo { location, kind: "source".to_owned(), product: None };
                Ok(Ok(self.table.push(info)?))
            }
            Ok(None) => {
                let name = &self.table.get(&it)?.name;
                let message = format!("the installed `{name}` has no file `{path}`");
                Ok(Err(Failure::user("missing-file", message).into()))
            }
            Err(failure) => Ok(Err(failure)),
        }
    }

    fn drop(&mut self, it: Resource<DistributionInfo>) -> wasmtime::Result<()> {
        self.table.delete(it)?;
        Ok(())
    }
}

/// Methods that give a field of the request away.
macro_rules! fields {
    ($request:ty: $($method:ident: $type:ty),+ $(,)?) => {
        $(
            fn $method(&mut self, it: Resource<$request>) -> wasmtime::Result<$type> {
                Ok(self.table.get(&it)?.$method.clone())
            }
        )+
    };
}

impl wit::HostCompileRequest for State {
    fields!(CompileRequest:
        product: String,
        language: String,
        definitions: Vec<(String, Option<String>)>,
        undefinitions: Vec<String>,
        standard: Option<String>,
        optimization: String,
        debug: bool,
        warnings: String,
        position_independent: bool,
        arguments: Vec<String>,
    );

    fn sources(
        &mut self,
        it: Resource<CompileRequest>,
    ) -> wasmtime::Result<Vec<Resource<ArtifactInfo>>> {
        let sources = self.table.get(&it)?.sources.clone();
        self.artifacts(sources)
    }

    fn include_directories(
        &mut self,
        it: Resource<CompileRequest>,
    ) -> wasmtime::Result<Vec<types::Location>> {
        Ok(self.table.get(&it)?.include_directories.iter().map(given).collect())
    }

    fn setting(
        &mut self,
        it: Resource<CompileRequest>,
        key: String,
    ) -> wasmtime::Result<Option<String>> {
        Ok(self.table.get(&it)?.settings.get(&key).cloned())
    }

    fn drop(&mut self, it: Resource<CompileRequest>) -> wasmtime::Result<()> {
        self.table.delete(it)?;
        Ok(())
    }
}

impl wit::HostLinkRequest for State {
    fields!(LinkRequest:
        product: String,
        kind: String,
        languages: Vec<String>,
        libraries: Vec<String>,
        debug: bool,
        optimization: String,
        arguments: Vec<String>,
    );

    fn output(&mut self, it: Resource<LinkRequest>) -> wasmtime::Result<Resource<ArtifactInfo>> {
        let output = self.table.get(&it)?.output.clone();
        Ok(self.table.push(output)?)
    }

    fn objects(
        &mut self,
        it: Resource<LinkRequest>,
    ) -> wasmtime::Result<Vec<Resource<ArtifactInfo>>> {
        let objects = self.table.get(&it)?.objects.clone();
        self.artifacts(objects)
    }

    fn static_libraries(
        &mut self,
        it: Resource<LinkRequest>,
    ) -> wasmtime::Result<Vec<Resource<ArtifactInfo>>> {
        let libraries = self.table.get(&it)?.static_libraries.clone();
        self.artifacts(libraries)
    }

    fn library_directories(
        &mut self,
        it: Resource<LinkRequest>,
    ) -> wasmtime::Result<Vec<types::Location>> {
        Ok(self.table.get(&it)?.library_directories.iter().map(given).collect())
    }

    fn setting(
        &mut self,
        it: Resource<LinkRequest>,
        key: String,
    ) -> wasmtime::Result<Option<String>> {
        Ok(self.table.get(&it)?.settings.get(&key).cloned())
    }

    fn drop(&mut self, it: Resource<LinkRequest>) -> wasmtime::Result<()> {
        self.table.delete(it)?;
        Ok(())
    }
}
