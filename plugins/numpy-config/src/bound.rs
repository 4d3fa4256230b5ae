//! Whether the project's `dependencies` let in only a NumPy that the wheel works with.

use std::str::FromStr as _;

use ekiben_plugin::Diagnostic;
use pep440_rs::{Operator, Version, VersionSpecifiers};

use crate::plan::Plan;
use crate::release::Release;

/// The versions that a requirement (PEP 508) on NumPy lets in; nothing if it is about another
/// project, or if it names a file.
fn on_numpy(requirement: &str) -> Option<VersionSpecifiers> {
    let requirement = requirement.split(';').next().unwrap_or_default().trim();
    let end = requirement
        .find(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c)))
        .unwrap_or(requirement.len());
    let (name, rest) = requirement.split_at(end);
    if !name.eq_ignore_ascii_case("numpy") {
        return None;
    }
    let rest = match rest.trim_start().strip_prefix('[') {
        Some(extras) => extras.split_once(']')?.1,
        None => rest,
    };
    let rest = rest.trim().trim_start_matches('(').trim_end_matches(')');
    VersionSpecifiers::from_str(rest).ok()
}

/// The oldest release that it lets in, if it says.
fn lower_bound(specifiers: &VersionSpecifiers) -> Option<Release> {
    let bounds = specifiers.iter().filter_map(|specifier| {
        let is_bound = matches!(
            specifier.operator(),
            Operator::GreaterThan
                | Operator::GreaterThanEqual
                | Operator::Equal
                | Operator::EqualStar
                | Operator::ExactEqual
                | Operator::TildeEqual
        );
        let release = specifier.version().release();
        let number = |at: usize| u32::try_from(release.get(at).copied().unwrap_or(0)).ok();
        is_bound.then_some(())?;
        Some(Release { major: number(0)?, minor: number(1)? })
    });
    bounds.max()
}

/// A warning if `dependencies` let in a NumPy that the wheel doesn't work with. Of several lines,
/// which have markers then, the best counts: which one applies where isn't known here.
pub(crate) fn check(dependencies: &[String], plan: &Plan, built_with: &str) -> Option<Diagnostic> {
    let known: Vec<VersionSpecifiers> =
        dependencies.iter().filter_map(|requirement| on_numpy(requirement)).collect();
    if known.is_empty() {
        return None;
    }
    let lowest = known.iter().filter_map(lower_bound).max();
    let too_low = lowest.is_none_or(|lowest| lowest < plan.oldest);
    let too_high = plan.before_2 && known.iter().all(|range| range.contains(&Version::new([2, 0])));
    if !too_low && !too_high {
        return None;
    }
    let oldest = lowest.map_or(plan.oldest, |lowest| lowest.max(plan.oldest));
    let range = if plan.before_2 { " and before 2" } else { " and later" };
    let message = format!(
        "the wheel, built with NumPy {built_with}, works with {}{range}; `dependencies` allow others",
        plan.oldest
    );
    let below = if plan.before_2 { ",<2" } else { "" };
    Some(
        Diagnostic::warning("numpy-bound", message)
            .with_help(format!("write \"numpy>={oldest}{below}\" in `dependencies` of [project]")),
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn plan(major: u32, minor: u32, before_2: bool) -> Plan {
        let oldest = Release::new(major, minor);
        Plan { definitions: Vec::new(), oldest, before_2, reports: Vec::new() }
    }

    fn advice(dependencies: &[&str], plan: &Plan) -> Option<String> {
        let dependencies: Vec<_> = dependencies.iter().map(|text| (*text).to_owned()).collect();
        Some(check(&dependencies, plan, "2.3.5")?.help.remove(0))
    }

    #[test]
    fn fitting_bounds_are_left_alone() {
        let plan = plan(1, 23, false);
        for dependency in [
            "numpy>=1.23",
            "NumPy >= 1.24.1, < 3",
            "numpy[extra]~=2.0",
            "numpy (==1.26.*)",
            "numpy>=2; python_version >= '3.9'",
            "scipy",
        ] {
            assert_eq!(advice(&[dependency], &plan), None, "{dependency}");
        }
        assert_eq!(advice(&[], &plan), None, "the core says that it is missing");
    }

    #[test]
    fn bounds_that_let_in_too_much_are_told_with_what_to_write() {
        let advised = |with: &str| Some(format!("write \"{with}\" in `dependencies` of [project]"));
        let new = plan(1, 23, false);
        for dependency in ["numpy", "numpy>=1.20", "numpy<3", "numpy!=1.9"] {
            assert_eq!(advice(&[dependency], &new), advised("numpy>=1.23"), "{dependency}");
        }
        let old = plan(1, 19, true);
        assert_eq!(advice(&["numpy>=1.21"], &old), advised("numpy>=1.21,<2"));
        assert_eq!(advice(&["numpy>=1.21,<2"], &old), None);
        assert_eq!(advice(&["numpy<2"], &old), advised("numpy>=1.19,<2"));
    }

    #[test]
    fn of_several_lines_the_best_counts() {
        let lines =
            ["numpy>=1.19; python_version < '3.12'", "numpy>=1.26; python_version >= '3.12'"];
        assert_eq!(advice(&lines, &plan(1, 23, false)), None);
    }
}
