//! What a Cython source says to whoever builds it, found without Cython: its `# distutils:` lines,
//! the files that it includes, the modules that it cimports, and whether it declares something for
//! C.
//!
//! This is no parser. Strings, comments and joined lines are understood, and of a statement only
//! its first words matter. Where a guess is needed it is on the safe side: an `include` in a branch
//! that isn't taken counts.

/// What was found.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Scan {
    /// `# distutils: key = value`, each with its line from 1.
    pub(crate) distutils: Vec<(String, String, u32)>,
    /// Files of `include "…"`.
    pub(crate) includes: Vec<String>,
    /// Dotted names, perhaps with dots before them; of `from a cimport b` both `a` and `a.b`.
    pub(crate) cimports: Vec<String>,
    /// Headers that the C code includes by `#include "…"`: of `cdef extern from "…"`, and in C that is
    /// given literally.
    pub(crate) headers: Vec<String>,
    /// Something at module level is `public`.
    pub(crate) public: bool,
    /// Something at module level is `api`.
    pub(crate) api: bool,
}

/// Scans the text of a `.pyx`, `.pxd`, `.pxi` or `.py` file.
pub(crate) fn scan(text: &str) -> Scan {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut scan = Scan { distutils: distutils(text), ..Scan::default() };
    let mut in_class = false;
    for line in lines(text) {
        if line.indent == 0 && !line.tokens.is_empty() {
            in_class = line.opens_class();
        }
        for statement in line.tokens.split(|token| matches!(token, Token::Mark(';'))) {
            scan.statement(statement, in_class && line.indent > 0);
        }
    }
    scan
}

/// The settings in the comments before the first line of code.
fn distutils(text: &str) -> Vec<(String, String, u32)> {
    let mut found = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        let Some(comment) = line.strip_prefix('#') else {
            if line.is_empty() { continue } else { break }
        };
        if let Some(setting) = comment.trim_start().strip_prefix("distutils:") {
            let (key, value) = setting.split_once('=').unwrap_or((setting, ""));
            let line = u32::try_from(at + 1).unwrap_or(u32::MAX);
            found.push((key.trim().to_owned(), value.trim().to_owned(), line));
        }
    }
    found
}

impl Scan {
    fn statement(&mut self, tokens: &[Token], in_class: bool) {
        // `IF X: include "y"` and the like.
        let tokens = match tokens {
            [Token::Name(first), ..] if matches!(first.as_str(), "IF" | "ELIF" | "ELSE") => {
                let colon = tokens.iter().position(|token| *token == Token::Mark(':'));
                &tokens[colon.map_or(tokens.len(), |at| at + 1)..]
            }
            _ => tokens,
        };
        if let [Token::Text(text)] = tokens {
            self.headers.extend(included(text));
        }
        self.extern_from(tokens);
        let Some(Token::Name(first)) = tokens.first() else { return };
        match first.as_str() {
            "include" => {
                if let Some(Token::Text(file)) = tokens.get(1) {
                    self.includes.push(file.clone());
                }
            }
            "cimport" => self.cimport(&tokens[1..]),
            "import" => {
                for name in names(&tokens[1..]) {
                    self.cimports.extend(name.strip_prefix("cython.cimports.").map(str::to_owned));
                }
            }
            "from" => self.from(&tokens[1..]),
            "cdef" | "cpdef" | "ctypedef" if !in_class => {
                let declares = |word: &str| {
                    // What follows a bracket or `=` isn't the declaration's own.
                    let own =
                        tokens.iter().take_while(|token| !matches!(token, Token::Mark('(' | '=')));
                    own.into_iter().any(|token| matches!(token, Token::Name(name) if name == word))
                };
                self.public |= declares("public");
                self.api |= declares("api");
            }
            _ => {}
        }
    }

    /// `cdef extern from "spam.h":`. One in angle brackets is looked up elsewhere.
    fn extern_from(&mut self, tokens: &[Token]) {
        if let [Token::Name(cdef), Token::Name(external), Token::Name(from), Token::Text(file), ..] =
            tokens
            && (cdef.as_str(), external.as_str(), from.as_str()) == ("cdef", "extern", "from")
            && !file.starts_with('<')
        {
            self.headers.push(file.clone());
        }
    }

    fn cimport(&mut self, tokens: &[Token]) {
        self.cimports.extend(names(tokens));
    }

