//! The order in which a product's Fortran sources must be compiled, and the module files that pass
//! between them.

use std::collections::{BTreeMap, BTreeSet};

use ekiben_plugin::Diagnostic;

use crate::fortran::{Scan, Submodule};

/// A source: its path for messages, and what was read of it.
#[derive(Debug, Clone)]
pub(crate) struct Scanned {
    pub(crate) path: String,
    pub(crate) scan: Scan,
}

/// What one source has to do with the others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Links {
    /// Module files that compiling it makes, by file name.
    pub(crate) makes: Vec<String>,
    /// Module files that it reads, by file name.
    pub(crate) reads: BTreeSet<String>,
}

/// The sources' places in an order in which each comes after what it needs, and their links.
pub(crate) struct Ordered {
    pub(crate) order: Vec<usize>,
    pub(crate) links: Vec<Links>,
}

/// What a source provides to others.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Unit {
    Module(String),
    /// The module and the submodule.
    Submodule(String, String),
}

impl Unit {
    fn parent_of(submodule: &Submodule) -> Self {
        match &submodule.parent {
            None => Self::Module(submodule.module.clone()),
            Some(parent) => Self::Submodule(submodule.module.clone(), parent.clone()),
        }
    }

    fn title(&self) -> String {
        match self {
            Self::Module(name) => format!("module `{name}`"),
            Self::Submodule(module, name) => format!("submodule `{name}` of `{module}`"),
        }
    }

    /// The file that a submodule of this unit reads.
    fn smod(&self) -> String {
        match self {
            Self::Module(name) => format!("{name}.smod"),
            Self::Submodule(module, name) => format!("{module}@{name}.smod"),
        }
    }
}

/// Orders the sources. Those that don't depend on each other stay in the given order.
pub(crate) fn order(sources: &[Scanned]) -> Result<Ordered, Vec<Diagnostic>> {
    let providers = providers(sources)?;
    let parents: BTreeSet<Unit> = sources
        .iter()
        .flat_map(|source| &source.scan.submodules)
        .map(Unit::parent_of)
        .filter(|parent| providers.contains_key(parent))
        .collect();
    let mut links = vec![Links::default(); sources.len()];
    for (unit, &(source, _)) in &providers {
        if let Unit::Module(name) = unit {
            links[source].makes.push(format!("{name}.mod"));
        }
        // gfortran writes it only for a unit that has submodules to come.
        if parents.contains(unit) {
            links[source].makes.push(unit.smod());
        }
    }
    let mut needs: Vec<BTreeMap<usize, Unit>> = vec![BTreeMap::new(); sources.len()];
    for (at, source) in sources.iter().enumerate() {
        let used = source.scan.uses.iter().map(|name| {
            let unit = Unit::Module(name.clone());
            let file = format!("{name}.mod");
            (unit, file)
        });
        let extended = source.scan.submodules.iter().map(|submodule| {
            let unit = Unit::parent_of(submodule);
            let file = unit.smod();
            (unit, file)
        });
        for (unit, file) in used.chain(extended) {
            if let Some(&(provider, _)) = providers.get(&unit)
                && provider != at
            {
                links[at].reads.insert(file);
                needs[at].entry(provider).or_insert(unit);
            }
        }
    }
    let order = sorted(sources, &needs).map_err(|cycle| vec![cycle])?;
    Ok(Ordered { order, links })
}

/// The source, and the line in it, that defines each unit.
fn providers(sources: &[Scanned]) -> Result<BTreeMap<Unit, (usize, u32)>, Vec<Diagnostic>> {
    let mut providers: BTreeMap<Unit, (usize, u32)> = BTreeMap::new();
    let mut errors = Vec::new();
    for (at, source) in sources.iter().enumerate() {
        let modules = source.scan.modules.iter().map(|(n, line)| (Unit::Module(n.clone()), *line));
        let submodules = source
            .scan
            .submodules
            .iter()
            .map(|s| (Unit::Submodule(s.module.clone(), s.name.clone()), s.line));
        for (unit, line) in modules.chain(submodules) {
            if let Some(&(other, other_line)) = providers.get(&unit) {
                let (first, second) = (&sources[other].path, &source.path);
                errors.push(
                    Diagnostic::error(
                        "duplicate-module",
                        format!(
                            "{} is defined in both {first}:{other_line} and {second}:{line}",
                            unit.title()
                        ),
                    )
                    .at(second.clone(), line, 1)
                    .with_help(
                        "one product can hold a module once: rename one, or list one file only",
                    ),
                );
            } else {
                providers.insert(unit, (at, line));
            }
        }
    }
    if errors.is_empty() { Ok(providers) } else { Err(errors) }
}

/// The lowest source whose needs are met comes next; what is left has a cycle.
fn sorted(sources: &[Scanned], needs: &[BTreeMap<usize, Unit>]) -> Result<Vec<usize>, Diagnostic> {
    let mut missing: Vec<usize> = needs.iter().map(BTreeMap::len).collect();
    let mut users: Vec<Vec<usize>> = vec![Vec::new(); sources.len()];
    for (user, needed) in needs.iter().enumerate() {
        for &provider in needed.keys() {
            users[provider].push(user);
        }
    }
    let mut ready: BTreeSet<usize> =
        (0..sources.len()).filter(|&source| missing[source] == 0).collect();
    let mut order = Vec::with_capacity(sources.len());
    while let Some(source) = ready.pop_first() {
        order.push(source);
        for &user in &users[source] {
            missing[user] -= 1;
            if missing[user] == 0 {
                ready.insert(user);
            }
        }
    }
    match (0..sources.len()).find(|&source| missing[source] > 0) {
        None => Ok(order),
        Some(stuck) => Err(cycle(sources, needs, &missing, stuck)),
    }
}

