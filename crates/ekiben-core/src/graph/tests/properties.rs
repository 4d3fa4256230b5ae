//! What holds for every set of commands, on random ones.

use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::subsequence;

use super::super::{Absence, GraphError, Node, Reason, Relation, Why, render};
use super::*;

const NAMES: [&str; 9] = ["a", "b", "c:d", "c:e", "f", "g:h", "i", "j", "k:l"];
const KINDS: [&str; 6] = ["n", "o", "p", "q", "r", "s"];

/// Commands that refer to each other at random: cycles, rewriters and all.
fn any_commands() -> impl Strategy<Value = Vec<CommandSpec>> {
    let kinds = || subsequence(KINDS.to_vec(), 0..3);
    let names = || subsequence(NAMES.to_vec(), 0..2);
    let rest = (kinds(), kinds(), names(), names(), names());
    vec((rest, any::<bool>()), 1..NAMES.len()).prop_map(|all| {
        let present: BTreeSet<&str> = NAMES[..all.len()].iter().copied().collect();
        all.into_iter()
            .zip(NAMES)
            .map(|(((takes, makes, before, after, required), optional), own)| {
                let refer = |names: Vec<&str>| -> Vec<Ref<CommandName>> {
                    let names = names.into_iter().filter(|other| *other != own);
                    names
                        .filter(|other| optional || present.contains(other))
                        .map(|text| Ref { name: name(text), optional })
                        .collect()
                };
                CommandSpec {
                    consumes: takes.into_iter().map(|text| kind(text).optional()).collect(),
                    produces: makes.into_iter().map(kind).collect(),
                    before: refer(before),
                    after: refer(after),
                    required_after: refer(required),
                    ..command(own, "->")
                }
            })
            .collect()
    })
}

/// Commands whose constraints and kinds all go one way, along the order of their indices.
fn acyclic_commands() -> impl Strategy<Value = Vec<CommandSpec>> {
    let constraint = (0..NAMES.len(), 0..NAMES.len(), 0..3_u8);
    let flow = (0..NAMES.len(), 0..NAMES.len());
    (vec(constraint, 0..12), vec(flow, 0..10), Just(NAMES.to_vec()).prop_shuffle()).prop_map(
        |(constraints, flows, names)| {
            let mut commands: Vec<CommandSpec> =
                names.iter().map(|text| command(text, "->")).collect();
            for (a, b, relation) in constraints.into_iter().filter(|(a, b, _)| a != b) {
                let (early, late) = (a.min(b), a.max(b));
                let (early_name, late_name) =
                    (commands[early].name.clone(), commands[late].name.clone());
                match relation {
                    0 => commands[early].before.push(late_name.into()),
                    1 => commands[late].after.push(early_name.into()),
                    _ => commands[late].required_after.push(early_name.into()),
                }
            }
            for (nth, (a, b)) in flows.into_iter().enumerate().filter(|(_, (a, b))| a != b) {
                // A kind of its own for each flow, so that one flow's producer isn't another's
                // consumer.
                let kind = kind(&format!("k{nth}"));
                commands[a.min(b)].produces.push(kind.clone());
                commands[a.max(b)].consumes.push(kind.into());
            }
            commands
        },
    )
}

/// A graph, out of whatever part of the commands makes one: constraints that close a cycle are
/// dropped.
fn some_graph() -> impl Strategy<Value = (Vec<CommandSpec>, Graph)> {
    any_commands().prop_map(|mut commands| {
        loop {
            match Graph::build(commands.clone(), &UserRules::default()) {
                Ok(graph) => return (commands, graph),
                Err(GraphError::Cycle(cycle)) => {
                    let edge = &cycle.edges[0];
                    let ends = [&edge.from, &edge.to];
                    for spec in commands.iter_mut().filter(|spec| ends.contains(&&spec.name)) {
                        let other = if spec.name == edge.from { &edge.to } else { &edge.from };
                        spec.before.retain(|reference| reference.name != *other);
                        spec.after.retain(|reference| reference.name != *other);
                        spec.required_after.retain(|reference| reference.name != *other);
                        if spec.name == edge.from {
                            let kinds: Vec<&Kind> =
                                edge.reasons.iter().filter_map(Reason::kind).collect();
                            spec.produces.retain(|kind| !kinds.contains(&kind));
                        }
                    }
                }
                Err(other) => panic!("{other}"),
            }
        }
    })
}

fn positions(graph: &Graph) -> BTreeMap<CommandName, usize> {
    let nodes = graph.nodes().iter().enumerate();
    nodes.map(|(position, node)| (node.name().clone(), position)).collect()
}

