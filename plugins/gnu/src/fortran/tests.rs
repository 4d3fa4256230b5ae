//! What the scanner finds, and that nothing breaks it.

use proptest::prelude::*;

use super::*;

fn free(text: &str) -> Scan {
    scan(text, Reading { form: Form::Free, macros: None, openmp: false })
}

fn fixed(text: &str) -> Scan {
    scan(text, Reading { form: Form::Fixed, macros: None, openmp: false })
}

fn preprocessed(text: &str, macros: &[&str]) -> Scan {
    let macros = macros.iter().map(|name| (*name).to_owned()).collect();
    scan(text, Reading { form: Form::Free, macros: Some(&macros), openmp: false })
}

fn modules(scan: &Scan) -> Vec<&str> {
    scan.modules.iter().map(|(name, _)| name.as_str()).collect()
}

fn uses(scan: &Scan) -> Vec<&str> {
    scan.uses.iter().map(String::as_str).collect()
}

#[test]
fn suffixes_tell_the_form() {
    assert_eq!(form("a/b.f"), (Form::Fixed, false));
    assert_eq!(form("b.FOR"), (Form::Fixed, true));
    assert_eq!(form("b.f90"), (Form::Free, false));
    assert_eq!(form("b.F08"), (Form::Free, true));
}

#[test]
fn definitions_and_uses() {
    let scan = free(
        "MODULE Geometry\n  use Kinds, only: dp\n  USE, INTRINSIC :: iso_c_binding\n  \
         use, non_intrinsic :: shapes\n  use :: lists\nend module Geometry\n",
    );
    assert_eq!(scan.modules, [("geometry".to_owned(), 1)]);
    assert_eq!(uses(&scan), ["kinds", "lists", "shapes"]);
}

#[test]
fn what_only_looks_like_a_definition() {
    let scan = free(
        "module procedure foo\nmodule subroutine bar(x)\nmodule function f(x) result(y)\n\
         module pure real function g(x)\nend module baz\nmodule = 3\nmodule(1) = 2\n\
         use = 4\nuse(3) = 1\nuser = 1\nuse x = 3\nmodule_x = 1\n",
    );
    assert_eq!(scan, Scan::default());
}

#[test]
fn comments_and_strings_hide() {
    let scan = free(
        "! module a\nprint *, 'it''s ! not', \"; use b\" ; use c ! use d\n\
         x = 'open &\n   &; use e'\nuse f ! & \nuse g\n",
    );
    assert_eq!(uses(&scan), ["c", "f", "g"]);
    assert!(scan.modules.is_empty());
}

#[test]
fn continued_statements() {
    let scan = free("use &\n\n ! between\n   & kinds, &\n  only: dp\nmod&\n&ule a\nuse b; use c\n");
    assert_eq!(uses(&scan), ["b", "c", "kinds"]);
    assert_eq!(scan.modules, [("a".to_owned(), 6)]);
}

#[test]
fn submodules_name_their_ancestors() {
    let scan = free("submodule (Points) impl\nSUBMODULE(points:impl) deep\nsubmodule (a:b:c) x\n");
    let found: Vec<_> = scan
        .submodules
        .iter()
        .map(|s| (s.module.as_str(), s.parent.as_deref(), s.name.as_str(), s.line))
        .collect();
    assert_eq!(found, [("points", None, "impl", 1), ("points", Some("impl"), "deep", 2)]);
}

#[test]
fn includes_of_the_language() {
    let scan = free("include 'a.inc'\nINCLUDE \"b/c.h\" ! why\ninclude = 3\ninclude 'open\n");
    assert_eq!(scan.includes.into_iter().collect::<Vec<_>>(), ["a.inc", "b/c.h"]);
}

#[test]
fn fixed_form() {
    let scan = fixed(
        "C     use a\n*     use b\n!     use c\nd     use d\n      module points\n\
         \x20     use kinds,\n     &  only: dp\n      use  shapes ! comment\n   10 continue\n\
         \tuse tabbed\n\tuse\n\t1 continued\n      x = 'use e\n     1; use f'\n      end\n",
    );
    assert_eq!(modules(&scan), ["points"]);
    assert_eq!(uses(&scan), ["continued", "kinds", "shapes", "tabbed"]);
}

#[test]
fn fixed_form_ends_at_column_72() {
    let padded = format!("      use kinds{}SEQ00010\n", " ".repeat(57));
    assert_eq!(padded.find("SEQ"), Some(72));
    assert_eq!(uses(&fixed(&padded)), ["kinds"]);
}

