//! Facts of files: ELF made by the machine's compiler, Mach-O and PE put together here byte by byte.
#![allow(clippy::unwrap_used)]

mod made;

use std::path::Path;
use std::process::Command;

use ekiben_object::abi3::{self, Version};
use ekiben_object::{Binary, Error, Format, read};
use made::{macho, pe, universal};
use proptest::prelude::*;

const SOURCE: &str = r#"
extern int PyList_New(int), PyType_GetName(int), PyCode_New(int);
extern int PyFrame_New(void) __attribute__((weak));
int shown(void) { return PyList_New(0) + PyType_GetName(1) + PyCode_New(2); }
__attribute__((visibility("hidden"))) int PyHidden(void) { return PyFrame_New ? PyFrame_New() : 0; }
int PyInit_spam(void) { return PyHidden(); }
"#;

fn compile(folder: &Path, arguments: &[&str]) -> Vec<u8> {
    std::fs::write(folder.join("spam.c"), SOURCE).unwrap();
    let out = folder.join("spam.so");
    let mut cc = Command::new("cc");
    let kind = if arguments.contains(&"-c") { "-fPIC" } else { "-shared" };
    cc.args([kind, "-fPIC", "-o"]).arg(&out).arg(folder.join("spam.c")).args(arguments);
    let done = cc.output().unwrap();
    assert!(done.status.success(), "{done:?}");
    std::fs::read(out).unwrap()
}

fn one(bytes: &[u8]) -> Binary {
    let mut binaries = read(bytes).unwrap();
    assert_eq!(binaries.len(), 1);
    binaries.remove(0)
}

fn imports(binary: &Binary) -> Vec<String> {
    let pythons = binary.imports.iter().filter(|import| import.name.contains("Py"));
    pythons
        .map(|import| {
            let library = import.library.as_deref().unwrap_or("anywhere");
            let weak = if import.weak { ", weak" } else { "" };
            format!("{} from {library}{weak}", import.name)
        })
        .collect()
}

#[cfg(target_os = "linux")]
#[test]
fn an_elf_library() {
    let folder = tempfile::tempdir().unwrap();
    let paths =
        ["-Wl,-soname,libspam.so.1", "-Wl,--enable-new-dtags,-rpath,$ORIGIN/../lib:/opt/lib"];
    let with = ["-Wl,--no-as-needed", "-lm"];
    let bytes = compile(folder.path(), &[&paths[..], &with[..]].concat());
    let binary = one(&bytes);
    assert_eq!(binary.format, Format::Elf);
    assert_eq!(binary.name.as_deref(), Some("libspam.so.1"));
    assert!(binary.needed.contains(&"libm.so.6".to_owned()), "{:?}", binary.needed);
    assert_eq!(binary.runpath, ["$ORIGIN/../lib", "/opt/lib"]);
    assert_eq!(binary.rpath, [""; 0]);
    insta::assert_snapshot!(imports(&binary).join("\n"), @r"
    PyCode_New from anywhere
    PyFrame_New from anywhere, weak
    PyList_New from anywhere
    PyType_GetName from anywhere
    ");
    assert!(binary.exports.contains(&"PyInit_spam".to_owned()), "{:?}", binary.exports);
    assert!(!binary.exports.contains(&"PyHidden".to_owned()), "{:?}", binary.exports);

    let found = abi3::check(&binary, Version(9));
    let names: Vec<_> = found.symbols.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["PyCode_New", "PyType_GetName"]);
}

#[cfg(target_os = "linux")]
#[test]
fn symbols_with_versions_name_their_library_and_old_search_paths_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let paths = ["-Wl,--disable-new-dtags,-rpath,/opt/lib", "-nostartfiles"];
    std::fs::write(
        folder.path().join("more.c"),
        "double f(double x, double y) { double pow(double, double); return pow(x, y); }",
    )
    .unwrap();
    let more = folder.path().join("more.c");
    let binary =
        one(&compile(folder.path(), &[&paths[..], &[more.to_str().unwrap(), "-lm"]].concat()));
    assert_eq!((binary.rpath.len(), binary.runpath.len()), (1, 0));
    let pow = binary.imports.iter().find(|import| import.name == "pow").unwrap();
    assert_eq!(pow.library.as_deref(), Some("libm.so.6"));
}

