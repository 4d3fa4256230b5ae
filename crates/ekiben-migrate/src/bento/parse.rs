//! The parser of `bento.info`.
//!
//! The format goes by lines and indentation: a field and its value, below it either more of the
//! value or, for a section, fields that are indented further. It is read in one pass over lines, by
//! descent into blocks; what a line is follows from the field that it belongs to. Files that Bento
//! itself took are taken; a field that nobody knows is kept and reported, not refused.

use super::fields::{self, Context, Kind};
use crate::error::{BentoError, Position};

/// Blocks inside blocks, which nobody writes this deep, and the stack ends somewhere.
const DEEPEST: usize = 40;

/// A file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BentoFile {
    /// What stands in it, in order.
    pub entries: Vec<Entry>,
}

/// A field, a section, or a condition with such below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A field with its value.
    Field(Field),
    /// A section.
    Section(Section),
    /// What depends on a condition.
    If(Conditional),
}

/// A text and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// The text, without escapes.
    pub text: String,
    /// Where it begins.
    pub position: Position,
}

/// A field with its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Where the name is.
    pub position: Position,
    /// Whether Bento has such a field.
    pub known: bool,
    /// The field that was meant, if it isn't known.
    pub meant: Option<&'static str>,
    /// One text, or the items of a list.
    pub values: Vec<Text>,
}

/// A section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// `Library`, `Extension`, …
    pub kind: String,
    /// Where that word is.
    pub position: Position,
    /// What follows the colon.
    pub name: Option<Text>,
    /// What is below it.
    pub entries: Vec<Entry>,
}

/// What depends on a condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conditional {
    /// The condition.
    pub test: Test,
    /// Where the `if` is.
    pub position: Position,
    /// What holds if it is true.
    pub then: Vec<Entry>,
    /// What holds otherwise.
    pub otherwise: Vec<Entry>,
}

/// A condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Test {
    /// `true` or `not false`.
    Constant(bool),
    /// `os(NAME)`.
    Os {
        /// The system.
        name: String,
        /// Whether `not` stands before it.
        negated: bool,
    },
    /// `flag(NAME)`.
    Flag {
        /// The flag.
        name: String,
        /// Whether `not` stands before it.
        negated: bool,
    },
}

/// Reads a file's text.
pub fn parse(text: &str) -> Result<BentoFile, BentoError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lines: Vec<Line<'_>> =
        text.lines().zip(1..).map(|(text, number)| Line::new(text, number)).collect();
    let mut parser = Parser { lines, at: 0 };
    let entries = parser.block(Context::Top, None, 0)?;
    match parser.peek() {
        None => Ok(BentoFile { entries }),
        Some(line) => Err(line.error("this line is indented differently from those around it")),
    }
}

#[derive(Debug, Clone, Copy)]
struct Line<'t> {
    number: usize,
    /// How many blanks it begins with.
    indent: usize,
    /// Without those, and without blanks at the end.
    text: &'t str,
    /// What it begins with, tabs too.
    lead: &'t str,
}

impl<'t> Line<'t> {
    fn new(text: &'t str, number: usize) -> Self {
        let text = text.trim_end();
        let stripped = text.trim_start();
        let lead = &text[..text.len() - stripped.len()];
        Self { number, indent: lead.chars().count(), text: stripped, lead }
    }

    /// Nothing, or a comment alone.
    fn is_empty(&self) -> bool {
        self.text.is_empty() || self.text.starts_with('#')
    }

    fn position(&self, offset: usize) -> Position {
        let before = self.text.get(..offset).unwrap_or(self.text);
        Position { line: self.number, column: self.indent + before.chars().count() + 1 }
    }

    fn error(&self, message: impl Into<String>) -> BentoError {
        BentoError { position: self.position(0), message: message.into() }
    }

    fn error_at(&self, offset: usize, message: impl Into<String>) -> BentoError {
        BentoError { position: self.position(offset), message: message.into() }
    }

    fn check_indent(&self) -> Result<(), BentoError> {
        match self.lead.chars().position(|c| c != ' ') {
            None => Ok(()),
            Some(at) => Err(BentoError {
                position: Position { line: self.number, column: at + 1 },
                message: "indentation is made of blanks only, and this isn't one".to_owned(),
            }),
        }
    }
}

struct Parser<'t> {
    lines: Vec<Line<'t>>,
    at: usize,
}

