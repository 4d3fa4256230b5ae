//! The sources of extensions, compared with the files that are there.
//!
//! A script often names the C file that Cython made, which a checkout doesn't have and a source
//! distribution shouldn't be built from: the Cython file beside it is what is meant, and the C file
//! must not get into the wheel. Sources that name NumPy's headers need them, even if what says where
//! these are couldn't be read.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use crate::flags::push_new;
use crate::model::{Model, Place};

const HEADERS: [&str; 6] = ["h", "hh", "hpp", "hxx", "pxd", "pxi"];

/// What built-in plugins make modules of, in lower case.
const SOURCES: [&str; 18] = [
    "c", "cc", "cpp", "cxx", "c++", "f", "for", "ftn", "f77", "f90", "f95", "f03", "f08", "s",
    "pyx", "py", "o", "a",
];

/// Who made sources of other kinds.
const MAKERS: [(&str, &str); 4] =
    [("pyf", "f2py"), ("src", "numpy.distutils"), ("i", "SWIG"), ("in", "a template")];

/// How much of a source is searched for NumPy's headers.
const SEARCHED: u64 = 1 << 20;

pub(crate) fn settle(model: &mut Model, folder: &Path) {
    let mut extensions = std::mem::take(&mut model.extensions);
    // Without sources it couldn't be written at all.
    let mut kept = Vec::new();
    for extension in extensions.drain(..) {
        if extension.sources.is_empty() {
            let text =
                format!("the extension `{}` isn't written: it has no sources", extension.name);
            model.decide(Place::Settings("extension"), text);
        } else {
            kept.push(extension);
        }
    }
    for (at, extension) in kept.iter_mut().enumerate() {
        let place = Place::Extension(at);
        let mut sources = Vec::new();
        for source in &extension.sources {
            let suffix = source.rsplit_once('.').map_or("", |(_, suffix)| suffix);
            if HEADERS.contains(&suffix) {
                model.dropped(format!(
                    "the header `{source}` among the sources of `{}`",
                    extension.name
                ));
            } else if let Some(cython) = origin(folder, source) {
                let text = format!("`{cython}` instead of `{source}`, which Cython makes of it");
                model.check(place, text);
                if !source.ends_with(".c") {
                    extension.language = Some("c++".to_owned());
                }
                model.build_require("Cython");
                push_new(&mut sources, cython);
            } else {
                let glob = source.contains(['*', '?', '[']);
                if !glob && !folder.join(source).is_file() {
                    model.decide(place, crate::no_file(source));
                }
                if source.ends_with(".pyx") {
                    model.build_require("Cython");
                }
                if !SOURCES.contains(&suffix.to_ascii_lowercase().as_str()) {
                    model.decide(place, unknown_kind(source, suffix));
                }
                push_new(&mut sources, source.clone());
            }
        }
        extension.sources = sources;
        for made in extension.sources.iter().filter_map(|source| made_beside(folder, source)) {
            if !extension.sources.contains(&made) {
                push_new(&mut model.exclude, made);
            }
        }
        if !extension.uses.iter().any(|capability| capability == "numpy")
            && names_numpy(&extension.sources, &extension.include_dirs, folder)
        {
            let text = "`uses = [\"numpy\"]` is derived from sources that name NumPy's headers";
            model.check(Place::Settings("extension"), text);
            extension.uses.push("numpy".to_owned());
        }
        extension.depends.retain(|path| {
            let there = path.contains(['*', '?', '[']) || folder.join(path).is_file();
            if !there {
                model.dropped(format!("`depends` names `{path}`, which isn't there"));
            }
            there
        });
        if extension.uses.iter().any(|capability| capability == "numpy") {
            model.build_require("numpy");
        }
        for folder in &extension.include_dirs {
            if let Some(path) = folder.strip_prefix("package:") {
                model.build_require(path.split('/').next().unwrap_or(path));
            }
        }
    }
    model.extensions = kept;
}

fn unknown_kind(source: &str, suffix: &str) -> String {
    let made = MAKERS.iter().find(|(known, _)| *known == suffix);
    let made = made.map(|(_, maker)| format!(", as {maker} did")).unwrap_or_default();
    format!("no built-in plugin compiles `{source}`: make a source of it beforehand{made}")
}

/// Whether a source needs NumPy's headers, and the project hasn't its own.
fn names_numpy(sources: &[String], include: &[String], folder: &Path) -> bool {
    if include.iter().any(|own| folder.join(own).join("numpy").is_dir()) {
        return false;
    }
    sources.iter().any(|source| {
        let mut text = Vec::new();
        let file = File::open(folder.join(source));
        let read = file.and_then(|file| file.take(SEARCHED).read_to_end(&mut text));
        read.is_ok() && String::from_utf8_lossy(&text).lines().any(is_of_numpy)
    })
}

/// Whether a line of C or Cython takes declarations from NumPy.
fn is_of_numpy(line: &str) -> bool {
    let mut words = line.split_whitespace();
    match (words.next(), words.next(), words.next()) {
        (Some("cimport"), Some(module), _) | (Some("from"), Some(module), Some("cimport")) => {
            module == "numpy" || module.starts_with("numpy.")
        }
        (Some("#include"), Some(header), _) => {
            header.starts_with("<numpy/") || header.starts_with("\"numpy/")
        }
        _ => false,
    }
}

/// The Cython file that a C or C++ file was made of.
fn origin(folder: &Path, source: &str) -> Option<String> {
    let stem = source.strip_suffix(".c").or(source.strip_suffix(".cpp"))?;
    let cython = format!("{stem}.pyx");
    if !folder.join(&cython).is_file() {
        return None;
    }
    let path = folder.join(source);
    (!path.is_file() || is_generated(&path)).then_some(cython)
}

/// The C or C++ file that lies beside a Cython file of which it was made.
fn made_beside(folder: &Path, source: &str) -> Option<String> {
    let stem = source.strip_suffix(".pyx")?;
    let mut made = [".c", ".cpp"].iter().map(|suffix| format!("{stem}{suffix}"));
    made.find(|path| is_generated(&folder.join(path)))
}

fn is_generated(path: &Path) -> bool {
    let mut start = Vec::new();
    let read = File::open(path).and_then(|file| file.take(64).read_to_end(&mut start));
    read.is_ok() && start.starts_with(b"/* Generated by Cython")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numpy_is_named_by_cython_and_c() {
        for line in [
            "cimport numpy as np",
            "    from numpy cimport ndarray",
            "from numpy.math cimport NAN",
            "#include <numpy/arrayobject.h>",
            "#include \"numpy/arrayobject.h\"  /* arrays */",
        ] {
            assert!(is_of_numpy(line), "{line}");
        }
        for line in ["import numpy as np", "cimport numpydoc", "// uses <numpy/arrayobject.h>", ""]
        {
            assert!(!is_of_numpy(line), "{line}");
        }
    }
}