#[test]
fn a_name_broken_at_column_72_is_joined() {
    let broken = format!("      use{}kin\n     &ds\n", " ".repeat(60));
    assert_eq!(broken.find('\n'), Some(72));
    assert_eq!(uses(&fixed(&broken)), ["kinds"]);
}

#[test]
fn openmp_lines_count_when_asked() {
    let text = "!$ use threads\n!$omp parallel\nuse a\n";
    let with = Reading { form: Form::Free, macros: None, openmp: true };
    assert_eq!(uses(&free(text)), ["a"]);
    assert_eq!(uses(&scan(text, with)), ["a", "threads"]);
    let with = Reading { form: Form::Fixed, ..with };
    assert_eq!(uses(&scan("c$    use threads\n", with)), ["threads"]);
}

#[test]
fn conditionals_are_decided_where_they_can_be() {
    let text = "#ifdef MPI\nuse mpi_version\n#else\nuse serial\n#endif\n#if 0\nuse never\n#endif\n\
                #if defined(MPI) && X\nuse maybe\n#endif\n#ifndef MPI\nuse without\n#endif\n";
    assert_eq!(uses(&preprocessed(text, &[])), ["maybe", "serial", "without"]);
    assert_eq!(uses(&preprocessed(text, &["MPI"])), ["maybe", "mpi_version"]);
}

#[test]
fn what_a_compiler_or_header_may_define_counts_both_ways() {
    let text = "#ifdef __GFORTRAN__\nuse gnu\n#elif 1\nuse other\n#else\nuse none\n#endif\n";
    assert_eq!(uses(&preprocessed(text, &[])), ["gnu", "other"]);
    let text = "#include \"config.h\"\n#ifdef HAVE_X\nuse x\n#else\nuse y\n#endif\n";
    let scan = preprocessed(text, &[]);
    assert_eq!(uses(&scan), ["x", "y"]);
    assert!(scan.includes.contains("config.h"));
}

#[test]
fn macros_of_the_file_itself_count() {
    let text = "#define A 1\n#ifdef A\nuse a\n#endif\n#undef A\n#if defined A\nuse b\n#endif\n\
                #if !defined(A)\nuse c\n#endif\n";
    assert_eq!(uses(&preprocessed(text, &[])), ["a", "c"]);
}

#[test]
fn a_module_in_both_branches_is_one() {
    let text = "#ifdef __X\nmodule m\n#else\nmodule m\n#endif\nend module\n";
    assert_eq!(preprocessed(text, &[]).modules, [("m".to_owned(), 2)]);
}

/// Text made of what the scanner looks for, so that chance hits its branches.
fn fragments() -> impl Strategy<Value = String> {
    let words = [
        "module",
        "submodule",
        "use",
        "include",
        " ",
        "\n",
        "\n     &",
        "&\n",
        "&",
        "'",
        "\"",
        "!",
        "!$",
        ";",
        ":",
        "::",
        ",",
        "(",
        ")",
        "a",
        "é",
        "\t",
        "\t1",
        "#if ",
        "#else\n",
        "#endif\n",
        "#define ",
        "defined(",
        "c$",
        "intrinsic",
        "      ",
    ];
    let word = prop_oneof![4 => proptest::sample::select(words.to_vec()).prop_map(str::to_owned), 1 => ".{0,3}"];
    proptest::collection::vec(word, 0..40).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn no_text_breaks_it(text in fragments(), openmp: bool, is_free: bool, cpp: bool) {
        let form = if is_free { Form::Free } else { Form::Fixed };
        let macros = BTreeSet::from(["a".to_owned()]);
        let scan = scan(&text, Reading { form, macros: cpp.then_some(&macros), openmp });
        for (name, line) in &scan.modules {
            prop_assert!(!name.is_empty() && *line >= 1);
            prop_assert!(text.to_ascii_lowercase().contains("module"));
        }
        for name in &scan.uses {
            prop_assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'), "{name}");
        }
    }

    #[test]
    fn a_module_is_found_after_anything_that_ends(before in "[a-z =+0-9]{0,30}", name in "[a-z][a-z0-9_]{0,10}") {
        prop_assume!(name != "procedure");
        prop_assume!(!before.trim_start().starts_with("module"));
        let found = free(&format!("{before}\nmodule {name}\n"));
        prop_assert_eq!(modules(&found), vec![name.as_str()]);
    }
}
