//! Reading what compilers say about the files they read.
//!
//! Pure functions from text to paths, total over any input. Paths come out as the compiler spelled them; the engine
//! resolves them.

/// Why a dependency file can't be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DepFileError {
    /// A make rule without a colon.
    #[error("line {line} has no `:` between targets and prerequisites")]
    NoRule {
        /// Counted from 1.
        line: usize,
    },
    /// A line that says neither what was read nor what was absent.
    #[error("line {line} begins neither with `read ` nor with `absent `")]
    NoTrace {
        /// Counted from 1.
        line: usize,
    },
    /// A path isn't UTF-8.
    #[error("line {line} holds a path that is not UTF-8")]
    NotUtf8 {
        /// Counted from 1.
        line: usize,
    },
}

/// The prerequisites of every rule in a dependency file as gcc, clang and gfortran write it, in order, each once.
///
/// Understood: continuation lines, several targets and rules, and gcc's quoting (`\ ` with backslashes before it
/// doubled, `\#`, `\:`, `$$`). A colon ends the targets only where a blank or the line's end follows, so that `C:\x`
/// is one path. Rules without prerequisites (`-MP`) are accepted.
///
/// # Errors
/// When a line isn't a rule, or a path isn't UTF-8.
pub fn parse_make(text: &[u8]) -> Result<Vec<String>, DepFileError> {
    let mut parser = MakeParser { text, at: 0, line: 1, word_line: 1 };
    let mut found = Vec::new();
    while parser.at < text.len() {
        parser.rule(&mut found)?;
    }
    Ok(unique(found))
}

struct MakeParser<'a> {
    text: &'a [u8],
    at: usize,
    line: usize,
    /// Where the last word began.
    word_line: usize,
}

/// What ended a word of a make rule.
#[derive(PartialEq, Eq)]
enum End {
    Word,
    Colon,
    Line,
}

impl MakeParser<'_> {
    /// Reads one logical line.
    fn rule(&mut self, found: &mut Vec<String>) -> Result<(), DepFileError> {
        let line = self.line;
        let (mut in_targets, mut words) = (true, 0);
        loop {
            let (word, end) = self.word(in_targets);
            if !word.is_empty() {
                words += 1;
                if !in_targets {
                    let word = String::from_utf8(word)
                        .map_err(|_| DepFileError::NotUtf8 { line: self.word_line })?;
                    found.push(word);
                }
            }
            match end {
                End::Word => {}
                End::Colon => in_targets = false,
                End::Line if in_targets && words > 0 => return Err(DepFileError::NoRule { line }),
                End::Line => return Ok(()),
            }
        }
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.text.get(self.at + ahead).copied()
    }

    /// Whether a line ends `ahead` bytes from here, and how many bytes that takes.
    fn newline(&self, ahead: usize) -> Option<usize> {
        match (self.peek(ahead), self.peek(ahead + 1)) {
            (Some(b'\n'), _) => Some(1),
            (Some(b'\r'), Some(b'\n')) => Some(2),
            _ => None,
        }
    }

    fn word(&mut self, in_targets: bool) -> (Vec<u8>, End) {
        let mut word = Vec::new();
        loop {
            if word.is_empty() {
                self.word_line = self.line;
            }
            if let Some(length) = self.newline(0) {
                self.at += length;
                self.line += 1;
                return (word, End::Line);
            }
            let Some(byte) = self.peek(0) else { return (word, End::Line) };
            match byte {
                b' ' | b'\t' => {
                    self.at += 1;
                    if !word.is_empty() {
                        return (word, End::Word);
                    }
                }
                b'\\' => {
                    if let Some(end) = self.backslashes(&mut word) {
                        return (word, end);
                    }
                }
                b'$' if self.peek(1) == Some(b'$') => {
                    word.push(b'$');
                    self.at += 2;
                }
                b':' if in_targets && self.ends_targets() => {
                    self.at += 1;
                    return (word, End::Colon);
                }
                byte => {
                    word.push(byte);
                    self.at += 1;
                }
            }
        }
    }

    fn ends_targets(&self) -> bool {
        matches!(self.peek(1), None | Some(b' ' | b'\t')) || self.newline(1).is_some()
    }

    /// A run of backslashes: what they mean depends on what follows. Returns an end when they continue the line after
    /// a word.
    fn backslashes(&mut self, word: &mut Vec<u8>) -> Option<End> {
        let run = self.text[self.at..].iter().take_while(|byte| **byte == b'\\').count();
        match self.peek(run) {
            _ if self.newline(run).is_some() => {
                word.extend(std::iter::repeat_n(b'\\', run - 1));
                self.at += run + self.newline(run).unwrap_or(0);
                self.line += 1;
                return (!word.is_empty()).then_some(End::Word);
            }
            Some(quoted @ (b' ' | b'\t')) => {
                word.extend(std::iter::repeat_n(b'\\', run / 2));
                self.at += run;
                if run % 2 == 1 {
                    word.push(quoted);
                    self.at += 1;
                }
            }
            Some(quoted @ (b'#' | b':')) if quoted == b'#' || !self.colon_after(run) => {
                word.extend(std::iter::repeat_n(b'\\', run - 1));
                word.push(quoted);
                self.at += run + 1;
            }
            _ => {
                word.extend(std::iter::repeat_n(b'\\', run));
                self.at += run;
            }
        }
        None
    }

    /// Whether the colon after `run` backslashes ends the targets, as in `dir\: x`: then the backslash is a path's.
    fn colon_after(&self, run: usize) -> bool {
        matches!(self.peek(run + 1), None | Some(b' ' | b'\t')) || self.newline(run + 1).is_some()
    }
}

