//! From an action to what the system runs: arguments, environment, response files, and the shell line that repeats it.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::sync::Arc;

use crate::action::{Action, ActionKind, Arg, ArtifactId, Piece, Program, ResponseFile};
use crate::path::Location;
use crate::roots::Roots;

/// A command line longer than this goes to a response file if the action allows it. Linux takes 128 KiB in one
/// argument and some 2 MiB in all; Windows takes 32 KiB in all, for which its toolchains are told separately.
pub const RESPONSE_FILE_LIMIT: usize = 100 * 1024;

/// A process as the system sees it. It runs in the source root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CommandLine {
    pub(crate) program: OsString,
    pub(crate) args: Vec<OsString>,
    pub(crate) env: Vec<(String, OsString)>,
}

impl CommandLine {
    /// The command line of `action`; none for a function.
    pub(crate) fn of<'a>(
        action: &Action,
        roots: &Roots,
        locate: impl Fn(ArtifactId) -> &'a Location,
    ) -> Option<Self> {
        let ActionKind::Process { program, argv, env } = &action.kind else { return None };
        let render = |arg: &Arg| {
            let mut text = OsString::new();
            for piece in &arg.0 {
                match piece {
                    Piece::Text(literal) => text.push(literal),
                    Piece::Artifact(artifact) => text.push(roots.spell(locate(*artifact))),
                    Piece::Folder(folder) => text.push(roots.spell(folder)),
                    Piece::Root(root) => text.push(roots.spell_root(*root)),
                }
            }
            text
        };
        let program = match program {
            Program::Tool(tool) => tool.path.clone().into(),
            // Absolute: a bare name would be searched for in PATH.
            Program::Artifact(program) => roots.path(locate(*program)).into(),
        };
        Some(Self {
            program,
            args: argv.iter().map(&render).collect(),
            env: env.iter().map(|(name, value)| (name.clone(), render(value))).collect(),
        })
    }

    /// The bytes that the arguments take.
    pub(crate) fn length(&self) -> usize {
        self.args.iter().map(|arg| arg.len() + 1).sum()
    }

    /// A POSIX shell line that does the same from any folder.
    pub(crate) fn shell(&self, roots: &Roots) -> String {
        let mut line = b"cd ".to_vec();
        line.extend(quote(roots.source().as_os_str()));
        line.extend(b" && env -i");
        for (name, value) in &self.env {
            line.push(b' ');
            let mut assignment = OsString::from(name);
            assignment.push("=");
            assignment.push(value);
            line.extend(quote(&assignment));
        }
        for word in std::iter::once(&self.program).chain(&self.args) {
            line.push(b' ');
            line.extend(quote(word));
        }
        OsString::from_vec(line).to_string_lossy().into_owned()
    }
}

/// Quoted for a shell. What can't be quoted (a NUL) can't be run either, and is shown as it is.
fn quote(word: &OsStr) -> Vec<u8> {
    shlex::bytes::try_quote(word.as_bytes()).map_or_else(|_| word.as_bytes().to_vec(), Into::into)
}

/// A shell line that does what an action does, from any folder and in one shot; for a function, a comment that names
/// it. It is put together only when it is displayed.
#[derive(Debug)]
pub struct ShellLine<'a> {
    pub(crate) action: &'a Action,
    pub(crate) names: &'a HashMap<ArtifactId, Arc<Location>>,
    pub(crate) roots: &'a Roots,
}

impl fmt::Display for ShellLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let ActionKind::Function(function) = &self.action.kind {
            return write!(f, "# {} {} {}", function.name, function.version, function.params);
        }
        match CommandLine::of(self.action, self.roots, |artifact| &self.names[&artifact]) {
            Some(line) => f.write_str(&line.shell(self.roots)),
            None => Ok(()),
        }
    }
}

/// The content of a response file, one argument a line.
pub(crate) fn response_file(style: ResponseFile, args: &[OsString]) -> Vec<u8> {
    let mut text = Vec::new();
    for arg in args {
        match style {
            ResponseFile::Gcc => gcc_quote(arg.as_bytes(), &mut text),
            ResponseFile::Msvc => msvc_quote(arg.as_bytes(), &mut text),
        }
        text.push(b'\n');
    }
    text
}

/// libiberty's `expandargv`: a backslash takes the next byte as it is.
fn gcc_quote(arg: &[u8], text: &mut Vec<u8>) {
    if arg.is_empty() {
        text.extend(b"\"\"");
    }
    for byte in arg {
        if byte.is_ascii_whitespace() || matches!(byte, b'\\' | b'"' | b'\'' | 0x0b) {
            text.push(b'\\');
        }
        text.push(*byte);
    }
}

/// `CommandLineToArgvW`: backslashes count only before a quote.
fn msvc_quote(arg: &[u8], text: &mut Vec<u8>) {
    if !arg.is_empty() && !arg.iter().any(|byte| byte.is_ascii_whitespace() || *byte == b'"') {
        text.extend(arg);
        return;
    }
    text.push(b'"');
    let mut run = 0;
    for byte in arg {
        match byte {
            b'\\' => run += 1,
            b'"' => {
                text.extend(std::iter::repeat_n(b'\\', run + 1));
                run = 0;
            }
            _ => run = 0,
        }
        text.push(*byte);
    }
    text.extend(std::iter::repeat_n(b'\\', run));
    text.push(b'"');
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn rendered(style: ResponseFile, args: &[&str]) -> String {
        let args: Vec<_> = args.iter().map(OsString::from).collect();
        String::from_utf8(response_file(style, &args)).unwrap()
    }

    #[test]
    fn response_files() {
        let args = ["-DX=\"a b\"", "c\\d", "", "plain"];
        assert_eq!(rendered(ResponseFile::Gcc, &args), "-DX=\\\"a\\ b\\\"\nc\\\\d\n\"\"\nplain\n");
        let args = ["-DX=\"a b\"", "c\\d", "", "e f\\", "plain"];
        assert_eq!(
            rendered(ResponseFile::Msvc, &args),
            "\"-DX=\\\"a b\\\"\"\nc\\d\n\"\"\n\"e f\\\\\"\nplain\n"
        );
    }

    #[test]
    fn shell_line() {
        let folder = tempfile::tempdir().unwrap();
        let roots =
            Roots::new(folder.path(), &folder.path().join("b"), &Default::default()).unwrap();
        let line = CommandLine {
            program: "/usr/bin/printf".into(),
            args: vec!["%s|".into(), "it's".into(), "$HOME".into(), "".into()],
            env: vec![("A".into(), "x y".into())],
        };
        let output =
            std::process::Command::new("sh").arg("-c").arg(line.shell(&roots)).output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), "it's|$HOME||");
        assert!(line.shell(&roots).contains("env -i 'A=x y' /usr/bin/printf"));
    }
}
