//! Cuts Python source into statements of tokens, as far as reading literals needs it.
//!
//! Strings and comments decide what is code, so they are scanned in full, f-strings with what is
//! nested in them too. Operators are single characters, but for those that hold a `=`.
//!
//! Invariants: tokens lie in the order of the text and don't overlap; a text that isn't Python is
//! an error or gives nonsense, and never a panic.

use std::ops::Range;

/// What a token is; its text is in the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Name,
    Number,
    String,
    /// `=` alone.
    Assign,
    /// Another operator or bracket.
    Operator,
}

#[derive(Debug, Clone)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) span: Range<usize>,
}

/// A simple statement, or the whole first line of a compound one.
#[derive(Debug, Clone)]
pub(super) struct Statement {
    pub(super) tokens: Vec<Token>,
    /// Whether it stands in a block: indented, or after the colon of `if x: …`.
    pub(super) is_nested: bool,
}

/// Where the text stops being Python, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ScanError {
    pub(super) message: &'static str,
    pub(super) at: usize,
}

/// The words that begin a compound statement. `match` and `case` have nothing after their colon.
const COMPOUND: &[&str] = &[
    "if", "elif", "else", "for", "while", "with", "try", "except", "finally", "def", "class",
    "async",
];

/// f-strings nest; deeper than this nobody writes, and the stack ends somewhere.
const MAX_NESTING: usize = 60;

pub(super) fn statements(text: &str) -> Result<Vec<Statement>, ScanError> {
    let start = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let mut scanner = Scanner { text, at: start, statements: Vec::new() };
    while scanner.at < text.len() {
        scanner.logical_line()?;
    }
    Ok(scanner.statements)
}

struct Scanner<'t> {
    text: &'t str,
    at: usize,
    statements: Vec<Statement>,
}