/// One path a line; blank lines are skipped.
///
/// # Errors
/// When a line isn't UTF-8.
pub fn parse_plain(text: &[u8]) -> Result<Vec<String>, DepFileError> {
    let mut found = Vec::new();
    for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            continue;
        }
        let path = str::from_utf8(line).map_err(|_| DepFileError::NotUtf8 { line: index + 1 })?;
        found.push(path.to_owned());
    }
    Ok(unique(found))
}

/// What a process says it read, and what it looked for in vain, each path once.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Trace {
    /// Behind `read `.
    pub read: Vec<String>,
    /// Behind `absent `.
    pub absent: Vec<String>,
}

/// Lines `read PATH` and `absent PATH`; blank lines are skipped.
///
/// # Errors
/// When a line isn't UTF-8, or is neither.
pub fn parse_trace(text: &[u8]) -> Result<Trace, DepFileError> {
    let mut trace = Trace::default();
    for (at, line) in text.split(|byte| *byte == b'\n').enumerate() {
        let number = at + 1;
        let line = str::from_utf8(line.strip_suffix(b"\r").unwrap_or(line))
            .map_err(|_| DepFileError::NotUtf8 { line: number })?;
        if let Some(path) = line.strip_prefix("read ") {
            trace.read.push(path.to_owned());
        } else if let Some(path) = line.strip_prefix("absent ") {
            trace.absent.push(path.to_owned());
        } else if !line.is_empty() {
            return Err(DepFileError::NoTrace { line: number });
        }
    }
    Ok(Trace { read: unique(trace.read), absent: unique(trace.absent) })
}

/// Splits the output of `cl /showIncludes` into what a person should see and the files it read.
#[must_use]
pub fn split_msvc(output: &[u8], prefix: &str) -> (Vec<u8>, Vec<String>) {
    let (mut shown, mut found) = (Vec::new(), Vec::new());
    for line in output.split_inclusive(|byte| *byte == b'\n') {
        let path = line.strip_prefix(prefix.as_bytes()).filter(|_| !prefix.is_empty());
        match path.map(|path| String::from_utf8_lossy(path.trim_ascii()).into_owned()) {
            Some(path) if !path.is_empty() => found.push(path),
            _ => shown.extend_from_slice(line),
        }
    }
    (shown, unique(found))
}

