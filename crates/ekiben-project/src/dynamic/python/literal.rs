//! Literals of Python: strings, whole numbers, and tuples and lists of them.

use super::scan::{Kind, Token};

/// A literal's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Text(String),
    Integer(u64),
    Tuple(Vec<Value>),
    List(Vec<Value>),
}

impl Value {
    /// The text of a string; numbers and strings of a tuple joined with dots.
    pub(super) fn dotted(&self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text.clone()),
            Self::Integer(_) => None,
            Self::Tuple(parts) | Self::List(parts) => {
                let part = |part: &Self| match part {
                    Self::Text(text) => Some(text.clone()),
                    Self::Integer(number) => Some(number.to_string()),
                    Self::Tuple(_) | Self::List(_) => None,
                };
                let parts: Option<Vec<String>> = parts.iter().map(part).collect();
                parts.filter(|parts| !parts.is_empty()).map(|parts| parts.join("."))
            }
        }
    }
}

/// Brackets nest; a version has a level or two.
const MAX_NESTING: usize = 20;

/// The value, if the tokens are a literal and nothing else.
pub(super) fn value(text: &str, tokens: &[Token]) -> Option<Value> {
    let mut reader = Reader { text, tokens };
    let value = reader.list_until(None, MAX_NESTING)?;
    reader.tokens.is_empty().then_some(value)
}

struct Reader<'t> {
    text: &'t str,
    tokens: &'t [Token],
}

impl Reader<'_> {
    fn peek(&self) -> Option<&str> {
        self.tokens.first().map(|token| &self.text[token.span.clone()])
    }

    fn skip_if(&mut self, operator: &str) -> bool {
        let is_there = self.peek() == Some(operator)
            && self.tokens.first().is_some_and(|token| token.kind == Kind::Operator);
        if is_there {
            self.tokens = &self.tokens[1..];
        }
        is_there
    }

    fn at_end(&self, close: Option<&str>) -> bool {
        self.peek() == close
    }

    /// One value, or several with commas between, which are a tuple.
    fn list_until(&mut self, close: Option<&str>, nesting: usize) -> Option<Value> {
        let first = self.one(nesting)?;
        if !self.skip_if(",") {
            return Some(first);
        }
        let mut all = vec![first];
        while !self.at_end(close) {
            all.push(self.one(nesting)?);
            if !self.skip_if(",") {
                break;
            }
        }
        Some(Value::Tuple(all))
    }

    fn one(&mut self, nesting: usize) -> Option<Value> {
        let nesting = nesting.checked_sub(1)?;
        if self.skip_if("(") {
            if self.skip_if(")") {
                return Some(Value::Tuple(Vec::new()));
            }
            let value = self.list_until(Some(")"), nesting)?;
            return self.skip_if(")").then_some(value);
        }
        if self.skip_if("[") {
            if self.skip_if("]") {
                return Some(Value::List(Vec::new()));
            }
            let mut all = vec![self.one(nesting)?];
            while self.skip_if(",") && !self.at_end(Some("]")) {
                all.push(self.one(nesting)?);
            }
            return self.skip_if("]").then_some(Value::List(all));
        }
        let (token, rest) = self.tokens.split_first()?;
        match token.kind {
            Kind::Number => {
                self.tokens = rest;
                integer(&self.text[token.span.clone()]).map(Value::Integer)
            }
            Kind::String => {
                let mut joined = String::new();
                while let Some((token, rest)) = self.tokens.split_first()
                    && token.kind == Kind::String
                {
                    joined.push_str(&string(&self.text[token.span.clone()])?);
                    self.tokens = rest;
                }
                Some(Value::Text(joined))
            }
            Kind::Name | Kind::Assign | Kind::Operator => None,
        }
    }
}

fn integer(text: &str) -> Option<u64> {
    let digits = text.replace('_', "");
    let is_octal_of_python_2 = digits.len() > 1 && digits.starts_with('0');
    if is_octal_of_python_2 && digits.bytes().any(|b| b != b'0') {
        return None;
    }
    digits.parse().ok()
}

/// The value of one string literal, with its prefix and quotes. `None` for bytes and f-strings,
/// and for the few escapes that stand for no text of their own.
fn string(literal: &str) -> Option<String> {
    let quotes = literal.find(['"', '\''])?;
    let (prefix, rest) = literal.split_at(quotes);
    let prefix = prefix.to_ascii_lowercase();
    if prefix.contains(['b', 'f', 't']) {
        return None;
    }
    let long = rest.len() >= 6 && (rest.starts_with("\"\"\"") || rest.starts_with("'''"));
    let width = if long { 3 } else { 1 };
    let body = rest.get(width..rest.len().checked_sub(width)?)?;
    // Python reads every line end as `\n`.
    let body = body.replace("\r\n", "\n").replace('\r', "\n");
    if prefix.contains('r') { Some(body) } else { unescape(&body) }
}

fn unescape(body: &str) -> Option<String> {
    let mut text = String::with_capacity(body.len());
    let mut rest = body;
    while let Some(at) = rest.find('\\') {
        text.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let c = rest.chars().next()?;
        rest = &rest[c.len_utf8()..];
        let mut number = |digits: usize| {
            let code = rest.get(..digits).filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()))?;
            rest = &rest[digits..];
            char::from_u32(u32::from_str_radix(code, 16).ok()?)
        };
        let character = match c {
            '\n' => continue,
            '\\' | '\'' | '"' => c,
            'a' => '\u{7}',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\u{b}',
            'x' => number(2)?,
            'u' => number(4)?,
            'U' => number(8)?,
            // A character by its name in Unicode.
            'N' => return None,
            '0'..='7' => {
                let more = rest.bytes().take(2).take_while(|b| (b'0'..=b'7').contains(b)).count();
                let code = format!("{c}{}", &rest[..more]);
                rest = &rest[more..];
                char::from_u32(u32::from_str_radix(&code, 8).ok()?)?
            }
            other => {
                text.push('\\');
                other
            }
        };
        text.push(character);
    }
    text.push_str(rest);
    Some(text)
}
