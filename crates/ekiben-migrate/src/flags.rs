//! A compiler's and a linker's flags, turned into the settings that mean the same.
//!
//! A flag that no setting stands for stays a flag. The forms are those of GCC and Clang.

use crate::model::Extension;

/// What flags of the interpreter's or the machine's own mean for a note.
pub(crate) type Remarks = Vec<String>;

/// Adds arguments for the compiler.
pub(crate) fn add_compile_args(extension: &mut Extension, args: &[String]) -> Remarks {
    let mut remarks = Remarks::new();
    let mut args = args.iter().flat_map(|arg| split_joined(arg)).peekable();
    while let Some(arg) = args.next() {
        if let Some(standard) = arg.strip_prefix("-std=") {
            if !set_standard(extension, standard) {
                extension.compile_args.push(arg);
            }
        } else if let Some(level) = arg.strip_prefix("-O").filter(|level| is_level(level)) {
            let level = if level.is_empty() { "1" } else { level };
            extension.optimization = Some(level.to_owned());
        } else if let Some(rest) = joined_or_next(&arg, "-D", &mut args) {
            let (name, value) = rest.split_once('=').map_or((&*rest, None), |(n, v)| (n, Some(v)));
            if is_macro(name) {
                extension.define.insert(name.to_owned(), value.map(str::to_owned));
            } else {
                extension.compile_args.push(format!("-D{rest}"));
            }
        } else if let Some(name) = joined_or_next(&arg, "-U", &mut args) {
            extension.undefine.push(name);
        } else if let Some(folder) = joined_or_next(&arg, "-I", &mut args) {
            push_new(&mut extension.include_dirs, folder);
        } else if let Some(sanitizers) = arg.strip_prefix("-fsanitize=") {
            extension.sanitizers.extend(sanitizers.split(',').map(str::to_owned));
        } else {
            match arg.as_str() {
                "-fopenmp" | "-fopenmp=libomp" | "-qopenmp" => extension.openmp = Some(true),
                "-g" | "-g2" | "-g3" | "-ggdb" => extension.debug = Some(true),
                "-g0" => extension.debug = Some(false),
                "-w" => extension.warnings = Some("none".to_owned()),
                "-Wall" => {
                    extension.warnings.get_or_insert_with(|| "all".to_owned());
                }
                "-Wextra" | "-W" => extension.warnings = Some("extra".to_owned()),
                "-flto" | "-flto=auto" => extension.lto = Some(true),
                "-fvisibility=hidden" => extension.visibility = Some("hidden".to_owned()),
                "-fvisibility=default" => extension.visibility = Some("default".to_owned()),
                "-fPIC" | "-fpic" => {
                    remarks.push(format!("`{arg}` isn't written: Ekiben always sets it"));
                }
                _ => {
                    if arg.starts_with("-march=") || arg.starts_with("-mtune=") {
                        remarks.push(format!(
                            "`{arg}` makes a wheel that may not run on other processors"
                        ));
                    }
                    extension.compile_args.push(arg);
                }
            }
        }
    }
    remarks
}

/// Adds arguments for the linker.
pub(crate) fn add_link_args(extension: &mut Extension, args: &[String]) -> Remarks {
    let mut args = args.iter().flat_map(|arg| split_joined(arg)).peekable();
    while let Some(arg) = args.next() {
        if let Some(name) = joined_or_next(&arg, "-l", &mut args) {
            push_new(&mut extension.libraries, name);
        } else if let Some(folder) = joined_or_next(&arg, "-L", &mut args) {
            push_new(&mut extension.library_dirs, folder);
        } else {
            match arg.as_str() {
                "-fopenmp" | "-qopenmp" => extension.openmp = Some(true),
                "-flto" | "-flto=auto" => extension.lto = Some(true),
                "-static-libgfortran" => extension.fortran_runtime = Some("static".to_owned()),
                "-s" | "-Wl,-s" | "-Wl,--strip-all" => extension.strip = Some(true),
                // The compiler's flags, repeated for its driver when it links.
                flag if flag.starts_with("-std=")
                    || flag.strip_prefix("-O").is_some_and(is_level) => {}
                _ => extension.link_args.push(arg),
            }
        }
    }
    Remarks::new()
}

/// `-lfoo -lbar` in one string, which some scripts give; a flag whose value has a space stays whole.
fn split_joined(arg: &str) -> Vec<String> {
    let words: Vec<&str> = arg.split_whitespace().collect();
    if words.len() > 1 && words.iter().all(|word| word.starts_with('-')) {
        words.into_iter().map(str::to_owned).collect()
    } else {
        let arg = arg.trim();
        if arg.is_empty() { Vec::new() } else { vec![arg.to_owned()] }
    }
}

