//! What a linker is told: the command line of GNU ld, which gold, lld and mold understand too.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

/// What a link makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Program,
    Shared,
    /// An object, to be linked again.
    Relocatable,
}

/// Something that is linked, or how what follows it is linked. Their order matters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Input {
    /// A file: an object, an archive, a shared library.
    File(PathBuf),
    /// `-lNAME`; with `archive` only an archive will do.
    Library { name: String, archive: bool },
    /// An option that says how inputs are taken.
    How(OsString),
}

/// A command line of a linker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Arguments {
    pub(super) kind: Kind,
    pub(super) output: PathBuf,
    pub(super) inputs: Vec<Input>,
    /// The folders of `-L`.
    pub(super) folders: Vec<PathBuf>,
    /// The plugin of link-time optimisation, with its options.
    pub(super) plugin: Vec<OsString>,
    pub(super) emulation: Option<OsString>,
}

/// How deep response files may name each other.
const DEEPEST: usize = 16;

/// Long options whose value may be a word of its own (the linker's `--help`; the linker takes one dash
/// for two in all of them).
const WITH_VALUE: &[&str] = &[
    "Map",
    "Tbss",
    "Tdata",
    "Tldata-segment",
    "Trodata-segment",
    "Ttext",
    "Ttext-segment",
    "architecture",
    "assert",
    "audit",
    "auxiliary",
    "dT",
    "default-script",
    "defsym",
    "depaudit",
    "dynamic-linker",
    "dynamic-list",
    "entry",
    "exclude-libs",
    "export-dynamic-symbol",
    "export-dynamic-symbol-list",
    "filter",
    "fini",
    "format",
    "gpsize",
    "image-base",
    "init",
    "just-symbols",
    "mri-script",
    "oformat",
    "out-implib",
    "plugin",
    "plugin-opt",
    "require-defined",
    "retain-symbols-file",
    "rpath",
    "rpath-link",
    "script",
    "section-start",
    "soname",
    "trace-symbol",
    "undefined",
    "version-script",
    "wrap",
];

/// Short options with a value, which may follow at once.
const SHORT: &[u8] = b"AFGILORTYbcefhlmoPuyz";

/// Options that say how inputs are taken, and are kept.
const HOW: [&str; 6] =
    ["whole-archive", "no-whole-archive", "start-group", "end-group", "push-state", "pop-state"];

impl Arguments {
    /// Understands a command line; none if it links nothing, as with `--version`.
    pub(super) fn parse(words: &[OsString]) -> io::Result<Option<Self>> {
        let mut words = expanded(words, 0)?.into_iter();
        let mut arguments = Self {
            kind: Kind::Program,
            output: PathBuf::from("a.out"),
            inputs: Vec::new(),
            folders: Vec::new(),
            plugin: Vec::new(),
            emulation: None,
        };
        let mut archive = false;
        let mut pushed = Vec::new();
        while let Some(word) = words.next() {
            let Some(option) = word.as_bytes().strip_prefix(b"-").filter(|it| !it.is_empty())
            else {
                arguments.inputs.push(Input::File(word.into()));
                continue;
            };
            let long = option.strip_prefix(b"-").unwrap_or(option);
            let (name, attached) = match long.iter().position(|byte| *byte == b'=') {
                Some(at) => (&long[..at], Some(OsStr::from_bytes(&long[at + 1..]))),
                None => (long, None),
            };
            let name = String::from_utf8_lossy(name).into_owned();
            let mut value = || attached.map(OsStr::to_owned).or_else(|| words.next());
            match name.as_str() {
                "shared" | "Bshareable" => arguments.kind = Kind::Shared,
                "relocatable" | "r" | "i" | "Ur" => arguments.kind = Kind::Relocatable,
                "Bstatic" | "dn" | "non_shared" | "static" => archive = true,
                "Bdynamic" | "dy" | "call_shared" => archive = false,
                "output" => arguments.output = value().unwrap_or_default().into(),
                "library" => arguments.library(&value().unwrap_or_default(), archive),
                "library-path" => arguments.folders.push(value().unwrap_or_default().into()),
                "plugin" | "plugin-opt" => {
                    let value = value().unwrap_or_default();
                    let mut word = OsString::from(format!("-{name}="));
                    word.push(value);
                    arguments.plugin.push(word);
                }
                name if HOW.contains(&name) || ["(", ")"].contains(&name) => {
                    match name {
                        "push-state" => pushed.push(archive),
                        "pop-state" => archive = pushed.pop().unwrap_or_default(),
                        _ => {}
                    }
                    arguments.inputs.push(Input::How(word.clone()));
                }
                name if WITH_VALUE.contains(&name) => {
                    // Nothing of it says what is linked.
                    let _ = value();
                }
                _ if option.starts_with(b"-") => {}
                _ => {
                    let letter = option[0];
                    if !SHORT.contains(&letter) {
                        continue;
                    }
                    let rest = &option[1..];
                    let value = match (rest.is_empty(), letter) {
                        // `-O1` has no other form, and `-O` alone no value.
                        (true, b'O') => continue,
                        (true, _) => words.next().unwrap_or_default(),
                        (false, _) => OsStr::from_bytes(rest).to_owned(),
                    };
                    match letter {
                        b'o' => arguments.output = value.into(),
                        b'L' => arguments.folders.push(value.into()),
                        b'l' => arguments.library(&value, archive),
                        b'm' => arguments.emulation = Some(value),
                        b'b' => {
                            let mut word = OsString::from("--format=");
                            word.push(value);
                            arguments.inputs.push(Input::How(word));
                        }
                        _ => {}
                    }
                }
            }
        }
        let links = arguments.inputs.iter().any(|input| !matches!(input, Input::How(_)));
        Ok(links.then_some(arguments))
    }