    fn from(&mut self, tokens: &[Token]) {
        let words = |token: &Token| matches!(token, Token::Name(name) if name == "cimport" || name == "import");
        let Some(at) = tokens.iter().position(words) else { return };
        let Some(module) = names(&tokens[..at]).pop() else { return };
        let pure = module.strip_prefix("cython.cimports");
        let module = match pure {
            Some(rest) => rest.strip_prefix('.').unwrap_or(rest).to_owned(),
            None if tokens[at] == Token::Name("cimport".to_owned()) => module,
            None => return,
        };
        for name in names(&tokens[at + 1..]) {
            let separator = if module.is_empty() || module.ends_with('.') { "" } else { "." };
            self.cimports.push(format!("{module}{separator}{name}"));
        }
        if !module.is_empty() {
            self.cimports.push(module);
        }
    }
}

/// The names in `#include "…"` lines of C code.
fn included(code: &str) -> impl Iterator<Item = String> + '_ {
    code.lines().filter_map(|line| {
        let directive = line.trim_start().strip_prefix('#')?.trim_start();
        let name = directive.strip_prefix("include")?.trim_start().strip_prefix('"')?;
        Some(name.split_once('"')?.0.to_owned())
    })
}

/// The dotted names of a list such as `a.b as c, d`, in brackets or not.
fn names(tokens: &[Token]) -> Vec<String> {
    let mut found = Vec::new();
    for item in tokens.split(|token| matches!(token, Token::Mark(','))) {
        let mut name = String::new();
        for token in item {
            match token {
                Token::Mark('.') => name.push('.'),
                Token::Name(word) if word == "as" => break,
                Token::Name(word) if name.is_empty() || name.ends_with('.') => name.push_str(word),
                Token::Mark('(' | ')') => {}
                _ => break,
            }
        }
        if !name.is_empty() {
            found.push(name);
        }
    }
    found
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Name(String),
    /// A string's content, as it is written.
    Text(String),
    Mark(char),
}

/// A logical line.
struct Line {
    indent: usize,
    tokens: Vec<Token>,
}

impl Line {
    /// Whether what is indented below it belongs to a class or function.
    fn opens_class(&self) -> bool {
        self.tokens
            .iter()
            .any(|token| matches!(token, Token::Name(name) if name == "class" || name == "def"))
            && self.tokens.last() == Some(&Token::Mark(':'))
    }
}

fn lines(text: &str) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut line = Line { indent: 0, tokens: Vec::new() };
    let mut open = 0_usize;
    let mut rest = text;
    let mut at_start = true;
    while let Some(next) = rest.chars().next() {
        let after = &rest[next.len_utf8()..];
        match next {
            ' ' | '\t' => {
                line.indent += usize::from(at_start);
                rest = after;
                continue;
            }
            '\n' => {
                rest = after;
                if open == 0 {
                    lines
                        .push(std::mem::replace(&mut line, Line { indent: 0, tokens: Vec::new() }));
                    at_start = true;
                }
                continue;
            }
            '\\' => {
                let after = after.strip_prefix('\r').unwrap_or(after);
                rest = after.strip_prefix('\n').unwrap_or(after);
                continue;
            }
            '#' => {
                rest = &rest[rest.find('\n').unwrap_or(rest.len())..];
                continue;
            }
            '"' | '\'' => {
                let (content, after) = string(rest, next);
                // A prefix, such as `b`, was taken for a name.
                line.tokens.push(Token::Text(content.to_owned()));
                rest = after;
            }
            _ if next.is_alphanumeric() || next == '_' => {
                let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_'));
                let (word, after) = rest.split_at(end.unwrap_or(rest.len()));
                let is_prefix = after.starts_with(['"', '\''])
                    && word.len() <= 2
                    && word.chars().all(|c| "bBuUrRfFcC".contains(c));
                if !is_prefix {
                    line.tokens.push(Token::Name(word.to_owned()));
                }
                rest = after;
            }
            _ => {
                match next {
                    '(' | '[' | '{' => open += 1,
                    ')' | ']' | '}' => open = open.saturating_sub(1),
                    _ => {}
                }
                if !next.is_whitespace() {
                    line.tokens.push(Token::Mark(next));
                }
                rest = after;
            }
        }
        at_start = false;
    }
    lines.push(line);
    lines
}

