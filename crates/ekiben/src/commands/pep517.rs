//! `ekiben pep517`: the hooks of PEP 517 and PEP 660, for the Python shim.
//!
//! The result goes as JSON to a descriptor or file and nowhere else: `{"result": …}` or
//! `{"error": "…"}`. What people read goes to stderr.

use std::path::Path;
use std::sync::Arc;

use ekiben_core::graph::Kind;
use ekiben_core::{Cause, Observer, Problem, Problems, Repetition, Request, Session};
use ekiben_project::{Override, Overrides};
use serde_json::{Value, json};

use super::End;
use super::build::{Job, NotBuilt};
use crate::ARGS_VARIABLE;
use crate::builtin::BUILT_IN;
use crate::cli::{Global, Hook, Pep517};
use crate::environment::{self, Choices};
use crate::report::{self, Reporter};
use crate::result::ResultSink;
use crate::settings::FrontEnd;

/// Runs a hook.
pub(crate) fn run(
    hook: &Pep517,
    global: &Global,
    from_variable: usize,
    front_end: FrontEnd,
    sink: ResultSink,
) -> End {
    let entered = enter(&hook.project);
    let (end, answer) = match entered.and_then(|()| answer(hook, global, from_variable, front_end))
    {
        Ok(result) => (End::Done, json!({ "result": result })),
        Err(failure) => (failure.end, json!({ "error": failure.message })),
    };
    match sink.send(&answer) {
        Ok(()) => end,
        Err(_) => End::Failed,
    }
}

/// Hooks run in the project's folder, and paths that front ends give are relative to it.
fn enter(project: &Path) -> Result<(), NotBuilt> {
    std::env::set_current_dir(project).map_err(|error| {
        let message = format!("the folder {} can't be opened: {error}", project.display());
        let problems = Problem::error(Cause::Input, "no-project", message).into();
        report::show_problems(&problems, project);
        NotBuilt { end: End::Refused, message: problems.to_string() }
    })
}

fn answer(
    hook: &Pep517,
    global: &Global,
    from_variable: usize,
    front_end: FrontEnd,
) -> Result<Value, NotBuilt> {
    let overrides = overrides(hook, from_variable, front_end);
    match hook.hook {
        Hook::BuildWheel => build(hook, global, overrides, Kind::WHEEL),
        Hook::BuildEditable => build(hook, global, overrides, Kind::EDITABLE_WHEEL),
        Hook::BuildSdist => build(hook, global, overrides, Kind::SDIST),
        Hook::PrepareMetadata => {
            prepare_metadata(hook, global, overrides, &Kind::WHEEL).map(Value::from)
        }
        Hook::PrepareEditableMetadata => {
            prepare_metadata(hook, global, overrides, &Kind::EDITABLE_WHEEL).map(Value::from)
        }
        Hook::GetRequiresForBuildWheel | Hook::GetRequiresForBuildEditable => {
            requirements(hook, global, overrides).map(Value::from)
        }
        // What a source distribution needs is in the program; but settings may be wrong.
        Hook::GetRequiresForBuildSdist => with_session(hook, global, overrides, |_| Ok(json!([]))),
    }
}

/// Settings by rising precedence: the variable's, the front end's, the command line's.
fn overrides(hook: &Pep517, from_variable: usize, front_end: FrontEnd) -> Overrides {
    let given = &hook.options.config_setting;
    let from_front_end = front_end.words_settings;
    let part = |from: usize, to: usize, source: &'static str| {
        let texts = given.iter().take(to).skip(from);
        texts.map(move |text| Override::parse(text, source))
    };
    let typed = from_variable + from_front_end;
    part(0, from_variable, "EKIBEN_ARGS")
        .chain(part(from_variable, typed, "--config-settings"))
        .chain(front_end.overrides)
        .chain(part(typed, given.len(), "--config-setting"))
        .collect()
}

fn build(
    hook: &Pep517,
    global: &Global,
    overrides: Overrides,
    kind: Kind,
) -> Result<Value, NotBuilt> {
    let repetition = repetition(hook, global);
    let job = Job {
        project: ".".as_ref(),
        python: hook.interpreter.clone(),
        overrides,
        kinds: vec![kind],
        out_dir: hook.out_dir.clone(),
        build_environment: hook.build_environment.clone(),
        build_environment_alone: hook.build_environment_alone,
        repetition,
        options: &hook.options,
        json: false,
        owns_stdout: false,
    };
    Ok(job.run(global)?.pop().into())
}

/// What a build on import needs to be this one. Without a folder for caches there is none.
fn repetition(hook: &Pep517, global: &Global) -> Option<Repetition> {
    Some(Repetition {
        program: std::env::current_exe().ok()?,
        cache_dir: environment::cache_dir(global).ok()?,
        config_settings: hook.config_settings.clone(),
        arguments: std::env::var(ARGS_VARIABLE).ok(),
    })
}

fn requirements(
    hook: &Pep517,
    global: &Global,
    overrides: Overrides,
) -> Result<Vec<String>, NotBuilt> {
    with_session(hook, global, overrides, |session| session.requirements())
}

fn prepare_metadata(
    hook: &Pep517,
    global: &Global,
    overrides: Overrides,
    kind: &Kind,
) -> Result<String, NotBuilt> {
    with_session(hook, global, overrides, |session| session.prepare_metadata(kind, &hook.out_dir))
}

/// Opens the project for a question that starts no action.
fn with_session<T>(
    hook: &Pep517,
    global: &Global,
    overrides: Overrides,
    ask: impl FnOnce(Session) -> Result<T, Problems>,
) -> Result<T, NotBuilt> {
    let reporter = Arc::new(Reporter::new(global, ".".as_ref(), false));
    let refuse = |problems: Problems| {
        reporter.problems(&problems);
        NotBuilt { end: End::Refused, message: problems.to_string() }
    };
    let observer = Arc::<Reporter>::clone(&reporter) as Arc<dyn Observer>;
    let (environment, _cache) =
        environment::read(global, Choices::idle(observer)).map_err(refuse)?;
    let request = Request {
        project: ".".into(),
        python: hook.interpreter.clone(),
        overrides,
        build_dir: hook.options.build_dir.clone(),
        build_environment: hook.build_environment.clone(),
        build_environment_alone: hook.build_environment_alone,
        repetition: None,
    };
    let session = Session::open(request, environment, BUILT_IN).map_err(refuse)?;
    ask(session).map_err(refuse)
}
