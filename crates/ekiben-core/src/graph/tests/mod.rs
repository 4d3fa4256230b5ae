//! Tests of the command graph: errors, plans, drawings, and properties over random graphs.

#![allow(clippy::unwrap_used)]

mod errors;
mod properties;
mod rendering;
mod rules;

use super::{
    Author, CommandName, CommandSpec, Disable, Graph, Kind, OrderConstraint, Plan, Ref, Target,
    UserRules,
};

fn name(text: &str) -> CommandName {
    text.parse().unwrap()
}

fn kind(text: &str) -> Kind {
    text.parse().unwrap()
}

fn refer(text: &str) -> Ref<CommandName> {
    text.parse().unwrap()
}

fn user(line: u32) -> Author {
    Author::User { file: "pyproject.toml".to_owned(), line }
}

fn plugin(id: &str) -> Author {
    Author::Plugin { id: id.parse().unwrap(), version: "1.2.0".to_owned() }
}

/// A command of the plugin before its colon, else of the core, which takes and makes kinds: `"a? b
/// -> c"`.
fn command(text: &str, kinds: &str) -> CommandSpec {
    let name = name(text);
    let author = name.plugin().map_or(Author::Core, plugin);
    let mut spec = CommandSpec::new(name, author);
    let (takes, makes) = kinds.split_once("->").unwrap();
    spec.consumes = takes.split_whitespace().map(|kind| kind.parse().unwrap()).collect();
    spec.produces = makes.split_whitespace().map(kind).collect();
    spec
}

fn graph(commands: impl IntoIterator<Item = CommandSpec>) -> Graph {
    Graph::build(commands, &UserRules::default()).unwrap()
}

fn order(graph: &Graph) -> Vec<&str> {
    graph.nodes().iter().map(|node| node.name().as_str()).collect()
}

fn planned(plan: &Plan) -> Vec<&str> {
    plan.commands.iter().map(|command| command.name.as_str()).collect()
}

fn plan(graph: &Graph, targets: &[&str]) -> Plan {
    let targets: Vec<Target> = targets.iter().map(|word| graph.target(word).unwrap()).collect();
    graph.plan(&targets).unwrap()
}

/// A project with Cython and C sources that needs NumPy's headers, as the commands of a real build
/// would have it.
fn realistic() -> (Vec<CommandSpec>, UserRules) {
    let commands = vec![
        command("sources", "-> source").summary("Find the project's sources"),
        command("configure", "source -> configuration").summary("Settle options, find tools"),
        command("numpy:find", "configuration -> usage").summary("Ask NumPy for its headers"),
        command("cython:translate", "source configuration -> generated-source")
            .summary("Translate .pyx to C"),
        command("cython:static-rename", "generated-source -> generated-source")
            .summary("Make init symbols unique"),
        command("cython:annotate", "source -> report").summary("Write annotated listings"),
        command("compile", "source generated-source? usage? configuration -> object")
            .summary("Compile C, C++ and Fortran"),
        command("link", "object -> extension-module").summary("Link"),
        command("gnu:link", "object usage? -> extension-module")
            .summary("Link with gcc and gfortran")
            .replaces(name("link")),
        command("trace:compile", "->").summary("Measure every step").wraps(name("compile")),
        command("python-modules", "source -> module-code").summary("Collect Python modules"),
        command("metadata", "configuration -> metadata").summary("Write METADATA"),
        command("licenses", "source -> license").summary("Collect licence files"),
        command("repair:bundle", "extension-module -> extension-module")
            .summary("Bundle shared libraries")
            .after(name("linked")),
        CommandSpec::anchor(name("linked"), Author::Core)
            .summary("All machine code is there")
            .after(name("link")),
        command("wheel", "extension-module? module-code license? metadata -> wheel")
            .summary("Write the wheel"),
        command("check:wheel", "wheel ->")
            .summary("Install and import it")
            .required_after(name("wheel")),
        command("sdist", "source metadata -> sdist").summary("Write the source archive"),
        command("freeze:program", "extension-module module-code -> executable")
            .summary("Make one file of it all"),
    ];
    let rules = UserRules {
        order: vec![OrderConstraint {
            command: refer("licenses"),
            before: vec![refer("metadata"), refer("docs:build?")],
            after: Vec::new(),
            author: user(21),
        }],
        disable: vec![Disable { command: refer("cython:annotate"), author: user(24) }],
        replace: Vec::new(),
    };
    (commands, rules)
}
