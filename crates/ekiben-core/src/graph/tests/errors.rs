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
    ]), @r"
    there is no command `translate`: `compile` runs after `translate`, says core
    help: did you mean `cython:translate`? Otherwise write `translate?` if `translate` may be absent, or add the plugin that brings it
    ");
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
    insta::assert_snapshot!(show(&Graph::build([command("compile", "->")], &rules).unwrap_err()), @r"
    there is no command `fortran:modules`: `compile` runs before `fortran:modules`, says pyproject.toml:21
    help: write `fortran:modules?` if `fortran:modules` may be absent, or add the plugin that brings it
    ");
    let unknown = Graph::build([command("compile", "->")], &disable("compil")).unwrap_err();
    insta::assert_snapshot!(show(&unknown), @r"
    there is no command `compil`: pyproject.toml:24 disables `compil`
    help: did you mean `compile`? Otherwise write `compil?` if `compil` may be absent, or add the plugin that brings it
    ");
}

#[test]
fn duplicate_command() {
    let again = CommandSpec::new(name("gnu:compile"), plugin("other"));
    insta::assert_snapshot!(failure([again, command("gnu:compile", "->")]), @r"
    two commands are called `gnu:compile`: one from plugin gnu 1.2.0, one from plugin other 1.2.0
    help: rename one of them, or use only one of the plugins
    ");
}

#[test]
fn double_replace() {
    insta::assert_snapshot!(failure([
        command("compile", "-> object"),
        command("zig:compile", "-> object").replaces(name("compile")),
        command("gnu:compile", "-> object").replaces(name("compile")),
    ]), @r"
    two commands replace `compile`:
      `gnu:compile` replaces `compile`, says plugin gnu 1.2.0
      `zig:compile` replaces `compile`, says plugin zig 1.2.0
    help: disable `gnu:compile` or `zig:compile`
    ");
}

#[test]
fn replace_loses() {
    insta::assert_snapshot!(failure([
        command("link", "-> extension-module static-library report"),
        command("gnu:link", "-> extension-module").replaces(name("link")),
    ]), @r"
    `gnu:link` (plugin gnu 1.2.0) cannot replace `link` (core): it doesn't make report, static-library
    help: let `gnu:link` produce every kind that `link` does, or let both run
    ");
}

#[test]
fn place_loop() {
    insta::assert_snapshot!(failure([
        command("a:one", "->").wraps(name("b:two")),
        command("b:two", "->"),
        command("c:three", "->").replaces(name("b:two")).wraps(name("a:one")),
    ]), @r"
    commands take each other's place in a circle:
      `a:one` wraps `b:two`, says plugin a 1.2.0
      `c:three` replaces `b:two`, says plugin c 1.2.0
      `c:three` wraps `a:one`, says plugin c 1.2.0
    help: take back one of these statements
    ");
    let rules = UserRules {
        replace: vec![Replace { command: refer("a"), with: refer("a"), author: user(9) }],
        ..UserRules::default()
    };
    insta::assert_snapshot!(show(&Graph::build([command("a", "->")], &rules).unwrap_err()), @r"
    commands take each other's place in a circle:
      `a` replaces `a`, says pyproject.toml:9
    help: take back one of these statements
    ");
}

#[test]
fn anchor_misused() {
    let anchor = || CommandSpec::anchor(name("configured"), Author::Core);
    insta::assert_snapshot!(failure([anchor().produces(Kind::OBJECT)]), @r"
    `configured` is an anchor, which does no work, so it cannot consume or produce anything (says core)
    help: use an anchor with before and after only, or make it a command
    ");
    insta::assert_snapshot!(failure([anchor(), command("a:b", "->").wraps(name("configured"))]), @r"
    `configured` is an anchor, which does no work, so it cannot be wrapped, or wrap anything (says plugin a 1.2.0)
    help: use an anchor with before and after only, or make it a command
    ");
    insta::assert_snapshot!(failure([
        anchor(),
        command("a:b", "->").required_after(name("configured"))
    ]), @r"
    `configured` is an anchor, which does no work, so it cannot be followed by a required command, or be one (says plugin a 1.2.0)
    help: use an anchor with before and after only, or make it a command
    ");
    let target = Target::Command(name("configured"));
    insta::assert_snapshot!(no_plan([anchor()], &UserRules::default(), target), @r"
    `configured` is an anchor, which does no work, so it cannot be built (says core)
    help: ask for a kind of artifact, such as `wheel`, or for a command
    ");
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
    insta::assert_snapshot!(show(&Graph::build(commands, &rules).unwrap_err()), @r"
    commands wait for each other: compile → gnu:link → cython:translate → compile
      compile (core) → gnu:link (plugin gnu 1.2.0): `gnu:link` consumes object, which `compile` produces
      gnu:link (plugin gnu 1.2.0) → cython:translate (plugin cython 1.2.0): `link` runs before `cython:translate`, says pyproject.toml:21
      cython:translate (plugin cython 1.2.0) → compile (core): `compile` consumes generated-source, which `cython:translate` produces; `compile` runs after `cython:translate`, says core
    help: remove the constraint at pyproject.toml:21
    ");
}

#[test]
fn cycle_of_plugins() {
    insta::assert_snapshot!(failure([
        command("a:first", "->").before(name("b:second")),
        command("b:second", "->").before(name("a:first")),
    ]), @r"
    commands wait for each other: a:first → b:second → a:first
      a:first (plugin a 1.2.0) → b:second (plugin b 1.2.0): `a:first` runs before `b:second`, says plugin a 1.2.0
      b:second (plugin b 1.2.0) → a:first (plugin a 1.2.0): `b:second` runs before `a:first`, says plugin b 1.2.0
    help: disable one of these commands, or change what plugin a 1.2.0 or plugin b 1.2.0 says about their order
    ");
}

#[test]
fn cycle_of_kinds() {
    insta::assert_snapshot!(failure([
        command("egg", "chicken -> egg"),
        command("chicken", "egg -> chicken"),
    ]), @r"
    commands wait for each other: chicken → egg → chicken
      chicken (core) → egg (core): `egg` consumes chicken, which `chicken` produces
      egg (core) → chicken (core): `chicken` consumes egg, which `egg` produces
    help: disable one of these commands, or let it produce or consume another kind
    ");
}

#[test]
fn cycle_of_one() {
    insta::assert_snapshot!(failure([command("a:b", "->").after(name("a:b"))]), @r"
    a command waits for itself: `a:b`
      a:b (plugin a 1.2.0) → a:b (plugin a 1.2.0): `a:b` runs after `a:b`, says plugin a 1.2.0
    help: disable one of these commands, or change what plugin a 1.2.0 says about their order
    ");
}

#[test]
fn nothing_produces_what_was_disabled() {
    let (commands, mut rules) = realistic();
    rules.disable = disable("compile").disable;
    insta::assert_snapshot!(no_plan(commands, &rules, Target::Kind(kind("executable"))), @r"
    nothing makes object, which is needed by `gnu:link` (plugin gnu 1.2.0)
      `compile` would make it, but pyproject.toml:24 disables `compile`
    help: take back what pyproject.toml:24 says about `compile`, disable `gnu:link` too, or add a plugin that makes object
    ");
}

#[test]
fn nothing_produces_what_a_disabled_wrapped_command_would() {
    let commands = [
        command("cc", "-> object"),
        command("a:wrap", "-> report").wraps(name("cc")),
        command("upload", "report ->"),
    ];
    let target = Target::Command(name("upload"));
    insta::assert_snapshot!(no_plan(commands, &disable("cc"), target), @r"
    nothing makes report, which is needed by `upload` (core)
      `a:wrap` would make it, but pyproject.toml:24 disables `cc`
    help: take back what pyproject.toml:24 says about `cc`, disable `upload` too, or add a plugin that makes report
    ");
}

#[test]
fn nothing_ever_produced_it() {
    let commands = [command("cc", "-> object"), command("ld", "objects lib -> lib")];
    let target = Target::Command(name("ld"));
    insta::assert_snapshot!(no_plan(commands, &UserRules::default(), target), @r"
    nothing makes lib, which is needed by `ld` (core)
    help: add a plugin that makes lib
    ");
}

#[test]
fn a_target_that_only_a_disabled_command_makes() {
    let (commands, rules) = realistic();
    insta::assert_snapshot!(no_plan(commands, &rules, Target::Kind(kind("report"))), @r"
    nothing makes report
      `cython:annotate` would make it, but pyproject.toml:24 disables `cython:annotate`
    help: take back what pyproject.toml:24 says about `cython:annotate`
    ");
}

#[test]
fn a_target_that_is_disabled() {
    let (commands, rules) = realistic();
    let target = Target::Command(name("cython:annotate"));
    insta::assert_snapshot!(no_plan(commands, &rules, target), @r"
    `cython:annotate` cannot be built, for it isn't there:
      pyproject.toml:24 disables `cython:annotate`
    help: enable it again, or leave `cython:annotate` out of the targets
    ");
}

#[test]
fn unknown_target() {
    let (commands, rules) = realistic();
    insta::assert_snapshot!(no_plan(commands.clone(), &rules, Target::Kind(kind("weel"))), @r"
    there is neither a command nor a kind called `weel`
    help: did you mean `wheel`?
    ");
    let graph = Graph::build(commands, &rules).unwrap();
    insta::assert_snapshot!(show(&graph.target("documentation").unwrap_err()), @r"
    there is neither a command nor a kind called `documentation`
    help: `ekiben graph` lists all commands and kinds
    ");
}