fn some_kind(graph: &Graph, pick: usize) -> Option<Target> {
    let made: BTreeSet<&Kind> = graph.nodes().iter().flat_map(|node| &node.produces).collect();
    let pick = pick % made.len().max(1);
    made.into_iter().nth(pick).map(|kind| Target::Kind(kind.clone()))
}

proptest! {
    #[test]
    fn order_respects_every_edge_and_layers_grow((_, graph) in some_graph()) {
        let position = positions(&graph);
        for edge in graph.edges() {
            prop_assert!(position[&edge.from] < position[&edge.to]);
            prop_assert!(!edge.reasons.is_empty());
            let layer = |name| graph.node(name).unwrap().layer;
            prop_assert!(layer(&edge.from) < layer(&edge.to));
        }
    }

    #[test]
    fn every_producer_comes_before_every_consumer((_, graph) in some_graph()) {
        let position = positions(&graph);
        for maker in graph.nodes() {
            for kind in maker.produces.iter().filter(|kind| maker.takes(kind).is_none()) {
                for taker in graph.nodes().iter().filter(|node| node.takes(kind).is_some()) {
                    prop_assert!(position[maker.name()] < position[taker.name()]);
                }
            }
        }
    }

    #[test]
    fn arrival_makes_no_difference((commands, shuffled) in any_commands()
        .prop_flat_map(|commands| (Just(commands.clone()), Just(commands).prop_shuffle())))
    {
        let show = |commands| match Graph::build(commands, &UserRules::default()) {
            Ok(graph) => render::json(&graph, None) + &render::svg(&graph, None),
            Err(error) => error.to_string(),
        };
        prop_assert_eq!(show(commands), show(shuffled));
    }

    #[test]
    fn a_cycle_is_real_and_repeats_no_command(commands in any_commands()) {
        let Err(error) = Graph::build(commands.clone(), &UserRules::default()) else {
            return Ok(());
        };
        let GraphError::Cycle(cycle) = error else { panic!("{error}") };
        let specs: BTreeMap<&CommandName, &CommandSpec> =
            commands.iter().map(|spec| (&spec.name, spec)).collect();
        let ends: Vec<&CommandName> = cycle.edges.iter().map(|edge| &edge.from).collect();
        prop_assert_eq!(ends.iter().collect::<BTreeSet<_>>().len(), ends.len());
        prop_assert_eq!(cycle.authors.len(), ends.len());
        for (nth, edge) in cycle.edges.iter().enumerate() {
            prop_assert_eq!(&edge.to, ends[(nth + 1) % ends.len()]);
            for reason in &edge.reasons {
                let holds = match reason {
                    Reason::Kind { kind } => {
                        let taken = &specs[&edge.to].consumes;
                        specs[&edge.from].produces.contains(kind)
                            && taken.iter().any(|taken| taken.name == *kind)
                    }
                    Reason::Stated(said) => {
                        let subject = specs[said.subject.as_ref().unwrap()];
                        let (objects, ends) = match said.relation {
                            Relation::Before => (&subject.before, (&subject.name, &said.object)),
                            Relation::After => (&subject.after, (&said.object, &subject.name)),
                            _ => (&subject.required_after, (&said.object, &subject.name)),
                        };
                        ends == (&edge.from, &edge.to)
                            && objects.iter().any(|object| object.name == said.object)
                    }
                    Reason::Rewrites { .. } => false,
                };
                prop_assert!(holds, "{:?}", reason);
            }
        }
    }

    #[test]
    fn what_has_an_order_gets_one(commands in acyclic_commands()) {
        let graph = Graph::build(commands.clone(), &UserRules::default());
        prop_assert_eq!(graph.map(|graph| graph.nodes().len()), Ok(commands.len()));
    }

    #[test]
    fn a_plan_is_the_least_closed_set((_, graph) in some_graph(), pick in any::<usize>()) {
        let Some(target) = some_kind(&graph, pick) else { return Ok(()) };
        let plan = graph.plan(std::slice::from_ref(&target)).unwrap();
        let running: BTreeSet<&CommandName> = plan.commands.iter().map(|c| &c.name).collect();
        for node in graph.nodes() {
            let runs = running.contains(node.name());
            for taken in node.consumes.iter().filter(|_| runs) {
                for maker in graph.nodes().iter().filter(|maker| maker.makes(&taken.name)) {
                    prop_assert!(running.contains(maker.name()), "pull");
                }
            }
            for leader in &node.spec.required_after {
                let leader = graph.node(&leader.name).map(Node::name);
                let pushed = leader.is_some_and(|leader| running.contains(leader));
                prop_assert!(runs || !pushed, "push");
            }
            prop_assert_eq!(plan.get(node.name()).is_some(), plan.why_not(node.name()).is_none());
        }
        // Least: from the target, reasons lead to everything in it.
        let mut reached: BTreeSet<&CommandName> = BTreeSet::new();
        for _ in &plan.commands {
            for command in &plan.commands {
                let leads_here = |why: &Why| match why {
                    Why::Target { .. } => true,
                    Why::Makes { consumers, .. } => consumers.iter().any(|c| reached.contains(c)),
                    Why::RequiredAfter { command } => reached.contains(command),
                };
                if command.why.iter().any(leads_here) {
                    reached.insert(&command.name);
                }
            }
        }
        prop_assert_eq!(reached, running);
        let position = positions(&graph);
        prop_assert!(plan.commands.is_sorted_by_key(|command| position[&command.name]));
    }

    #[test]
    fn order_alone_never_makes_anything_run(
        (commands, graph) in some_graph(),
        ends in subsequence(NAMES.to_vec(), 2),
        flip in any::<bool>(),
        pick in any::<usize>(),
    ) {
        let Some(target) = some_kind(&graph, pick) else { return Ok(()) };
        let (subject, object) = if flip { (ends[1], ends[0]) } else { (ends[0], ends[1]) };
        let rules = UserRules {
            order: vec![OrderConstraint {
                command: name(subject).optional(),
                before: vec![name(object).optional()],
                after: Vec::new(),
                author: user(1),
            }],
            ..UserRules::default()
        };
        let Ok(with) = Graph::build(commands, &rules) else { return Ok(()) };
        let set = |graph: &Graph| -> BTreeSet<CommandName> {
            let plan = graph.plan(std::slice::from_ref(&target)).unwrap();
            plan.commands.into_iter().map(|command| command.name).collect()
        };
        prop_assert_eq!(set(&graph), set(&with));
    }

    #[test]
    fn a_replacement_stands_where_the_old_one_did(
        (mut commands, before) in some_graph(),
        pick in any::<usize>(),
    ) {
        let pick = pick % commands.len();
        let old = commands[pick].clone();
        let new = CommandSpec {
            produces: old.produces.clone(),
            consumes: old.consumes.clone(),
            replaces: Some(old.name.clone().into()),
            ..command("zz:new", "->")
        };
        commands.push(new);
        let after = Graph::build(commands, &UserRules::default()).unwrap();
        prop_assert_eq!(after.nodes().len(), before.nodes().len());
        prop_assert!(after.nodes().iter().all(|node| *node.name() != old.name));
        let renamed = |end: &CommandName| match *end == old.name {
            true => name("zz:new"),
            false => end.clone(),
        };
        for edge in before.edges() {
            for reason in &edge.reasons {
                let of_others = match reason {
                    Reason::Stated(said) => said.subject.as_ref() != Some(&old.name),
                    Reason::Kind { .. } => true,
                    Reason::Rewrites { .. } => false,
                };
                let kept = after.edges().iter().any(|kept| {
                    kept.from == renamed(&edge.from)
                        && kept.to == renamed(&edge.to)
                        && kept.reasons.contains(reason)
                });
                prop_assert!(kept || !of_others, "{:?}", reason);
            }
        }
    }

    #[test]
    fn disabling_removes_exactly_one((commands, before) in some_graph(), pick in any::<usize>()) {
        let gone = commands[pick % commands.len()].name.clone();
        let rules = UserRules {
            disable: vec![Disable { command: gone.clone().into(), author: user(1) }],
            ..UserRules::default()
        };
        let after = Graph::build(commands, &rules).unwrap();
        let names = |graph: &Graph| -> BTreeSet<CommandName> {
            graph.nodes().iter().map(|node| node.name().clone()).collect()
        };
        let mut expected = names(&before);
        expected.remove(&gone);
        prop_assert_eq!(names(&after), expected);
        prop_assert!(after.node(&gone).is_none());
        let absent: Vec<_> = after.absent().collect();
        let only_it = matches!(absent[..], [(name, Absence::Disabled { .. })] if *name == gone);
        prop_assert!(only_it);
    }

    #[test]
    fn a_drawing_is_well_formed_and_nothing_overlaps(
        (_, graph) in some_graph(),
        pick in any::<usize>(),
    ) {
        let plan = some_kind(&graph, pick).map(|target| graph.plan(&[target]).unwrap());
        super::rendering::check_drawing(&render::svg(&graph, plan.as_ref()));
    }
}