fn unique(mut paths: Vec<String>) -> Vec<String> {
    let mut seen = std::collections::HashSet::new();
    paths.retain(|path| seen.insert(path.clone()));
    paths
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn make(text: &str) -> Vec<String> {
        parse_make(text.as_bytes()).unwrap()
    }

    #[test]
    fn gcc_rules() {
        assert_eq!(make("a.o: a.c b.h \\\n c.h\n"), ["a.c", "b.h", "c.h"]);
        assert_eq!(make("a.o: a.c b.h\\\r\n c.h\r\n"), ["a.c", "b.h", "c.h"]);
        assert_eq!(make("a.o a.d : a.c\n\nb.h:\nc.h:\n"), ["a.c"]);
        assert_eq!(make("a.o: a.c a.c\nb.o: a.c d.h"), ["a.c", "d.h"]);
        assert_eq!(make(""), [""; 0]);
    }

    #[test]
    fn quoting() {
        assert_eq!(
            make(r"a.o: with\ blank.h a\#b.h c$$d.h e\:f.h"),
            ["with blank.h", "a#b.h", "c$d.h", "e:f.h"]
        );
        assert_eq!(
            make(r"a.o: ends\\\ x.h back\slash.h two\\ y.h"),
            [r"ends\ x.h", r"back\slash.h", r"two\", "y.h"]
        );
    }

    #[test]
    fn windows() {
        assert_eq!(make("C:\\o\\a.obj: C:\\src\\a.c D:/inc/b.h\n"), [r"C:\src\a.c", "D:/inc/b.h"]);
    }

    #[test]
    fn not_a_rule() {
        assert_eq!(parse_make(b"a.o: a.c\nnonsense\n"), Err(DepFileError::NoRule { line: 2 }));
        assert_eq!(parse_make(b"a.o: \\\n \xff\n"), Err(DepFileError::NotUtf8 { line: 2 }));
    }

    #[test]
    fn plain() {
        assert_eq!(parse_plain(b"a b.h\r\n\nc.h\nc.h").unwrap(), ["a b.h", "c.h"]);
        assert_eq!(parse_plain(b"a\n\xff"), Err(DepFileError::NotUtf8 { line: 2 }));
    }

    #[test]
    fn trace() {
        let found = parse_trace(b"read a b.h\r\nabsent c.h\n\nread d.h\nread a b.h\n").unwrap();
        assert_eq!(
            (found.read, found.absent),
            (vec!["a b.h".into(), "d.h".into()], vec!["c.h".into()])
        );
        assert_eq!(parse_trace(b"read a\nb\n"), Err(DepFileError::NoTrace { line: 2 }));
        assert_eq!(parse_trace(b"read \xff"), Err(DepFileError::NotUtf8 { line: 1 }));
    }

    #[test]
    fn msvc() {
        let output = b"a.c\r\nNote: including file:   C:\\x y\\a.h\r\na.c(1): warning C4996\r\n";
        let (shown, found) = split_msvc(output, "Note: including file:");
        assert_eq!(shown, b"a.c\r\na.c(1): warning C4996\r\n");
        assert_eq!(found, [r"C:\x y\a.h"]);
        assert_eq!(split_msvc(output, "").0, output);
    }

    /// Quotes as gcc's `munge` does.
    fn quote(path: &str) -> String {
        let mut quoted = String::new();
        let mut run = 0;
        for byte in path.chars() {
            match byte {
                ' ' | '\t' => quoted.push_str(&"\\".repeat(run + 1)),
                '#' => quoted.push('\\'),
                '$' => quoted.push('$'),
                _ => {}
            }
            run = if byte == '\\' { run + 1 } else { 0 };
            quoted.push(byte);
        }
        quoted
    }

    proptest! {
        #[test]
        fn round_trip(paths in prop::collection::vec("[a-z# $./\\\\]{0,6}[a-z.]", 0..6)) {
            // gcc's quoting of a backslash before `#` can't be told from a quoted one.
            prop_assume!(!paths.iter().any(|path| path.contains("\\#")));
            let quoted: Vec<_> = paths.iter().map(|path| quote(path)).collect();
            let text = format!("out.o: {}\n", quoted.join(" \\\n  "));
            prop_assert_eq!(parse_make(text.as_bytes()).unwrap(), unique(paths));
        }

        #[test]
        fn total(text in prop::collection::vec(prop::sample::select(b"a: \\\n\r#$\xff".to_vec()), 0..40)) {
            let _ = parse_plain(&text);
            let (shown, found) = split_msvc(&text, "a");
            prop_assert!(shown.len() <= text.len() && found.len() <= text.len());
            if let Ok(paths) = parse_make(&text) {
                prop_assert!(paths.iter().all(|path| !path.is_empty()));
            }
        }
    }
}