fn joined_or_next<I: Iterator<Item = String>>(
    arg: &str,
    flag: &str,
    rest: &mut std::iter::Peekable<I>,
) -> Option<String> {
    match arg.strip_prefix(flag)? {
        "" => rest.next_if(|next| !next.starts_with('-')),
        value => Some(value.to_owned()),
    }
}

fn is_level(level: &str) -> bool {
    matches!(level, "" | "0" | "1" | "2" | "3" | "s" | "fast")
}

/// Whether a macro can be a key of `define`.
pub(crate) fn is_macro(name: &str) -> bool {
    name.parse::<ekiben_project::MacroName>().is_ok()
}

fn set_standard(extension: &mut Extension, text: &str) -> bool {
    // The years that came before the standards did, and other spellings of them (GCC's manual).
    let text = match text {
        "c++0x" => "c++11",
        "c++1y" => "c++14",
        "c++1z" => "c++17",
        "c++2a" => "c++20",
        "c++2b" => "c++23",
        "gnu++0x" => "gnu++11",
        "gnu++1y" => "gnu++14",
        "gnu++1z" => "gnu++17",
        "gnu++2a" => "gnu++20",
        "c89" | "ansi" | "iso9899:1990" => "c90",
        "gnu89" => "gnu90",
        "c9x" | "iso9899:1999" => "c99",
        "c1x" | "iso9899:2011" => "c11",
        "c18" => "c17",
        "gnu18" => "gnu17",
        "c2x" => "c23",
        "gnu2x" => "gnu23",
        other => other,
    };
    let value = || serde_json::Value::from(text);
    if serde_json::from_value::<ekiben_project::CxxStandard>(value()).is_ok() {
        extension.cxx_std = Some(text.to_owned());
    } else if serde_json::from_value::<ekiben_project::CStandard>(value()).is_ok() {
        extension.c_std = Some(text.to_owned());
    } else if serde_json::from_value::<ekiben_project::FortranStandard>(value()).is_ok() {
        extension.fortran_std = Some(text.to_owned());
    } else {
        return false;
    }
    true
}

pub(crate) fn push_new(list: &mut Vec<String>, item: String) {
    if !list.contains(&item) {
        list.push(item);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn flags_become_settings() {
        let mut extension = Extension::default();
        let flags =
            "-std=c++1z -O2 -DA -DB=1 -D C=x -U D -Iinc -fopenmp -Wall -g -ffast-math -std=xyz";
        assert_eq!(add_compile_args(&mut extension, &words(flags)), Remarks::new());
        assert_eq!(extension.cxx_std.as_deref(), Some("c++17"));
        assert_eq!(extension.optimization.as_deref(), Some("2"));
        let define: Vec<_> = extension.define.iter().collect();
        let (one, x) = (Some("1".to_owned()), Some("x".to_owned()));
        let name = |text: &str| text.to_owned();
        assert_eq!(define, [(&name("A"), &None), (&name("B"), &one), (&name("C"), &x)]);
        assert_eq!(extension.undefine, ["D"]);
        assert_eq!(extension.include_dirs, ["inc"]);
        assert_eq!(extension.warnings.as_deref(), Some("all"));
        assert_eq!((extension.openmp, extension.debug), (Some(true), Some(true)));
        assert_eq!(extension.compile_args, ["-ffast-math", "-std=xyz"]);
    }

    #[test]
    fn linker_flags_become_settings() {
        let mut extension = Extension::default();
        add_link_args(&mut extension, &["-lz -lm".to_owned(), "-Llib".to_owned()]);
        add_link_args(&mut extension, &words("-fopenmp -Wl,--as-needed -O3 -s"));
        add_link_args(&mut extension, &words("-static-libgfortran"));
        assert_eq!(extension.fortran_runtime.as_deref(), Some("static"));
        assert_eq!(extension.libraries, ["z", "m"]);
        assert_eq!(extension.library_dirs, ["lib"]);
        assert_eq!((extension.openmp, extension.strip), (Some(true), Some(true)));
        assert_eq!(extension.link_args, ["-Wl,--as-needed"]);
    }

    #[test]
    fn what_ties_a_wheel_to_a_machine_is_remarked() {
        let mut extension = Extension::default();
        let remarks = add_compile_args(&mut extension, &words("-march=native"));
        assert_eq!(extension.compile_args, ["-march=native"]);
        assert_eq!(remarks.len(), 1);
    }
}
