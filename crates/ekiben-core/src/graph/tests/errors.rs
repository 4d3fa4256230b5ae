//! What a user reads when commands don't fit together: each error whole, with its help.

use super::super::{GraphError, Replace};
use super::*;

fn show(error: &GraphError) -> String {
    let help = error.help().map(|help| format!("\nhelp: {help}")).unwrap_or_default();
    format!("{error}{help}")
}

fn failure(commands: impl IntoIterator<Item = CommandSpec>) -> String {
    show(&Graph::build(commands, &UserRules::default()).unwrap_err())
}

fn disable(command: &str) -> UserRules {
    UserRules {
        disable: vec![Disable { command: refer(command), author: user(24) }],
        ..UserRules::default()
    }
}

fn no_plan(
    commands: impl IntoIterator<Item = CommandSpec>,
    rules: &UserRules,
    target: Target,
) -> String {
    let graph = Graph::build(commands, rules).unwrap();
    show(&graph.plan(&[target]).unwrap_err())
}

#[test]
fn unknown_command() {
    insta::assert_snapshot!(failure([
        command("cython:translate", "-> generated-source"),
        command("compile", "->").after(name("translate")),
    ]));
}

#[test]
fn unknown_command_in_rules() {
    let rules = UserRules {
        order: vec![OrderConstraint {
            command: refer("compile"),
            before: vec![refer("fortran:modules")],
            after: Vec::new(),
            author: user(21),
        }],
        ..UserRules::default()
    };
    insta::assert_snapshot!(show(&Graph::build([command("compile", "->")], &rules).unwrap_err()));
    let unknown = Graph::build([command("compile", "->")], &disable("compil")).unwrap_err();
    insta::assert_snapshot!(show(&unknown));
}

#[test]
fn duplicate_command() {
    let again = CommandSpec::new(name("gnu:compile"), plugin("other"));
    insta::assert_snapshot!(failure([again, command("gnu:compile", "->")]));
}

#[test]
fn double_replace() {
    insta::assert_snapshot!(failure([
        command("compile", "-> object"),
        command("zig:compile", "-> object").replaces(name("compile")),
        command("gnu:compile", "-> object").replaces(name("compile")),
    ]));
}

#[test]
fn replace_loses() {
    insta::assert_snapshot!(failure([
        command("link", "-> extension-module static-library report"),
        command("gnu:link", "-> extension-module").replaces(name("link")),
    ]));
}

#[test]
fn place_loop() {
    insta::assert_snapshot!(failure([
        command("a:one", "->").wraps(name("b:two")),
        command("b:two", "->"),
        command("c:three", "->").replaces(name("b:two")).wraps(name("a:one")),
    ]));
    let rules = UserRules {
        replace: vec![Replace { command: refer("a"), with: refer("a"), author: user(9) }],
        ..UserRules::default()
    };
    insta::assert_snapshot!(show(&Graph::build([command("a", "->")], &rules).unwrap_err()));
}

#[test]
fn anchor_misused() {
    let anchor = || CommandSpec::anchor(name("configured"), Author::Core);
    insta::assert_snapshot!(failure([anchor().produces(Kind::OBJECT)]));
    insta::assert_snapshot!(failure([anchor(), command("a:b", "->").wraps(name("configured"))]));
    insta::assert_snapshot!(failure([
        anchor(),
        command("a:b", "->").required_after(name("configured"))
    ]));
    let target = Target::Command(name("configured"));
    insta::assert_snapshot!(no_plan([anchor()], &UserRules::default(), target));
}

#[test]
fn cycle() {
    let rules = UserRules {
        order: vec![OrderConstraint {
            command: refer("link"),
            before: vec![refer("cython:translate")],
            after: Vec::new(),
            author: user(21),
        }],
        ..UserRules::default()
    };
    let commands = [
        command("cython:translate", "-> generated-source"),
        command("compile", "generated-source -> object").after(name("cython:translate")),
        command("gnu:link", "object ->").replaces(name("link")),
        command("link", "object ->"),
        command("wheel", "->").after(name("link")),
    ];
    insta::assert_snapshot!(show(&Graph::build(commands, &rules).unwrap_err()));
}

#[test]
fn cycle_of_plugins() {
    insta::assert_snapshot!(failure([
        command("a:first", "->").before(name("b:second")),
        command("b:second", "->").before(name("a:first")),
    ]));
}

#[test]
fn cycle_of_kinds() {
    insta::assert_snapshot!(failure([
        command("egg", "chicken -> egg"),
        command("chicken", "egg -> chicken"),
    ]));
}

#[test]
fn cycle_of_one() {
    insta::assert_snapshot!(failure([command("a:b", "->").after(name("a:b"))]));
}

#[test]
fn nothing_produces_what_was_disabled() {
    let (commands, mut rules) = realistic();
    rules.disable = disable("compile").disable;
    insta::assert_snapshot!(no_plan(commands, &rules, Target::Kind(kind("executable"))));
}

#[test]
fn nothing_produces_what_a_disabled_wrapped_command_would() {
    let commands = [
        command("cc", "-> object"),
        command("a:wrap", "-> report").wraps(name("cc")),
        command("upload", "report ->"),
    ];
    let target = Target::Command(name("upload"));
    insta::assert_snapshot!(no_plan(commands, &disable("cc"), target));
}

#[test]
fn nothing_ever_produced_it() {
    let commands = [command("cc", "-> object"), command("ld", "objects lib -> lib")];
    let target = Target::Command(name("ld"));
    insta::assert_snapshot!(no_plan(commands, &UserRules::default(), target));
}

#[test]
fn a_target_that_only_a_disabled_command_makes() {
    let (commands, rules) = realistic();
    insta::assert_snapshot!(no_plan(commands, &rules, Target::Kind(kind("report"))));
}

#[test]
fn a_target_that_is_disabled() {
    let (commands, rules) = realistic();
    let target = Target::Command(name("cython:annotate"));
    insta::assert_snapshot!(no_plan(commands, &rules, target));
}

#[test]
fn unknown_target() {
    let (commands, rules) = realistic();
    insta::assert_snapshot!(no_plan(commands.clone(), &rules, Target::Kind(kind("weel"))));
    let graph = Graph::build(commands, &rules).unwrap();
    insta::assert_snapshot!(show(&graph.target("documentation").unwrap_err()));
}
