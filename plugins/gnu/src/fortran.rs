//! Which modules a Fortran source defines and uses, and which files it includes.
//!
//! A reader of statements, not a parser: it knows comments, strings, continuation lines, both source
//! forms and the preprocessor's conditionals, and looks only at how statements begin. It never
//! fails; what it can't make out is left to the compiler.
//!
//! Where a conditional can't be decided (it tests a macro that the compiler or a header may define),
//! both branches count.

use std::collections::BTreeSet;

/// How a source is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Statements in columns 7 to 72.
    Fixed,
    Free,
}

/// The form, and whether the preprocessor runs first, by the path's suffix.
pub(crate) fn form(path: &str) -> (Form, bool) {
    let suffix = path.rsplit_once('.').map_or("", |(_, suffix)| suffix);
    let form = match suffix.to_ascii_lowercase().as_str() {
        "f" | "for" | "ftn" | "f77" => Form::Fixed,
        _ => Form::Free,
    };
    (form, suffix.starts_with('F'))
}

/// How to read a source.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reading<'a> {
    pub(crate) form: Form,
    /// The macros that are defined; nothing if the preprocessor doesn't run.
    pub(crate) macros: Option<&'a BTreeSet<String>>,
    /// Whether lines that only OpenMP sees (`!$`) count.
    pub(crate) openmp: bool,
}

/// A submodule, by its ancestors from the module down, and its own name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Submodule {
    pub(crate) module: String,
    /// The submodule that it extends, if it isn't the module itself.
    pub(crate) parent: Option<String>,
    pub(crate) name: String,
    pub(crate) line: u32,
}

/// What a source says. Names are in lower case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Scan {
    /// With the line of each.
    pub(crate) modules: Vec<(String, u32)>,
    pub(crate) submodules: Vec<Submodule>,
    /// Without those that are said to be intrinsic.
    pub(crate) uses: BTreeSet<String>,
    /// By `include` or `#include "…"`, as written.
    pub(crate) includes: BTreeSet<String>,
}

/// Reads a source.
pub(crate) fn scan(text: &str, reading: Reading<'_>) -> Scan {
    let mut scan = Scan::default();
    let mut reader = Reader {
        reading,
        conditions: Vec::new(),
        defined: reading.macros.cloned().unwrap_or_default(),
        included: false,
        pending: None,
        scan: &mut scan,
    };
    for (number, line) in (1..).zip(text.lines()) {
        reader.line(number, line.trim_end_matches('\r'));
    }
    reader.flush();
    scan
}

/// A statement that may go on in the next line.
struct Pending {
    line: u32,
    text: String,
    /// The quotation mark of a string that is open at the end.
    quote: Option<char>,
    /// Free form: the last line ended in `&`.
    continues: bool,
}

/// What is known of a conditional's branches.
#[derive(Clone, Copy)]
struct Condition {
    /// Whether this branch may be compiled.
    active: bool,
    /// Whether an earlier branch is compiled for sure.
    settled: bool,
}

struct Reader<'a> {
    reading: Reading<'a>,
    conditions: Vec<Condition>,
    defined: BTreeSet<String>,
    /// Whether a file was included that may define anything.
    included: bool,
    pending: Option<Pending>,
    scan: &'a mut Scan,
}

