//! The resource `action`: what a guest says of a process becomes a [`PlannedAction`].

use wasmtime::component::Resource;

use super::{Fallible, State, located, types, wit};
use crate::plugin::error::Stopped;
use crate::plugin::protocol::{
    ArtifactInfo, DependencyFormat, Effect, PlannedAction, PlannedArgument, Role,
};
use ekiben_engine::Location;

impl wit::HostAction for State {
    fn description(&mut self, it: Resource<PlannedAction>, text: String) -> wasmtime::Result<()> {
        self.count_text(text.len())?;
        self.table.get_mut(&it)?.description = text;
        Ok(())
    }

    fn text(&mut self, it: Resource<PlannedAction>, value: String) -> wasmtime::Result<()> {
        self.count_text(value.len())?;
        self.table.get_mut(&it)?.arguments.push(PlannedArgument::Text(value));
        Ok(())
    }

    fn input(
        &mut self,
        it: Resource<PlannedAction>,
        prefix: String,
        file: Resource<ArtifactInfo>,
        suffix: String,
    ) -> wasmtime::Result<()> {
        let at = self.locate(&file)?;
        self.place(&it, prefix, at, suffix, Role::Input)
    }

    fn output(
        &mut self,
        it: Resource<PlannedAction>,
        prefix: String,
        file: Resource<ArtifactInfo>,
        suffix: String,
    ) -> wasmtime::Result<()> {
        let at = self.locate(&file)?;
        self.place(&it, prefix, at, suffix, Role::Output)
    }

    fn place(
        &mut self,
        it: Resource<PlannedAction>,
        prefix: String,
        at: types::Location,
        suffix: String,
    ) -> wasmtime::Result<()> {
        let at = located(at)?;
        self.place(&it, prefix, at, suffix, Role::Mentioned)
    }

    fn reads(
        &mut self,
        it: Resource<PlannedAction>,
        file: Resource<ArtifactInfo>,
    ) -> wasmtime::Result<()> {
        let at = self.locate(&file)?;
        self.table.get_mut(&it)?.reads.push(at);
        Ok(())
    }

    fn makes(
        &mut self,
        it: Resource<PlannedAction>,
        file: Resource<ArtifactInfo>,
    ) -> wasmtime::Result<()> {
        let at = self.locate(&file)?;
        self.table.get_mut(&it)?.makes.push(at);
        Ok(())
    }

    fn environment(
        &mut self,
        it: Resource<PlannedAction>,
        name: String,
        value: String,
    ) -> wasmtime::Result<()> {
        self.count_text(name.len() + value.len())?;
        self.table.get_mut(&it)?.environment.insert(name, value);
        Ok(())
    }

    fn dependency_file(
        &mut self,
        it: Resource<PlannedAction>,
        prefix: String,
        path: String,
        format: String,
    ) -> wasmtime::Result<()> {
        let format = match format.as_str() {
            "make" => DependencyFormat::Make,
            "trace" => DependencyFormat::Trace,
            _ => {
                return Err(
                    Stopped::Misuse(format!("dependency files of format `{format}`")).into()
                );
            }
        };
        let Location::Build(path) = located(types::Location::Build(path))? else {
            return Err(Stopped::Misuse("a dependency file outside the build folder".into()).into());
        };
        self.place(&it, prefix, Location::Build(path.clone()), String::new(), Role::Mentioned)?;
        let action = self.table.get_mut(&it)?;
        action.dependency_file = Some(path);
        action.dependency_format = format;
        Ok(())
    }

    fn dependencies_in_output(
        &mut self,
        it: Resource<PlannedAction>,
        prefix: String,
    ) -> wasmtime::Result<()> {
        self.count_text(prefix.len())?;
        self.table.get_mut(&it)?.dependencies_in_output = Some(prefix);
        Ok(())
    }

    fn search_directory(
        &mut self,
        it: Resource<PlannedAction>,
        at: types::Location,
    ) -> wasmtime::Result<()> {
        let at = located(at)?;
        self.count_text(64)?;
        self.table.get_mut(&it)?.search_directories.push(at);
        Ok(())
    }

    fn compiles(
        &mut self,
        it: Resource<PlannedAction>,
        file: Resource<ArtifactInfo>,
    ) -> wasmtime::Result<()> {
        let at = self.locate(&file)?;
        self.table.get_mut(&it)?.compiles = Some(at);
        Ok(())
    }

    fn weight(&mut self, it: Resource<PlannedAction>, processors: u32) -> wasmtime::Result<()> {
        self.table.get_mut(&it)?.weight = Some(processors);
        Ok(())
    }

    fn pool(&mut self, it: Resource<PlannedAction>, name: String) -> wasmtime::Result<()> {
        self.count_text(name.len())?;
        self.table.get_mut(&it)?.pool = Some(name);
        Ok(())
    }

    fn property(
        &mut self,
        it: Resource<PlannedAction>,
        key: String,
        value: String,
    ) -> wasmtime::Result<()> {
        self.count_text(key.len() + value.len())?;
        self.table.get_mut(&it)?.properties.insert(key, value);
        Ok(())
    }

    fn response_file(
        &mut self,
        it: Resource<PlannedAction>,
        style: String,
    ) -> wasmtime::Result<()> {
        if style != "gnu" {
            return Err(Stopped::Misuse(format!("response files of style `{style}`")).into());
        }
        self.table.get_mut(&it)?.response_file = true;
        Ok(())
    }

    fn takes_job_tokens(&mut self, it: Resource<PlannedAction>) -> wasmtime::Result<()> {
        self.table.get_mut(&it)?.takes_job_tokens = true;
        Ok(())
    }

    fn worker(&mut self, it: Resource<PlannedAction>) -> wasmtime::Result<()> {
        self.count_call()?;
        let action = self.table.get_mut(&it)?;
        action.worker = Some(action.arguments.len());
        Ok(())
    }

    fn anew(&mut self, it: Resource<PlannedAction>) -> wasmtime::Result<()> {
        self.count_call()?;
        self.table.get_mut(&it)?.anew = true;
        Ok(())
    }

    fn submit(&mut self, it: Resource<PlannedAction>) -> Fallible<()> {
        self.count_action()?;
        let action = self.table.delete(it)?;
        Ok(self.perform(Effect::Submit(Box::new(action)))?.map_err(Into::into))
    }

    fn drop(&mut self, it: Resource<PlannedAction>) -> wasmtime::Result<()> {
        // No mistake yet: a guest that fails half-way drops what it had begun.
        self.abandoned = Some(self.table.delete(it)?.mnemonic);
        Ok(())
    }
}
