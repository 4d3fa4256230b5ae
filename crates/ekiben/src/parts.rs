//! What of Ekiben's own goes into runtimes: the sources that are compiled for each, and the object
//! that `cargo xtask plugins` makes.

use ekiben_freeze::runtime::Parts;

/// The parts that this program carries.
pub(crate) static PARTS: Parts<'static> = Parts {
    main_c: include_str!("../../ekiben-runtime/c/main.c"),
    python: &[
        ("_ekiben_files.py", include_str!("../../ekiben-runtime/python/_ekiben_files.py")),
        ("_ekiben_importer.py", include_str!("../../ekiben-runtime/python/_ekiben_importer.py")),
        ("_ekiben_site.py", include_str!("../../ekiben-runtime/python/_ekiben_site.py")),
    ],
    object: include_bytes!(env!("EKIBEN_RUNTIME_OBJECT")),
    licences: include_str!(env!("EKIBEN_RUNTIME_LICENCES")),
};