    fn library(&mut self, name: &OsStr, archive: bool) {
        let name = name.to_string_lossy().into_owned();
        self.inputs.push(Input::Library { name, archive });
    }
}

/// The words, with what response files hold in their place.
fn expanded(words: &[OsString], depth: usize) -> io::Result<Vec<OsString>> {
    let mut all = Vec::with_capacity(words.len());
    for word in words {
        let file = word.as_bytes().strip_prefix(b"@").map(OsStr::from_bytes).map(Path::new);
        match file.filter(|file| file.is_file()) {
            Some(file) if depth < DEEPEST => {
                let inner = response(&fs::read(file)?);
                all.extend(expanded(&inner, depth + 1)?);
            }
            Some(file) => {
                let message = format!("{} names itself", file.display());
                return Err(io::Error::new(io::ErrorKind::InvalidData, message));
            }
            // As the linker has it, what isn't the name of a file is a word.
            None => all.push(word.clone()),
        }
    }
    Ok(all)
}

/// The words of a response file: divided by white space, which quotes and backslashes keep (libiberty's
/// `buildargv`).
fn response(text: &[u8]) -> Vec<OsString> {
    let mut words = Vec::new();
    let mut word: Option<Vec<u8>> = None;
    let mut quote = None;
    let mut bytes = text.iter().copied();
    while let Some(byte) = bytes.next() {
        match (byte, quote) {
            (b'\\', _) => word.get_or_insert_default().extend(bytes.next()),
            (_, Some(open)) if byte == open => quote = None,
            (_, Some(_)) => word.get_or_insert_default().push(byte),
            (b'\'' | b'"', None) => {
                quote = Some(byte);
                word.get_or_insert_default();
            }
            (_, None) if byte.is_ascii_whitespace() => words.extend(word.take()),
            (_, None) => word.get_or_insert_default().push(byte),
        }
    }
    words.extend(word);
    words.into_iter().map(OsString::from_vec).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Option<Arguments> {
        let words: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        Arguments::parse(&words).unwrap()
    }

    #[test]
    fn what_a_compiler_says_is_understood() {
        let line = "-plugin /gcc/liblto_plugin.so -plugin-opt=-fresolution=/tmp/x.res --build-id \
            --eh-frame-hdr -m elf_x86_64 --hash-style=gnu --as-needed -shared -o x.so crti.o -L/usr/lib \
            -L /opt/lib -z now -soname libx.so a.o --start-group --no-undefined -lm -l z --end-group \
            -Bstatic -lstdc++ --push-state -Bdynamic -lgcc_s --pop-state -l:libq.a -rpath /x -O1 \
            --version-script=x.map -h name -dynamic-linker /lib/ld.so --wrap malloc b.a";
        insta::assert_debug_snapshot!(parse(line).unwrap());
    }

    #[test]
    fn what_links_nothing_is_told_apart() {
        assert_eq!(parse("--version"), None);
        assert_eq!(parse("-v"), None);
        assert_eq!(parse("-r a.o -o b.o").unwrap().kind, Kind::Relocatable);
        assert_eq!(parse("a.o").unwrap().output, Path::new("a.out"));
        assert_eq!(parse("--output=x --shared a.o").unwrap().output, Path::new("x"));
        assert_eq!(parse("-ox a.o").unwrap().output, Path::new("x"));
    }

    #[test]
    fn response_files_are_read_as_the_linker_reads_them() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("inner"), "-lm \"c d.o\"\n'e\\'' f\\ g.o").unwrap();
        fs::write(at("outer"), format!("-shared a.o @{}", at("inner").display())).unwrap();
        let word = |name: &str| OsString::from(format!("@{}", at(name).display()));
        let arguments = Arguments::parse(&[word("outer"), "@none".into()]).unwrap().unwrap();
        assert_eq!(arguments.kind, Kind::Shared);
        let file = |name: &str| Input::File(name.into());
        let library = Input::Library { name: "m".into(), archive: false };
        assert_eq!(
            arguments.inputs,
            [file("a.o"), library, file("c d.o"), file("e'"), file("f g.o"), file("@none")]
        );
        fs::write(at("self"), format!("@{}", at("self").display())).unwrap();
        assert!(Arguments::parse(&[word("self")]).is_err());
    }
}