impl<'t> Parser<'t> {
    /// The next line that says something.
    fn peek(&mut self) -> Option<Line<'t>> {
        while self.lines.get(self.at).is_some_and(Line::is_empty) {
            self.at += 1;
        }
        self.lines.get(self.at).copied()
    }

    /// The entries of a block, which are all indented alike, and further than `above`.
    fn block(
        &mut self,
        context: Context,
        above: Option<usize>,
        depth: usize,
    ) -> Result<Vec<Entry>, BentoError> {
        let mut entries = Vec::new();
        let Some(first) = self.peek() else { return Ok(entries) };
        if above.is_some_and(|above| first.indent <= above) {
            return Ok(entries);
        }
        if depth > DEEPEST {
            return Err(first.error("this is nested too deep"));
        }
        while let Some(line) = self.peek() {
            line.check_indent()?;
            if line.indent != first.indent {
                if above.is_none_or(|above| line.indent > above) {
                    return Err(line.error(format!(
                        "this line is indented by {}, and those of its block by {}",
                        line.indent, first.indent
                    )));
                }
                break;
            }
            self.at += 1;
            entries.push(self.entry(context, line, depth)?);
        }
        Ok(entries)
    }

    fn entry(
        &mut self,
        context: Context,
        line: Line<'t>,
        depth: usize,
    ) -> Result<Entry, BentoError> {
        if let Some(test) = after_word(line.text, "if") {
            return self.conditional(context, line, test, depth);
        }
        if after_word(line.text, "else").is_some() {
            return Err(line.error("`else` follows an `if` of the same indentation"));
        }
        let Some((name, value)) = line.text.split_once(':') else {
            return Err(
                line.error(format!("a field is expected here, such as `{}`", example(context)))
            );
        };
        let offset = line.text.len() - value.len();
        let name = name.trim_end();
        if name.is_empty() || !name.chars().all(|c| c == '_' || c.is_alphanumeric()) {
            return Err(line.error(format!("`{name}` can't be the name of a field")));
        }
        let value = Piece::new(line, offset);
        match fields::kind(context, name) {
            Some(Kind::Section) => {
                let name_of = value.words(true).into_iter().next();
                let inside = fields::inside(name);
                if name_of.is_none() && !matches!(name, "Library" | "DataFiles") {
                    return Err(line.error_at(offset, format!("`{name}` needs a name")));
                }
                let entries = self.block(inside, Some(line.indent), depth + 1)?;
                let (kind, position) = (name.to_owned(), line.position(0));
                Ok(Entry::Section(Section { kind, position, name: name_of, entries }))
            }
            Some(kind) => {
                let values = self.value(line, value, kind)?;
                if values.is_empty() && matches!(kind, Kind::Word) {
                    return Err(line.error_at(offset, format!("`{name}` has no value")));
                }
                Ok(Entry::Field(field(line, name, true, None, values)))
            }
            None => match fields::context_of(name) {
                Some(other) => Err(line.error(format!(
                    "`{name}` belongs in {}, and this is {}",
                    other.describe(),
                    context.describe()
                ))),
                None => {
                    let values = self.value(line, value, Kind::Text)?;
                    Ok(Entry::Field(field(line, name, false, fields::near(context, name), values)))
                }
            },
        }
    }

    fn conditional(
        &mut self,
        context: Context,
        line: Line<'t>,
        test: &str,
        depth: usize,
    ) -> Result<Entry, BentoError> {
        if !context.has_conditions() {
            let message = format!("`if` can't stand in {}", context.describe());
            return Err(line.error(message));
        }
        let test = parse_test(line, test)?;
        let then = self.block(context, Some(line.indent), depth + 1)?;
        let mut otherwise = Vec::new();
        if let Some(next) = self.peek()
            && next.indent == line.indent
            && let Some(rest) = after_word(next.text, "else")
        {
            if rest.trim() != ":" {
                return Err(next.error("`else:` is expected"));
            }
            self.at += 1;
            otherwise = self.block(context, Some(line.indent), depth + 1)?;
        }
        Ok(Entry::If(Conditional { test, position: line.position(0), then, otherwise }))
    }

    /// A field's value: the rest of its line, and the lines below that are indented further.
    fn value(
        &mut self,
        line: Line<'t>,
        first: Piece<'t>,
        kind: Kind,
    ) -> Result<Vec<Text>, BentoError> {
        let mut pieces = vec![first];
        if kind == Kind::Text {
            return Ok(self.text(line, first));
        }
        while let Some(next) = self.peek() {
            if next.indent <= line.indent {
                break;
            }
            next.check_indent()?;
            self.at += 1;
            pieces.push(Piece::new(next, 0));
        }
        Ok(match kind {
            Kind::Word => {
                let words: Vec<Text> = pieces.iter().flat_map(|piece| piece.words(true)).collect();
                match &words[..] {
                    [] | [_] => words,
                    [_, more, ..] => {
                        let message = "one word is expected, and this is another".to_owned();
                        return Err(BentoError { position: more.position, message });
                    }
                }
            }
            Kind::Words => pieces.iter().flat_map(|piece| piece.words(true)).collect(),
            Kind::Lines => pieces.iter().flat_map(Piece::texts).collect(),
            Kind::Line | Kind::Text | Kind::Section => {
                let texts: Vec<Text> = pieces.iter().filter_map(Piece::whole).collect();
                let joined = texts.iter().map(|t| t.text.as_str()).collect::<Vec<_>>().join(" ");
                texts
                    .first()
                    .map(|first| vec![Text { text: joined, position: first.position }])
                    .unwrap_or_default()
            }
        })
    }

    /// A text of several lines, without the indentation that all of them have. Nothing in it is a
    /// comment.
    fn text(&mut self, line: Line<'t>, first: Piece<'t>) -> Vec<Text> {
        let mut lines = Vec::new();
        while let Some(next) = self.lines.get(self.at) {
            if !next.text.is_empty() && next.indent <= line.indent {
                break;
            }
            lines.push(*next);
            self.at += 1;
        }
        let filled = lines.iter().filter(|line| !line.text.is_empty());
        let common = filled.map(|line| line.indent).min().unwrap_or_default();
        let mut text = unescape(first.text());
        for line in &lines {
            if !text.is_empty() {
                text.push('\n');
            }
            if !line.text.is_empty() {
                text.extend(std::iter::repeat_n(' ', line.indent - common));
                text.push_str(&unescape(line.text));
            }
        }
        let text = text.trim_matches('\n').trim_end().to_owned();
        if text.is_empty() {
            return Vec::new();
        }
        vec![Text { text, position: first.line.position(first.offset) }]
    }
}

