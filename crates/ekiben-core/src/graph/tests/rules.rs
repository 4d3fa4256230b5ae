//! What each statement does to the order and to the plan, one at a time.

use super::super::{Absence, Reason, Relation, Replace, Why, WhyNot};
use super::*;

fn reasons(graph: &Graph, from: &str, to: &str) -> Vec<Reason> {
    let edge = graph.edges().iter().find(|edge| edge.from == name(from) && edge.to == name(to));
    edge.map(|edge| edge.reasons.clone()).unwrap_or_default()
}

#[test]
fn names_are_checked_where_they_enter() {
    for good in ["compile", "gnu:compile", "a", "a1-b2:c-3"] {
        assert_eq!(name(good).as_str(), good);
    }
    for bad in ["", "Compile", "a:", ":a", "a::b", "a:b:c", "a--b", "-a", "a-", "1a", "a b", "é"] {
        bad.parse::<CommandName>().unwrap_err();
    }
    kind("static-library");
    "gnu:object".parse::<Kind>().unwrap_err();
    assert_eq!(refer("gnu:compile?"), name("gnu:compile").optional());
    let error = "Gnu:compile".parse::<CommandName>().unwrap_err();
    insta::assert_snapshot!(
        format!("{error}\nhelp: {}", error.help()),
        @r"
    `Gnu:compile` is not a command name: it has characters that a name cannot have
    help: use lower-case letters, digits and single hyphens, beginning with a letter, as in `compile` or `gnu:compile`
    "
    );
}

#[test]
fn a_description_survives_json() {
    let (commands, rules) = realistic();
    let text = serde_json::to_string(&(&commands, &rules)).unwrap();
    let read: (Vec<CommandSpec>, UserRules) = serde_json::from_str(&text).unwrap();
    assert_eq!(read, (commands, rules));
}

#[test]
fn kinds_order_producers_rewriters_consumers() {
    let graph = graph([
        command("a-use", "c ->"),
        command("b-rewrite", "c -> c"),
        command("c-rewrite", "c -> c"),
        command("d-make", "-> c"),
    ]);
    assert_eq!(order(&graph), ["d-make", "b-rewrite", "c-rewrite", "a-use"]);
    assert_eq!(reasons(&graph, "d-make", "a-use"), [Reason::Kind { kind: kind("c") }]);
    assert_eq!(reasons(&graph, "b-rewrite", "c-rewrite"), [Reason::Rewrites { kind: kind("c") }]);
}

#[test]
fn a_constraint_orders_rewriters_against_their_names() {
    let graph = graph([
        command("make", "-> c"),
        command("a-rewrite", "c -> c").after(name("b-rewrite")),
        command("b-rewrite", "c -> c"),
    ]);
    assert_eq!(order(&graph), ["make", "b-rewrite", "a-rewrite"]);
}

#[test]
fn order_goes_through_an_anchor_that_is_never_planned() {
    let graph = graph([
        command("a", "-> out").after(name("ready")),
        command("b", "-> out").before(name("ready")),
        CommandSpec::anchor(name("ready"), Author::Core),
    ]);
    assert_eq!(order(&graph), ["b", "ready", "a"]);
    let plan = plan(&graph, &["out"]);
    assert_eq!(planned(&plan), ["b", "a"]);
    assert_eq!(plan.why_not(&name("ready")), Some(&WhyNot::Anchor));
}

#[test]
fn an_optional_reference_may_come_to_nothing() {
    let graph = graph([command("a", "-> x").after(refer("gone:b?")).before(refer("gone:c?"))]);
    assert!(graph.edges().is_empty());
}

#[test]
fn a_replacement_inherits_what_others_say() {
    let graph = graph([
        command("old", "-> x").before(name("z")),
        command("new", "-> x y").replaces(name("old")).after(name("old")),
        command("first", "->").before(name("old")),
        command("follower", "->").required_after(name("old")),
        command("z", "->"),
    ]);
    assert_eq!(order(&graph), ["first", "new", "follower", "z"]);
    assert!(reasons(&graph, "new", "z").is_empty(), "what the old command said goes with it");
    assert_eq!(graph.node(&name("old")).unwrap().name(), &name("new"));
    let plan = plan(&graph, &["old"]);
    assert_eq!(planned(&plan), ["new", "follower"]);
    assert!(matches!(
        plan.why_not(&name("old")),
        Some(WhyNot::Absent(Absence::Replaced { by, .. })) if *by == name("new")
    ));
}

#[test]
fn replacements_chain_and_agree() {
    let rules = UserRules {
        replace: vec![Replace { command: refer("a"), with: refer("b"), author: user(3) }],
        ..UserRules::default()
    };
    let commands = [
        command("a", "-> x"),
        command("b", "-> x").replaces(name("a")),
        command("c", "-> x").replaces(name("b")),
        command("user", "->").after(name("a")),
    ];
    let graph = Graph::build(commands, &rules).unwrap();
    assert_eq!(order(&graph), ["c", "user"]);
}

#[test]
fn a_user_replaces_a_command_by_another() {
    let rules = UserRules {
        replace: vec![Replace { command: refer("gnu:cc"), with: refer("zig:cc"), author: user(3) }],
        ..UserRules::default()
    };
    let commands = [
        command("gnu:cc", "-> object"),
        command("zig:cc", "-> object"),
        command("ld", "object ->"),
    ];
    let graph = Graph::build(commands, &rules).unwrap();
    assert_eq!(planned(&plan(&graph, &["ld"])), ["zig:cc", "ld"]);
}

