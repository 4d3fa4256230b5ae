//! What of Ekiben's own goes into programs: the sources that are compiled for each runtime, and what
//! `cargo xtask plugins` makes.

use ekiben_freeze::program::host;
use ekiben_freeze::runtime::Parts;

/// Modules that are part of every program.
const PYTHON: &[(&str, &str)] = &[
    ("_ekiben_files.py", include_str!("../../ekiben-runtime/python/_ekiben_files.py")),
    ("_ekiben_importer.py", include_str!("../../ekiben-runtime/python/_ekiben_importer.py")),
    ("_ekiben_loaders.py", include_str!("../../ekiben-runtime/python/_ekiben_loaders.py")),
    ("_ekiben_site.py", include_str!("../../ekiben-runtime/python/_ekiben_site.py")),
];

/// What goes into programs with an ordinary interpreter.
pub(crate) static HOST_PARTS: host::Parts<'static> = host::Parts {
    launcher: include_bytes!(env!("EKIBEN_RUNTIME_LAUNCHER")),
    library: include_bytes!(env!("EKIBEN_RUNTIME_HOST")),
    python: PYTHON,
    licences: include_str!(env!("EKIBEN_RUNTIME_LICENCES")),
};

/// The parts of runtimes that this program carries.
pub(crate) static PARTS: Parts<'static> = Parts {
    main_c: include_str!("../../ekiben-runtime/c/main.c"),
    python: PYTHON,
    object: include_bytes!(env!("EKIBEN_RUNTIME_OBJECT")),
    licences: include_str!(env!("EKIBEN_RUNTIME_LICENCES")),
};