fn field(
    line: Line<'_>,
    name: &str,
    known: bool,
    meant: Option<&'static str>,
    values: Vec<Text>,
) -> Field {
    Field { name: name.to_owned(), position: line.position(0), known, meant, values }
}

/// A part of a line that holds a value.
#[derive(Debug, Clone, Copy)]
struct Piece<'t> {
    line: Line<'t>,
    offset: usize,
}

impl<'t> Piece<'t> {
    fn new(line: Line<'t>, offset: usize) -> Self {
        Self { line, offset }
    }

    fn text(&self) -> &'t str {
        self.line.text.get(self.offset..).unwrap_or_default().trim()
    }

    /// All of it.
    fn whole(&self) -> Option<Text> {
        let text = self.text();
        let start = self.line.text.len() - self.line.text.get(self.offset..)?.trim_start().len();
        (!text.is_empty())
            .then(|| Text { text: unescape(text), position: self.line.position(start) })
    }

    /// The words in it; commas separate too. A `#` that begins a word begins a comment.
    fn words(&self, comments: bool) -> Vec<Text> {
        let mut words = Vec::new();
        let text = self.line.text;
        let mut start = None;
        let mut escaped = false;
        let mut end = |start: Option<usize>, at: usize| {
            if let Some(start) = start {
                let position = self.line.position(start);
                words.push(Text { text: unescape(&text[start..at]), position });
            }
        };
        for (at, c) in text.char_indices().skip_while(|(at, _)| *at < self.offset) {
            let is_blank = c.is_whitespace() || c == ',';
            if escaped {
                escaped = false;
            } else if is_blank {
                end(start.take(), at);
                continue;
            } else if c == '#' && start.is_none() && comments {
                return words;
            } else if c == '\\' {
                escaped = true;
            }
            start.get_or_insert(at);
        }
        end(start, text.len());
        words
    }

    /// The texts in it, with commas between.
    fn texts(&self) -> Vec<Text> {
        let mut texts = Vec::new();
        let mut at = self.offset;
        for part in self.line.text.get(self.offset..).unwrap_or_default().split(',') {
            let trimmed = part.trim();
            if !trimmed.is_empty() {
                let position = self.line.position(at + part.len() - part.trim_start().len());
                texts.push(Text { text: unescape(trimmed), position });
            }
            at += part.len() + 1;
        }
        texts
    }
}

/// Takes away the backslashes that make the next character an ordinary one.
fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => plain.extend(chars.next()),
            c => plain.push(c),
        }
    }
    plain
}

/// What follows a word at the start of a text, if it stands there.
fn after_word<'t>(text: &'t str, word: &str) -> Option<&'t str> {
    let rest = text.strip_prefix(word)?;
    let boundary = rest.chars().next().is_none_or(|c| c == ':' || c.is_whitespace());
    boundary.then_some(rest).filter(|_| !(word == "if" && rest.trim_start().starts_with(':')))
}

fn parse_test(line: Line<'_>, text: &str) -> Result<Test, BentoError> {
    let offset = line.text.len() - text.len();
    let wrong =
        || line.error_at(offset, "`os(NAME):`, `flag(NAME):`, `true:` or `false:` is expected");
    let text = text.trim().strip_suffix(':').ok_or_else(wrong)?.trim();
    let (negated, text) = match after_word(text, "not") {
        Some(rest) => (true, rest.trim()),
        None => (false, text),
    };
    match text {
        "true" => return Ok(Test::Constant(!negated)),
        "false" => return Ok(Test::Constant(negated)),
        _ => {}
    }
    let (function, rest) = text.split_once('(').ok_or_else(wrong)?;
    let name = rest.strip_suffix(')').map(str::trim).ok_or_else(wrong)?;
    if name.is_empty() || name.contains(['(', ')', ' ']) {
        return Err(wrong());
    }
    let name = name.to_owned();
    match function.trim() {
        "os" => Ok(Test::Os { name, negated }),
        "flag" => Ok(Test::Flag { name, negated }),
        _ => Err(wrong()),
    }
}

fn example(context: Context) -> &'static str {
    match context {
        Context::Top => "Name: spam",
        Context::Library => "Packages: spam",
        Context::Extension => "Sources: spam.c",
        Context::DataFiles => "Files: spam.txt",
        Context::Flag | Context::Path => "Default: true",
        Context::Executable => "Module: spam.main",
    }
}
