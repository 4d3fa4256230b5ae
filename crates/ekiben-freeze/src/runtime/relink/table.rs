//! The table of builtin modules, as C.

use std::fmt::Write as _;

use super::Linked;
use crate::runtime::manifest::Module;

/// As `Modules/config.c` has it, with modules of packages after CPython's. `python` is the series,
/// such as `3.13`.
///
/// The module of a package is made by a function of its own, which says in which package that is: a
/// module that makes itself at once (single-phase initialisation) takes its name from there.
pub(super) fn source<'a>(
    builtins: impl Iterator<Item = &'a Module>,
    linked: &[Linked],
    python: &str,
) -> String {
    let mut text = String::new();
    let mut rows = String::new();
    // Writing to a string can't fail.
    for module in builtins {
        let init = module.init.as_deref();
        if let Some(init) = init {
            let _ = writeln!(text, "extern void *{init}(void);");
        }
        let _ = writeln!(rows, "    {{\"{}\", {}}},", module.name, init.unwrap_or("0"));
    }
    if !linked.is_empty() {
        text.push_str(within(python));
    }
    for (at, module) in linked.iter().enumerate() {
        let Linked { name, init, .. } = module;
        let _ = writeln!(text, "extern void *{init}(void);");
        let _ =
            writeln!(text, "static void *make{at}(void) {{ return within(\"{name}\", {init}); }}");
        let _ = writeln!(rows, "    {{\"{name}\", make{at}}},");
    }
    format!(
        "{text}struct _inittab {{ const char *name; void *(*init)(void); }};\n\
         struct _inittab _PyImport_Inittab[] = {{\n{rows}    {{0, 0}}\n}};\n"
    )
}

/// Calls an init function with the name of its module known to CPython.
fn within(python: &str) -> &'static str {
    match python {
        "3.11" => {
            "extern const char *_Py_PackageContext;\n\
             static void *within(const char *name, void *(*init)(void))\n\
             {\n    \
             const char *before = _Py_PackageContext;\n    \
             _Py_PackageContext = name;\n    \
             void *made = init();\n    \
             _Py_PackageContext = before;\n    \
             return made;\n\
             }\n"
        }
        _ => {
            "extern const char *_PyImport_SwapPackageContext(const char *);\n\
             static void *within(const char *name, void *(*init)(void))\n\
             {\n    \
             const char *before = _PyImport_SwapPackageContext(name);\n    \
             void *made = init();\n    \
             _PyImport_SwapPackageContext(before);\n    \
             return made;\n\
             }\n"
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn builtin(name: &str, init: Option<&str>) -> Module {
        Module { name: name.to_owned(), init: init.map(str::to_owned), libraries: Vec::new() }
    }

    #[test]
    fn the_table_has_what_it_is_told_to() {
        let modules = [builtin("math", Some("PyInit_math")), builtin("sys", None)];
        insta::assert_snapshot!(source(modules.iter(), &[], "3.13"), @r#"
        extern void *PyInit_math(void);
        struct _inittab { const char *name; void *(*init)(void); };
        struct _inittab _PyImport_Inittab[] = {
            {"math", PyInit_math},
            {"sys", 0},
            {0, 0}
        };
        "#);
    }

    #[test]
    fn modules_of_packages_are_told_their_names() {
        let linked = Linked {
            name: "spam._eggs".into(),
            owner: "spam".into(),
            init: "ekiben_init_spam___eggs".into(),
            object: "_eggs.o".into(),
        };
        let builtins = [builtin("sys", None)];
        let table = |python| source(builtins.iter(), std::slice::from_ref(&linked), python);
        insta::assert_snapshot!(table("3.12"), @r#"
        extern const char *_PyImport_SwapPackageContext(const char *);
        static void *within(const char *name, void *(*init)(void))
        {
            const char *before = _PyImport_SwapPackageContext(name);
            void *made = init();
            _PyImport_SwapPackageContext(before);
            return made;
        }
        extern void *ekiben_init_spam___eggs(void);
        static void *make0(void) { return within("spam._eggs", ekiben_init_spam___eggs); }
        struct _inittab { const char *name; void *(*init)(void); };
        struct _inittab _PyImport_Inittab[] = {
            {"sys", 0},
            {"spam._eggs", make0},
            {0, 0}
        };
        "#);
        assert!(table("3.11").contains("_Py_PackageContext = name;"));
    }
}
