//! Names of modules, and of the functions that make them.

use std::path::Path;

use ekiben_object::Format;

/// What the init function of a shared object is called, if the file is a compiled module: `PyInit_` and
/// its name, or `PyInitU_` and the name in Punycode (PEP 489).
pub(crate) fn of(file: &str, bytes: &[u8]) -> Option<String> {
    if !file.contains(".so") || !bytes.starts_with(b"\x7fELF") {
        return None;
    }
    let binary = ekiben_object::read(bytes).ok()?.into_iter().next()?;
    let last = file.rsplit('/').next()?;
    let stem = last.split('.').next()?;
    // A package's own module has the package's name.
    let short = match stem {
        "__init__" => Path::new(file).parent()?.file_name()?.to_str()?,
        stem => stem,
    };
    let exact = [format!("PyInit_{short}"), format!("PyInit_{stem}")];
    let mut inits = binary.exports.into_iter().filter(|name| name.starts_with("PyInit"));
    let first = inits.next()?;
    let all: Vec<String> = std::iter::once(first).chain(inits).collect();
    let found = all.iter().find(|name| exact.contains(name)).or_else(|| {
        let punycode = all.iter().filter(|name| name.starts_with("PyInitU_"));
        punycode.take(1).next()
    });
    (binary.format == Format::Elf).then(|| found.cloned()).flatten()
}

/// The dotted name of the module in a file of a wheel.
pub(crate) fn module_name(file: &str) -> String {
    let (folder, last) = file.rsplit_once('/').unwrap_or(("", file));
    let stem = last.split('.').next().unwrap_or(last);
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    if stem != "__init__" {
        parts.push(stem);
    }
    parts.join(".")
}

/// A name for the init function that no other module's has: that of the whole dotted name, in which `_`
/// is `_1`, `.` is `__`, and what C doesn't have is its number.
#[must_use]
pub fn symbol(module: &str) -> String {
    let mut symbol = String::from("ekiben_init_");
    for character in module.chars() {
        match character {
            '.' => symbol.push_str("__"),
            '_' => symbol.push_str("_1"),
            _ if character.is_ascii_alphanumeric() => symbol.push(character),
            _ => symbol.push_str(&format!("_0{:x}_", u32::from(character))),
        }
    }
    symbol
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_named_by_their_places() {
        for (file, name) in [
            ("numpy/_core/_simd.cpython-313-x86_64-linux-gnu.so", "numpy._core._simd"),
            ("spam/__init__.abi3.so", "spam"),
            ("_cffi_backend.so", "_cffi_backend"),
        ] {
            assert_eq!(module_name(file), name);
        }
    }

    #[test]
    fn no_two_modules_have_one_symbol() {
        assert_eq!(symbol("numpy._core._simd"), "ekiben_init_numpy___1core___1simd");
        let names = ["a.b", "a_b", "a__b", "a._b", "a_.b", "a.1b", "a_1b", "é", "a.0e9_"];
        let symbols: std::collections::BTreeSet<String> =
            names.iter().map(|it| symbol(it)).collect();
        assert_eq!(symbols.len(), names.len(), "{symbols:?}");
    }
}