impl Scanner<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn skip(&mut self) {
        self.at += self.peek().map_or(0, char::len_utf8);
    }

    fn skip_while(&mut self, good: impl Fn(char) -> bool) {
        self.at += self.rest().find(|c| !good(c)).unwrap_or(self.rest().len());
    }

    fn newline(&mut self) {
        self.at += if self.rest().starts_with("\r\n") { 2 } else { 1 };
    }

    fn fail<T>(&self, message: &'static str, at: usize) -> Result<T, ScanError> {
        Err(ScanError { message, at })
    }

    fn logical_line(&mut self) -> Result<(), ScanError> {
        let line = self.at;
        self.skip_while(is_blank);
        let indented = self.text[line..self.at].contains([' ', '\t']);
        let mut tokens: Vec<Token> = Vec::new();
        let mut depth = 0usize;
        let mut compound = false;
        while let Some(c) = self.peek() {
            let start = self.at;
            let kind = match c {
                '\n' | '\r' => {
                    self.newline();
                    if depth == 0 {
                        break;
                    }
                    continue;
                }
                '#' => {
                    self.skip_while(|c| c != '\n' && c != '\r');
                    continue;
                }
                '\\' => {
                    self.skip();
                    match self.peek() {
                        Some('\n' | '\r') => self.newline(),
                        None => {}
                        Some(_) => return self.fail("a backslash must end its line", start),
                    }
                    continue;
                }
                ';' if depth == 0 => {
                    self.skip();
                    self.finish(&mut tokens, indented || compound);
                    continue;
                }
                c if is_blank(c) => {
                    self.skip();
                    continue;
                }
                '"' | '\'' => {
                    self.string("", 0)?;
                    Kind::String
                }
                c if c.is_ascii_digit() => {
                    self.number();
                    Kind::Number
                }
                '.' if self.rest()[1..].starts_with(|c: char| c.is_ascii_digit()) => {
                    self.number();
                    Kind::Number
                }
                c if is_in_name(c) => {
                    self.skip_while(is_in_name);
                    let word = &self.text[start..self.at];
                    if is_string_prefix(word) && self.rest().starts_with(['"', '\'']) {
                        let prefix = word.to_ascii_lowercase();
                        self.string(&prefix, 0)?;
                        Kind::String
                    } else {
                        compound |= tokens.is_empty() && COMPOUND.contains(&word);
                        Kind::Name
                    }
                }
                _ => self.operator(c, &mut depth),
            };
            tokens.push(Token { kind, span: start..self.at });
        }
        if depth > 0 {
            let open = tokens.first().map_or(line, |token| token.span.start);
            return self.fail("a bracket isn't closed", open);
        }
        self.finish(&mut tokens, indented || compound);
        Ok(())
    }

    fn finish(&mut self, tokens: &mut Vec<Token>, is_nested: bool) {
        if !tokens.is_empty() {
            self.statements.push(Statement { tokens: std::mem::take(tokens), is_nested });
        }
    }

    fn operator(&mut self, c: char, depth: &mut usize) -> Kind {
        self.skip();
        match c {
            '(' | '[' | '{' => *depth += 1,
            ')' | ']' | '}' => *depth = depth.saturating_sub(1),
            '=' if self.peek() != Some('=') => return Kind::Assign,
            '=' => self.skip(),
            // `a //= 1`, `a **= 1`, `a <<= 1`, `a >>= 1`.
            '/' | '*' | '<' | '>' => {
                if self.peek() == Some(c) {
                    self.skip();
                }
                if self.peek() == Some('=') {
                    self.skip();
                }
            }
            '+' | '-' | '%' | '&' | '|' | '^' | '@' | '!' | ':' if self.peek() == Some('=') => {
                self.skip();
            }
            _ => {}
        }
        Kind::Operator
    }

    fn number(&mut self) {
        let start = self.at;
        loop {
            self.skip_while(|c| c == '.' || c == '_' || c.is_ascii_alphanumeric());
            let so_far = &self.text[start..self.at];
            let is_exponent = so_far.ends_with(['e', 'E'])
                && !so_far.starts_with("0x")
                && !so_far.starts_with("0X")
                && self.rest().starts_with(['+', '-']);
            if !is_exponent {
                return;
            }
            self.skip();
        }
    }

    /// A string from its quotes on.
    fn string(&mut self, prefix: &str, nesting: usize) -> Result<(), ScanError> {
        let start = self.at;
        let quote = &self.text[start..start + 1];
        let triple = quote.repeat(3);
        let quote = if self.rest().starts_with(&triple) { triple } else { quote.to_owned() };
        self.at += quote.len();
        let end = End::Quote(start);
        self.string_text(end, &quote, prefix.contains(['f', 't']), nesting)?;
        self.at += quote.len();
        Ok(())
    }

    /// The text of a string up to its end, which is left to the caller.
    fn string_text(
        &mut self,
        end: End,
        quote: &str,
        is_formatted: bool,
        nesting: usize,
    ) -> Result<(), ScanError> {
        loop {
            if self.rest().starts_with(quote) {
                // In a replacement field's format, the quote ends the string; then the field is
                // open, which is another's error.
                return Ok(());
            }
            match self.peek() {
                None => return self.fail("a string isn't closed", end.start(self.at)),
                Some('\n' | '\r') if quote.len() == 1 => {
                    return self.fail("a string isn't closed", end.start(self.at));
                }
                Some('\\') => {
                    self.skip();
                    // Before a brace of an f-string it is an ordinary character.
                    let is_alone = is_formatted && self.rest().starts_with(['{', '}']);
                    if self.rest().starts_with("\r\n") {
                        self.newline();
                    } else if !is_alone {
                        self.skip();
                    }
                }
                Some('{') if is_formatted && matches!(end, End::Quote(..)) && self.doubled('{') => {
                    self.at += 2;
                }
                Some('{') if is_formatted => self.field(quote, nesting + 1)?,
                Some('}') if matches!(end, End::Brace) => return Ok(()),
                Some(_) => self.skip(),
            }
        }
    }

    fn doubled(&self, c: char) -> bool {
        self.rest().starts_with(c) && self.rest()[c.len_utf8()..].starts_with(c)
    }

    /// A replacement field of an f-string, with both braces.
    fn field(&mut self, quote: &str, nesting: usize) -> Result<(), ScanError> {
        let start = self.at;
        if nesting > MAX_NESTING {
            return self.fail("strings are nested too deeply", start);
        }
        self.skip();
        let mut depth = 0usize;
        loop {
            let word = self.at;
            match self.peek() {
                None => return self.fail("a `{` isn't closed", start),
                Some('}') if depth == 0 => {
                    self.skip();
                    return Ok(());
                }
                Some(':') if depth == 0 => {
                    self.skip();
                    self.string_text(End::Brace, quote, true, nesting)?;
                    if self.peek() != Some('}') {
                        return self.fail("a `{` isn't closed", start);
                    }
                }
                Some('(' | '[' | '{') => {
                    depth += 1;
                    self.skip();
                }
                Some(')' | ']' | '}') => {
                    depth = depth.saturating_sub(1);
                    self.skip();
                }
                Some('"' | '\'') => {
                    self.string("", nesting + 1)?;
                }
                Some('#') => self.skip_while(|c| c != '\n' && c != '\r'),
                Some(c) if is_in_name(c) => {
                    self.skip_while(is_in_name);
                    let word = &self.text[word..self.at];
                    if is_string_prefix(word) && self.rest().starts_with(['"', '\'']) {
                        let prefix = word.to_ascii_lowercase();
                        self.string(&prefix, nesting + 1)?;
                    }
                }
                Some('!') if self.rest().starts_with("!=") => self.at += 2,
                Some(_) => self.skip(),
            }
        }
    }
}

/// What ends a string's text.
#[derive(Clone, Copy)]
enum End {
    /// The quotes; where they were opened.
    Quote(usize),
    /// The brace that ends a replacement field, in whose format the text is.
    Brace,
}

impl End {
    fn start(self, otherwise: usize) -> usize {
        if let Self::Quote(start) = self { start } else { otherwise }
    }
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\u{c}')
}

fn is_in_name(c: char) -> bool {
    c == '_' || c.is_ascii_alphanumeric() || !c.is_ascii()
}

fn is_string_prefix(word: &str) -> bool {
    let lower = word.to_ascii_lowercase();
    matches!(lower.as_str(), "r" | "u" | "b" | "f" | "t" | "br" | "rb" | "fr" | "rf" | "tr" | "rt")
}