impl Reader<'_> {
    fn line(&mut self, number: u32, line: &str) {
        if let Some(directive) = line.strip_prefix('#') {
            if self.reading.macros.is_some() {
                self.directive(directive.trim());
            }
            return;
        }
        if self.conditions.iter().any(|condition| !condition.active) {
            return;
        }
        match self.reading.form {
            Form::Free => self.free(number, line),
            Form::Fixed => self.fixed(number, line),
        }
    }

    fn directive(&mut self, directive: &str) {
        let (name, rest) = split_word(directive);
        let rest = rest.trim();
        match name {
            "if" | "ifdef" | "ifndef" => {
                let holds = self.holds(name, rest);
                self.conditions
                    .push(Condition { active: holds != Some(false), settled: holds == Some(true) });
            }
            "elif" => {
                let holds = self.holds("if", rest);
                if let Some(last) = self.conditions.last_mut() {
                    last.active = !last.settled && holds != Some(false);
                    last.settled |= holds == Some(true);
                }
            }
            "else" => {
                if let Some(last) = self.conditions.last_mut() {
                    last.active = !last.settled;
                    last.settled = true;
                }
            }
            "endif" => {
                self.conditions.pop();
            }
            _ if self.conditions.iter().any(|condition| !condition.active) => {}
            "define" => {
                self.defined.insert(identifier(rest).to_owned());
            }
            "undef" => {
                self.defined.remove(identifier(rest));
            }
            "include" => {
                self.included = true;
                if let Some(path) = rest.strip_prefix('"').and_then(|rest| rest.split_once('"')) {
                    self.scan.includes.insert(path.0.to_owned());
                }
            }
            _ => {}
        }
    }

    /// Whether a condition holds, if that can be told.
    fn holds(&self, directive: &str, rest: &str) -> Option<bool> {
        match directive {
            "ifdef" => self.is_defined(identifier(rest)),
            "ifndef" => self.is_defined(identifier(rest)).map(|defined| !defined),
            _ => match rest {
                "0" => Some(false),
                "1" => Some(true),
                _ => {
                    let (negated, rest) = match rest.strip_prefix('!') {
                        Some(rest) => (true, rest.trim_start()),
                        None => (false, rest),
                    };
                    let rest = rest.strip_prefix("defined")?.trim_start();
                    let name = rest.strip_prefix('(').unwrap_or(rest).trim_start();
                    let name = identifier(name);
                    let after = rest.trim_start_matches('(').trim_start().strip_prefix(name)?;
                    if !after.trim_start().trim_start_matches(')').trim().is_empty() {
                        return None;
                    }
                    self.is_defined(name).map(|defined| defined != negated)
                }
            },
        }
    }

    fn is_defined(&self, name: &str) -> Option<bool> {
        if name.is_empty() {
            None
        } else if self.defined.contains(name) {
            Some(true)
        } else if self.included || name.starts_with('_') || name == "linux" || name == "unix" {
            None
        } else {
            Some(false)
        }
    }

    fn free(&mut self, number: u32, line: &str) {
        let openmp;
        let mut line = line;
        if self.reading.openmp
            && let Some(rest) = line.trim_start().strip_prefix("!$")
            && rest.starts_with([' ', '\t', '&'])
        {
            openmp = rest.to_owned();
            line = &openmp;
        }
        let mut pending = match self.pending.take() {
            Some(pending) if pending.continues => {
                // A comment or an empty line between is no end.
                let start = line.trim_start();
                if pending.quote.is_none() && (start.is_empty() || start.starts_with('!')) {
                    self.pending = Some(pending);
                    return;
                }
                line = match start.strip_prefix('&') {
                    Some(rest) => rest,
                    None => line,
                };
                pending
            }
            other => {
                self.pending = other;
                self.flush();
                Pending { line: number, text: String::new(), quote: None, continues: false }
            }
        };
        pending.continues = false;
        for (at, c) in line.char_indices() {
            match pending.quote {
                Some(quote) if c == quote => pending.quote = None,
                None if c == '!' => break,
                None if c == '\'' || c == '"' => pending.quote = Some(c),
                _ => {}
            }
            if c == '&' {
                let rest = line[at + 1..].trim_start();
                let ends = rest.is_empty() || (pending.quote.is_none() && rest.starts_with('!'));
                if ends {
                    pending.continues = true;
                    break;
                }
            }
            pending.text.push(c);
        }
        if !pending.continues {
            // A string that ends nowhere is an error that the compiler will report.
            pending.quote = None;
        }
        self.pending = Some(pending);
    }

    fn fixed(&mut self, number: u32, line: &str) {
        let mut expanded;
        let mut line = line;
        if self.reading.openmp && line.get(1..2) == Some("$") && is_fixed_comment(line) {
            expanded = format!("  {}", &line[2..]);
            line = &expanded;
        }
        if is_fixed_comment(line) {
            return;
        }
        // A tab within the label's columns leads to the statement, or, before a digit, to the
        // column that marks a continuation.
        if let Some(tab) = line.find('\t')
            && tab < 6
            && line.is_char_boundary(tab)
        {
            let rest = &line[tab + 1..];
            let columns = if rest.starts_with(|c: char| ('1'..='9').contains(&c)) { 5 } else { 6 };
            expanded = format!("{:columns$}{rest}", &line[..tab]);
            line = &expanded;
        }
        let mut chars = line.chars();
        let label: String = chars.by_ref().take(5).collect();
        let mark = chars.next().unwrap_or(' ');
        let statement: String = chars.take(66).collect();
        let continues = label.trim().is_empty() && mark != ' ' && mark != '0';
        let mut pending = match self.pending.take() {
            Some(pending) if continues => pending,
            other => {
                self.pending = other;
                self.flush();
                Pending { line: number, text: String::new(), quote: None, continues: false }
            }
        };
        let mut width = 0;
        for c in statement.chars() {
            width += 1;
            match pending.quote {
                Some(quote) if c == quote => pending.quote = None,
                None if c == '!' => break,
                None if c == '\'' || c == '"' => pending.quote = Some(c),
                _ => {}
            }
            pending.text.push(c);
        }
        if width < 66 {
            pending.text.push(' ');
        }
        self.pending = Some(pending);
    }

    /// Takes the statements of the line that is complete now.
    fn flush(&mut self) {
        let Some(Pending { line, text, .. }) = self.pending.take() else { return };
        let mut quote = None;
        let mut start = 0;
        for (at, c) in text.char_indices() {
            match quote {
                Some(open) if c == open => quote = None,
                None if c == '\'' || c == '"' => quote = Some(c),
                None if c == ';' => {
                    self.statement(line, &text[start..at]);
                    start = at + 1;
                }
                _ => {}
            }
        }
        self.statement(line, &text[start..]);
    }

    fn statement(&mut self, line: u32, text: &str) {
        let text = text.trim();
        let (keyword, rest) = split_word(text);
        let spaced = rest.starts_with([' ', '\t']);
        let rest = rest.trim();
        match keyword.to_ascii_lowercase().as_str() {
            "use" => self.used(rest, spaced),
            "module" if spaced => {
                let name = identifier(rest).to_ascii_lowercase();
                // With more behind it, it is `module procedure p` or `module subroutine s`.
                if !name.is_empty() && name.len() == rest.len() && name != "procedure" {
                    self.define(name, line);
                }
            }
            "submodule" => {
                if let Some(submodule) = submodule(rest, line)
                    && !self.scan.submodules.iter().any(|known| {
                        known.module == submodule.module && known.name == submodule.name
                    })
                {
                    self.scan.submodules.push(submodule);
                }
            }
            "include" => {
                if let Some(quote @ ('\'' | '"')) = rest.chars().next()
                    && let Some((path, after)) = rest[1..].split_once(quote)
                    && after.trim().is_empty()
                {
                    self.scan.includes.insert(path.to_owned());
                }
            }
            _ => {}
        }
    }

    /// Twice in one file means in two branches.
    fn define(&mut self, name: String, line: u32) {
        if !self.scan.modules.iter().any(|(known, _)| *known == name) {
            self.scan.modules.push((name, line));
        }
    }

    fn used(&mut self, rest: &str, spaced: bool) {
        let name = if let Some(nature) = rest.strip_prefix(',') {
            let (nature, name) = split_word(nature.trim_start());
            let Some(name) = name.trim_start().strip_prefix("::") else { return };
            if nature.eq_ignore_ascii_case("intrinsic") {
                return;
            }
            name
        } else if let Some(name) = rest.strip_prefix("::") {
            name
        } else if spaced {
            rest
        } else {
            return;
        };
        let name = name.trim_start();
        let module = identifier(name);
        let after = name[module.len()..].trim_start();
        if !module.is_empty() && (after.is_empty() || after.starts_with(',')) {
            self.scan.uses.insert(module.to_ascii_lowercase());
        }
    }
}

/// `(module) name` or `(module:parent) name`.
fn submodule(rest: &str, line: u32) -> Option<Submodule> {
    let (ancestors, name) = rest.strip_prefix('(')?.split_once(')')?;
    let lower = |text: &str| {
        let text = text.trim();
        let whole = !text.is_empty() && identifier(text).len() == text.len();
        whole.then(|| text.to_ascii_lowercase())
    };
    let (module, parent) = match ancestors.split_once(':') {
        Some((module, parent)) => (lower(module)?, Some(lower(parent)?)),
        None => (lower(ancestors)?, None),
    };
    Some(Submodule { module, parent, name: lower(name)?, line })
}

fn is_fixed_comment(line: &str) -> bool {
    line.starts_with(['c', 'C', '*', '!', 'd', 'D'])
}

/// The name at the start of a text, or nothing.
fn identifier(text: &str) -> &str {
    if text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
        split_word(text).0
    } else {
        ""
    }
}

fn split_word(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    text.split_at(end)
}

#[cfg(test)]
mod tests;