/// The content of the string at the start of `text`, and what follows it. One that doesn't end goes
/// to the end of its line, or of the file if it has three quotes.
fn string(text: &str, quote: char) -> (&str, &str) {
    let triple: String = [quote; 3].iter().collect();
    let (end, limit) = if text.starts_with(&triple) {
        (triple.as_str(), text.len())
    } else {
        (&triple[..1], text.find('\n').unwrap_or(text.len()))
    };
    let start = end.len();
    let mut at = start;
    while at < limit {
        if text[at..].starts_with(end) {
            return (&text[start..at], &text[at + end.len()..]);
        }
        let mut characters = text[at..].chars();
        let taken = characters.next();
        at += taken.map_or(1, char::len_utf8);
        if taken == Some('\\') {
            at += characters.next().map_or(0, char::len_utf8);
        }
    }
    // An escaped line end leads beyond the limit.
    let limit = limit.max(at).min(text.len());
    (&text[start.min(limit)..limit], &text[limit..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cimports(text: &str) -> Vec<String> {
        scan(text).cimports
    }

    #[test]
    fn settings_stand_before_the_code() {
        let text = "#!python\n# distutils: language = c++\n\n#distutils:libraries=a b\n# cython: boundscheck=False\nx = 1\n# distutils: language = c\n";
        let found = scan(text).distutils;
        let shown: Vec<String> = found.iter().map(|(k, v, n)| format!("{n} {k}={v}")).collect();
        assert_eq!(shown, ["2 language=c++", "4 libraries=a b"]);
    }

    #[test]
    fn every_way_to_cimport() {
        assert_eq!(cimports("cimport a.b as c, d"), ["a.b", "d"]);
        assert_eq!(cimports("from a.b cimport c as x, d"), ["a.b.c", "a.b.d", "a.b"]);
        assert_eq!(cimports("from a cimport (\n  b, # first\n  c,\n)"), ["a.b", "a.c", "a"]);
        assert_eq!(cimports("from . cimport a"), [".a", "."]);
        assert_eq!(cimports("from ..a cimport b"), ["..a.b", "..a"]);
        assert_eq!(cimports("from a cimport b, \\\n   c"), ["a.b", "a.c", "a"]);
        assert_eq!(cimports("import x; cimport y"), ["y"]);
        assert_eq!(cimports("from cython.cimports.libc import math"), ["libc.math", "libc"]);
        assert_eq!(cimports("import cython.cimports.a.b"), ["a.b"]);
        assert_eq!(cimports("from cython.cimports import a"), ["a"]);
        assert_eq!(cimports("    cimport a"), ["a"]);
        assert_eq!(cimports("IF X: cimport a\nELSE: cimport b"), ["a", "b"]);
    }

    #[test]
    fn strings_and_comments_hide() {
        assert_eq!(cimports("'''\ncimport a\n'''\n# cimport b\nx = 'cimport c'\n"), [""; 0]);
        assert_eq!(cimports("x = \"it's\"\ncimport a"), ["a"]);
        assert_eq!(cimports("x = b'\\''\ncimport a"), ["a"]);
        assert_eq!(cimports("x = 'a\\\nb'\ncimport a"), ["a"]);
        assert_eq!(scan("include 'a.pxi'\ninclude \"b/c.pxi\" # x").includes, ["a.pxi", "b/c.pxi"]);
    }

    #[test]
    fn declarations_for_c() {
        let public = |text| (scan(text).public, scan(text).api);
        assert_eq!(public("cdef public int x"), (true, false));
        assert_eq!(public("cdef api int f(int a):\n  pass"), (false, true));
        assert_eq!(public("cdef public api void g()"), (true, true));
        assert_eq!(public("cdef public class A [object A, type T]:\n  pass"), (true, false));
        assert_eq!(public("IF X:\n  cdef public int x"), (true, false));
        assert_eq!(public("cdef class A:\n  cdef public int x"), (false, false));
        assert_eq!(public("cdef int f(int public)"), (false, false));
        assert_eq!(public("ctypedef public struct S:\n  int x"), (true, false));
    }

    #[test]
    fn headers_of_the_c_code() {
        let headers = |text| scan(text).headers;
        assert_eq!(headers("cdef extern from \"c/a.h\" nogil:\n    int f()"), ["c/a.h"]);
        assert_eq!(headers("IF X:\n    cdef extern from 'a.h':\n        int f()"), ["a.h"]);
        assert_eq!(headers("cdef extern from \"<math.h>\":\n    double sin(double)"), [""; 0]);
        let literal =
            "cdef extern from *:\n    '''\n    # include \"a.h\"\n    #include <b.h>\n    '''\n";
        assert_eq!(headers(literal), ["a.h"]);
    }

    proptest! {
        #[test]
        fn total(text in "[a-z\"'#\\\\\n .,;():é]{0,60}") {
            scan(&text);
        }
    }
}