#[test]
fn a_disabled_command_has_no_voice() {
    let rules = UserRules {
        disable: vec![Disable { command: refer("a"), author: user(4) }],
        ..UserRules::default()
    };
    let commands = [
        command("a", "->").disables(name("b")).replaces(name("c")).before(name("nobody")),
        command("b", "->"),
        command("c", "->").after(name("a")),
    ];
    assert_eq!(order(&Graph::build(commands, &rules).unwrap()), ["b", "c"]);
}

#[test]
fn commands_that_disable_each_other_are_both_gone() {
    let graph = graph([
        command("a", "->").disables(name("b")),
        command("b", "->").disables(name("a")),
        command("c", "->").after(name("a")),
    ]);
    assert_eq!(order(&graph), ["c"]);
    assert_eq!(graph.absent().count(), 2);
}

#[test]
fn wrappers_nest_by_name_and_share_the_place() {
    let graph = graph([
        command("cc", "source -> object"),
        command("b-wrap", "option? ->").wraps(name("cc")).after(name("setup")),
        command("a-wrap", "->").wraps(name("cc")).before(name("cc")),
        command("c-wrap", "-> report").wraps(name("b-wrap")),
        command("setup", "-> source"),
        command("log", "->").after(name("c-wrap")),
    ]);
    assert_eq!(order(&graph), ["setup", "cc", "log"]);
    let node = graph.node(&name("a-wrap")).unwrap();
    let around: Vec<&str> = node.wrapped_by.iter().map(|spec| spec.name.as_str()).collect();
    assert_eq!(around, ["a-wrap", "c-wrap", "b-wrap"]);
    assert_eq!(node.produces, [kind("object"), kind("report")]);
    assert_eq!(planned(&plan(&graph, &["report"])), ["setup", "cc"]);
    let plan = plan(&graph, &["object"]);
    assert_eq!(plan.get(&name("cc")).unwrap().wrapped_by.len(), 3);
}

#[test]
fn a_wrapper_goes_around_the_replacement_and_goes_with_it() {
    let commands = || {
        [
            command("old", "-> x"),
            command("new", "-> x").replaces(name("old")),
            command("wrap", "->").wraps(name("old")),
        ]
    };
    let with = graph(commands());
    assert_eq!(with.node(&name("new")).unwrap().wrapped_by[0].name, name("wrap"));

    let disable = |command: &str| UserRules {
        disable: vec![Disable { command: refer(command), author: user(4) }],
        ..UserRules::default()
    };
    let without = Graph::build(commands(), &disable("new")).unwrap();
    assert_eq!(order(&without), ["old"], "the replacement is gone, so the old command is back");
    let nothing =
        Graph::build([command("x", "->"), command("w", "->").wraps(name("x"))], &disable("x"));
    let nothing = nothing.unwrap();
    assert!(nothing.nodes().is_empty());
    assert!(matches!(
        nothing.absent().next(),
        Some((wrapper, Absence::NothingToWrap { .. })) if *wrapper == name("w")
    ));
}

#[test]
fn a_plan_pulls_by_kind_and_pushes_followers_but_order_does_neither() {
    let graph = graph([
        command("make", "-> source"),
        command("cc", "source -> object"),
        command("other-cc", "-> object"),
        command("sign", "key -> signature").required_after(name("cc")),
        command("keys", "-> key"),
        command("early", "->").before(name("cc")),
        command("ld", "object -> program"),
    ]);
    let plan = plan(&graph, &["object"]);
    assert_eq!(planned(&plan), ["keys", "make", "cc", "other-cc", "sign"]);
    assert_eq!(plan.why_not(&name("early")), Some(&WhyNot::NotNeeded));
    assert_eq!(plan.why_not(&name("ld")), Some(&WhyNot::NotNeeded));
    let sign = plan.get(&name("sign")).unwrap();
    assert_eq!(sign.why, [Why::RequiredAfter { command: name("cc") }]);
    let keys = plan.get(&name("keys")).unwrap();
    assert_eq!(keys.why, [Why::Makes { kind: kind("key"), consumers: vec![name("sign")] }]);
    let [Reason::Stated(said)] = &reasons(&graph, "cc", "sign")[..] else { panic!() };
    assert_eq!(said.relation, Relation::RequiredAfter);
}

#[test]
fn an_optional_kind_is_taken_where_something_makes_it() {
    let cc = || command("cc", "generated? -> object");
    assert_eq!(planned(&plan(&graph([cc()]), &["object"])), ["cc"]);
    let with = graph([cc(), command("gen", "-> generated")]);
    assert_eq!(planned(&plan(&with, &["object"])), ["gen", "cc"]);
}

#[test]
fn a_word_means_a_kind_before_a_command() {
    let graph = graph([command("wheel", "-> wheel"), command("sign", "wheel -> wheel")]);
    assert_eq!(graph.target("wheel").unwrap(), Target::Kind(Kind::WHEEL));
    assert_eq!(graph.target("sign").unwrap(), Target::Command(name("sign")));
    assert_eq!(planned(&plan(&graph, &["wheel"])), ["wheel", "sign"]);
}
