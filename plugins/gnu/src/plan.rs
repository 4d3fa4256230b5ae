//! Actions as data: what [`compile`](crate::compile) and [`link`](crate::link) decide, before the
//! host hears of it.

use ekiben_plugin::Location;

/// A file in a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum File {
    /// One that the request gave, by its place there.
    Given(usize),
    /// One of the plan's outputs, by its place there.
    Made(usize),
    /// A file of the project.
    Source(String),
}

/// An argument.
#[derive(Debug, Clone)]
pub(crate) enum Argument {
    Text(String),
    Input(File),
    /// A prefix and the file.
    Output(&'static str, File),
    /// A prefix, the place, and a suffix.
    Place(&'static str, Location, &'static str),
    /// A prefix and a path below the build folder.
    DependencyFile(&'static str, String),
}

/// A file below the build folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Output {
    pub(crate) path: String,
    pub(crate) kind: &'static str,
}

/// A run of the program that the plan is for.
#[derive(Debug, Clone)]
pub(crate) struct Action {
    pub(crate) mnemonic: &'static str,
    pub(crate) description: String,
    pub(crate) arguments: Vec<Argument>,
    /// Inputs that no argument shows.
    pub(crate) reads: Vec<File>,
    /// Outputs that no argument shows.
    pub(crate) makes: Vec<File>,
    pub(crate) search_directories: Vec<Location>,
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) compiles: Option<File>,
    pub(crate) takes_job_tokens: bool,
}

impl Action {
    pub(crate) fn new(mnemonic: &'static str, description: String) -> Self {
        Self {
            mnemonic,
            description,
            arguments: Vec::new(),
            reads: Vec::new(),
            makes: Vec::new(),
            search_directories: Vec::new(),
            environment: Vec::new(),
            compiles: None,
            takes_job_tokens: false,
        }
    }

    pub(crate) fn text(&mut self, value: impl Into<String>) {
        self.arguments.push(Argument::Text(value.into()));
    }

    pub(crate) fn texts<'a>(&mut self, values: impl IntoIterator<Item = &'a String>) {
        self.arguments.extend(values.into_iter().cloned().map(Argument::Text));
    }

    pub(crate) fn place(&mut self, prefix: &'static str, at: Location, suffix: &'static str) {
        self.arguments.push(Argument::Place(prefix, at, suffix));
    }
}

/// What one call of the toolchain emits.
#[derive(Debug, Clone, Default)]
pub(crate) struct Plan {
    pub(crate) outputs: Vec<Output>,
    /// Producers come before consumers.
    pub(crate) actions: Vec<Action>,
}

/// A location as people read it. Roots that aren't the project's folder are marked.
pub(crate) fn show(at: &Location) -> String {
    match at {
        Location::Source(path) if path.is_empty() => ".".to_owned(),
        Location::Source(path) | Location::System(path) => path.clone(),
        Location::Build(path) => format!("{{build}}/{path}"),
    }
}

/// A plan as text, one argument a line, for snapshots.
#[cfg(test)]
pub(crate) fn render(plan: &Plan, given: &[Location]) -> String {
    use std::fmt::Write as _;

    let file = |file: &File| match file {
        File::Given(at) => show(&given[*at]),
        File::Made(at) => format!("{{build}}/{}", plan.outputs[*at].path),
        File::Source(path) => path.clone(),
    };
    let mut text = String::new();
    for output in &plan.outputs {
        writeln!(text, "output {} ({})", output.path, output.kind).expect("text");
    }
    for action in &plan.actions {
        writeln!(text, "\n{}: {}", action.mnemonic, action.description).expect("text");
        for (name, value) in &action.environment {
            writeln!(text, "  {name}={value}").expect("text");
        }
        for argument in &action.arguments {
            let argument = match argument {
                Argument::Text(value) => value.clone(),
                Argument::Input(input) => format!("<{}", file(input)),
                Argument::Output(prefix, output) => format!("{prefix}>{}", file(output)),
                Argument::Place(prefix, at, suffix) => format!("{prefix}{}{suffix}", show(at)),
                Argument::DependencyFile(prefix, path) => format!("{prefix}{{build}}/{path}"),
            };
            writeln!(text, "  {argument}").expect("text");
        }
        for (what, files) in [("reads", &action.reads), ("makes", &action.makes)] {
            for one in files {
                writeln!(text, "  {what} {}", file(one)).expect("text");
            }
        }
        for at in &action.search_directories {
            writeln!(text, "  searches {}", show(at)).expect("text");
        }
        if action.takes_job_tokens {
            writeln!(text, "  takes job tokens").expect("text");
        }
    }
    text
}