/// What the real linker and `strip` leave is enough, and what isn't enough is said.
#[cfg(target_os = "linux")]
#[test]
fn stripping_keeps_the_facts_or_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let whole = one(&compile(folder.path(), &[]));
    assert_eq!(one(&compile(folder.path(), &["-Wl,-s"])), whole);
    // No section headers, as some packers leave files.
    let mut bytes = compile(folder.path(), &[]);
    bytes[0x28..0x30].fill(0);
    bytes[0x3a..0x40].fill(0);
    assert_eq!(read(&bytes), Err(Error::Stripped("section headers")));
}

#[test]
fn object_files_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut bundle = macho(0x0100_000c);
    bundle[12] = 1;
    for object in [compile(folder.path(), &["-c"]), bundle] {
        assert_eq!(read(&object), Err(Error::NotLinked));
    }
}

#[test]
fn a_mach_o_bundle() {
    let binary = one(&macho(0x0100_000c));
    assert_eq!((binary.format, binary.architecture.as_str()), (Format::MachO, "Aarch64"));
    assert_eq!(binary.name.as_deref(), Some("@rpath/spam.so"));
    assert_eq!(binary.needed, ["/usr/lib/libSystem.B.dylib", "@rpath/libpython3.12.dylib"]);
    assert_eq!(binary.rpath, ["@loader_path/../lib"]);
    insta::assert_snapshot!(imports(&binary).join("\n"), @r"
    PyCode_New from @rpath/libpython3.12.dylib
    PyFrame_New from anywhere, weak
    PyList_New from anywhere
    ");
    assert_eq!(binary.exports, ["PyInit_spam"]);
    let found = abi3::check(&binary, Version(9));
    assert_eq!(found.symbols.len(), 1);
    assert_eq!(found.libraries, ["@rpath/libpython3.12.dylib"]);
}

#[test]
fn a_universal_file_has_facts_of_each_architecture() {
    let slices = [macho(0x0100_0007), macho(0x0100_000c)];
    let binaries = read(&universal(&slices)).unwrap();
    let architectures: Vec<_> = binaries.iter().map(|b| b.architecture.as_str()).collect();
    assert_eq!(architectures, ["X86_64", "Aarch64"]);
    assert_eq!(binaries[1], one(&slices[1]));
    let many = vec![Vec::new(); 100];
    assert!(matches!(read(&universal(&many)), Err(Error::Damaged(_))));
    let none = [universal(&[]), vec![0; 16]].concat();
    assert!(matches!(read(&none), Err(Error::Damaged(_))));
}

#[test]
fn a_pe_library() {
    let binary = one(&pe());
    assert_eq!((binary.format, binary.architecture.as_str()), (Format::Pe, "X86_64"));
    assert_eq!(binary.name.as_deref(), Some("spam.pyd"));
    assert_eq!(binary.needed, ["python3.dll", "python312.dll"]);
    insta::assert_snapshot!(imports(&binary).join("\n"), @r"
    PyCode_New from python312.dll
    PyList_New from python3.dll
    ");
    assert_eq!(binary.exports, ["PyInit_spam"]);
    assert_eq!(abi3::check(&binary, Version(9)).libraries, ["python312.dll"]);
}

#[test]
fn other_files_are_refused() {
    for other in [&b""[..], b"!<arch>\n", b"\x7fELF", b"MZ", b"\0asm\x01\0\0\0", &[0xca; 64]] {
        assert!(read(other).is_err(), "{other:?}");
    }
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
        let _ = read(&bytes);
    }

    #[test]
    fn no_damage_makes_it_panic(
        which in 0..4usize,
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        length in any::<prop::sample::Index>(),
        cut in any::<bool>(),
    ) {
        let mut bytes = match which {
            0 => macho(0x0100_000c),
            1 => universal(&[macho(0x0100_0007), macho(0x0100_000c)]),
            2 => pe(),
            _ => ELF.clone(),
        };
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if cut {
            bytes.truncate(length.index(bytes.len()));
        }
        for binary in read(&bytes).unwrap_or_default() {
            let _ = abi3::check(&binary, Version(9));
        }
    }
}

/// One real library, for all cases of a property.
static ELF: std::sync::LazyLock<Vec<u8>> = std::sync::LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    compile(folder.path(), &["-nostdlib"])
});