/// From a source that can't come next, following its needs leads into a cycle.
fn cycle(
    sources: &[Scanned],
    needs: &[BTreeMap<usize, Unit>],
    missing: &[usize],
    stuck: usize,
) -> Diagnostic {
    let next = |at: usize| {
        let mut unmet = needs[at].iter().filter(|(provider, _)| missing[**provider] > 0);
        unmet.next().map(|(provider, unit)| (*provider, unit))
    };
    let mut path = vec![stuck];
    let mut at = stuck;
    while let Some((provider, _)) = next(at) {
        if let Some(start) = path.iter().position(|&seen| seen == provider) {
            path.drain(..start);
            break;
        }
        path.push(provider);
        at = provider;
    }
    let steps: Vec<String> = path
        .iter()
        .filter_map(|&at| {
            let (provider, unit) = next(at)?;
            let (user, provider) = (&sources[at].path, &sources[provider].path);
            Some(format!("{user} needs {} of {provider}", unit.title()))
        })
        .collect();
    let mut error = Diagnostic::error(
        "module-cycle",
        format!("Fortran files need each other's modules in a circle: {}", steps.join("; ")),
    )
    .with_help("move what both need to a module of its own, or put a body into a submodule");
    if let Some(&first) = path.first() {
        error = error.at(sources[first].path.clone(), 1, 1);
    }
    error
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::fortran::{Form, Reading, scan};

    fn sources(files: &[(&str, &str)]) -> Vec<Scanned> {
        let reading = Reading { form: Form::Free, macros: None, openmp: false };
        files
            .iter()
            .map(|(path, text)| Scanned { path: (*path).to_owned(), scan: scan(text, reading) })
            .collect()
    }

    #[test]
    fn providers_come_first_and_others_keep_their_place() {
        let ordered = order(&sources(&[
            ("main.f90", "use b\nuse a\nuse iso_c_binding\nuse elsewhere\n"),
            ("other.f90", "subroutine s\nend\n"),
            ("a.f90", "module a\nuse b\nend module\n"),
            ("b.f90", "module b\nend module\n"),
        ]));
        let ordered = ordered.unwrap_or_else(|errors| panic!("{errors:?}"));
        assert_eq!(ordered.order, [1, 3, 2, 0]);
        assert_eq!(ordered.links[2].makes, ["a.mod"]);
        assert_eq!(ordered.links[0].reads, BTreeSet::from(["a.mod".into(), "b.mod".into()]));
    }

    #[test]
    fn a_file_may_use_its_own_module() {
        let ordered =
            order(&sources(&[("a.f90", "module a\nend module\nprogram p\nuse a\nend\n")]));
        assert!(ordered.is_ok_and(|ordered| ordered.links[0].reads.is_empty()));
    }

    #[test]
    fn submodules_follow_what_they_extend() {
        let ordered = order(&sources(&[
            ("deep.f90", "submodule (a:body) deep\nend\n"),
            ("body.f90", "submodule (a) body\nend\n"),
            ("a.f90", "module a\nend module\n"),
        ]));
        let ordered = ordered.unwrap_or_else(|errors| panic!("{errors:?}"));
        assert_eq!(ordered.order, [2, 1, 0]);
        assert_eq!(ordered.links[2].makes, ["a.mod", "a.smod"]);
        assert_eq!(ordered.links[1].makes, ["a@body.smod"]);
        assert_eq!(ordered.links[1].reads, BTreeSet::from(["a.smod".into()]));
        assert_eq!(ordered.links[0].reads, BTreeSet::from(["a@body.smod".into()]));
        assert!(ordered.links[0].makes.is_empty());
    }

    #[test]
    fn a_cycle_is_told_step_by_step() {
        let errors = order(&sources(&[
            ("start.f90", "use a\n"),
            ("a.f90", "module a\nuse b\nend module\n"),
            ("b.f90", "module b\nuse a\nend module\n"),
        ]))
        .err()
        .unwrap();
        assert_eq!(
            errors[0].message,
            "Fortran files need each other's modules in a circle: a.f90 needs module `b` of b.f90; \
             b.f90 needs module `a` of a.f90"
        );
    }

    #[test]
    fn two_definitions_are_both_named() {
        let errors = order(&sources(&[
            ("one.f90", "module m\nend module\n"),
            ("two.f90", "\nmodule M\nend module\n"),
        ]))
        .err()
        .unwrap();
        assert_eq!(errors[0].message, "module `m` is defined in both one.f90:1 and two.f90:2");
        let at = errors[0].at.clone().unwrap();
        assert_eq!((at.path.as_str(), at.line), ("two.f90", 2));
    }

    proptest! {
        #[test]
        fn an_order_is_one_or_there_is_a_cycle(uses in proptest::collection::vec((0..8usize, 0..8usize), 0..14)) {
            let texts: Vec<(String, String)> = (0..8)
                .map(|at| {
                    let used: String = uses.iter().filter(|(user, _)| *user == at)
                        .map(|(_, module)| format!("use m{module}\n")).collect();
                    (format!("{at}.f90"), format!("module m{at}\n{used}end module\n"))
                })
                .collect();
            let files: Vec<_> = texts.iter().map(|(p, t)| (p.as_str(), t.as_str())).collect();
            match order(&sources(&files)) {
                Ok(ordered) => {
                    let place = |source: usize| ordered.order.iter().position(|&s| s == source).unwrap();
                    for (user, module) in uses {
                        prop_assert!(user == module || place(module) < place(user));
                    }
                }
                Err(errors) => prop_assert_eq!(errors[0].code.as_str(), "module-cycle"),
            }
        }
    }
}
