//! What a Python file says about itself, read without running it: a literal assigned at the top
//! level, and the module's docstring.
//!
//! Importing a module to ask for its version would run it before what it needs is built. A parser
//! of the whole language (there are good ones) would weigh more than all of this crate, so only
//! statements are told apart ([`scan`]) and literals understood ([`literal`]). The tests compare
//! both with CPython's `ast` over its standard library.

mod literal;
mod scan;

use std::ops::Range;

use literal::Value;
use scan::{Kind, Statement, Token};

/// Why there is no value, and the bytes at fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unreadable {
    pub(super) message: String,
    pub(super) span: Range<usize>,
    pub(super) help: String,
}

/// The text that a name is assigned at the top level of a module: a string, a number, or a tuple
/// of these joined with dots. With it, where it stands.
pub(super) fn assigned_text(text: &str, name: &str) -> Result<(String, Range<usize>), Unreadable> {
    let statements = statements(text)?;
    let mut found = None;
    let mut nested = None;
    for statement in &statements {
        let Some(at) = target(text, statement, name) else { continue };
        if statement.is_nested {
            nested = nested.or(Some(at));
            continue;
        }
        let value = values_of(text, statement).into_iter().find(|(to, _)| *to == name);
        found = Some((at, value.and_then(|(_, value)| value)));
    }
    let Some((at, value)) = found else {
        return Err(missing(text, &statements, name, nested));
    };
    let span = at.span.clone();
    match value.as_ref().and_then(Value::dotted) {
        Some(value) => Ok((value, span)),
        None => Err(Unreadable {
            message: format!("`{name}` isn't assigned a literal here"),
            span,
            help: "assign a string such as `\"1.2.0\"`, or a tuple such as `(1, 2, 0)`; it is read without running the module".to_owned(),
        }),
    }
}

/// The module's docstring, as it stands in the file.
pub(super) fn docstring(text: &str) -> Result<Option<String>, Unreadable> {
    let statements = statements(text)?;
    let Some(first) = statements.first().filter(|first| !first.is_nested) else { return Ok(None) };
    match literal::value(text, &first.tokens) {
        Some(Value::Text(text)) => Ok(Some(text)),
        _ => Ok(None),
    }
}

fn statements(text: &str) -> Result<Vec<Statement>, Unreadable> {
    scan::statements(text).map_err(|error| {
        let end = text[error.at..].find('\n').map_or(text.len(), |at| error.at + at);
        Unreadable {
            message: format!("this isn't Python: {}", error.message),
            span: error.at..end,
            help: "mend the file: `python -m py_compile` says more".to_owned(),
        }
    })
}

/// The name where a statement assigns it, in whatever way.
fn target<'t>(text: &str, statement: &'t Statement, name: &str) -> Option<&'t Token> {
    let tokens = &statement.tokens;
    let is_name = |token: &&Token| token.kind == Kind::Name && &text[token.span.clone()] == name;
    let (first, rest) = tokens.split_first()?;
    // `name += …`, `name: str`.
    if is_name(&first) {
        let next = rest.first()?;
        let operator = &text[next.span.clone()];
        let declares = operator == ":" && !rest.iter().any(|token| token.kind == Kind::Assign);
        let changes = next.kind == Kind::Assign
            || operator == ":"
            || (operator.ends_with('=') && !matches!(operator, "==" | "!=" | "<=" | ">=" | ":="));
        if changes {
            return (!declares).then_some(first);
        }
    }
    // `a = name = …`, `(a, name) = …`: whatever stands before the last `=` outside brackets.
    let last = top_level(text, tokens).filter(|(_, t)| t.kind == Kind::Assign).last()?.0;
    let before = &tokens[..last];
    let at = before.iter().position(|token| is_name(&token))?;
    let follows = tokens.get(at + 1).map(|token| &text[token.span.clone()]);
    let attribute = at > 0 && &text[tokens[at - 1].span.clone()] == ".";
    // `x[name] = …` and `name.x = …` and `f(name).x = …` assign something else.
    let plain = matches!(follows, Some("=" | "," | ")" | "]"));
    let subscript = before.iter().any(|token| matches!(&text[token.span.clone()], "." | ":"))
        || before.windows(2).any(|pair| {
            pair[0].kind == Kind::Name && matches!(&text[pair[1].span.clone()], "[" | "(")
        });
    (plain && !attribute && !subscript).then(|| &tokens[at])
}

/// The tokens outside brackets, with their places in the list.
fn top_level<'t>(
    text: &'t str,
    tokens: &'t [Token],
) -> impl Iterator<Item = (usize, &'t Token)> + 't {
    let mut depth = 0usize;
    tokens.iter().enumerate().filter(move |(_, token)| {
        if token.kind != Kind::Operator {
            return depth == 0;
        }
        match &text[token.span.clone()] {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth = depth.saturating_sub(1),
            _ => return depth == 0,
        }
        false
    })
}

/// What a statement assigns to plain names: `a = 1`, `a = b = 1`, `a: int = 1`. A value that isn't
/// a literal is `None`.
fn values_of<'t>(text: &'t str, statement: &Statement) -> Vec<(&'t str, Option<Value>)> {
    let tokens = &statement.tokens;
    let assigns: Vec<usize> = top_level(text, tokens)
        .filter(|(_, token)| token.kind == Kind::Assign)
        .map(|(at, _)| at)
        .collect();
    let Some(last) = assigns.last() else { return Vec::new() };
    let value = literal::value(text, &tokens[last + 1..]);
    let annotated =
        tokens.get(1).is_some_and(|token| &text[token.span.clone()] == ":") && assigns.len() == 1;
    if annotated && tokens[0].kind == Kind::Name {
        return vec![(&text[tokens[0].span.clone()], value)];
    }
    let mut targets = Vec::new();
    let mut start = 0;
    for &end in &assigns {
        if let [token] = &tokens[start..end]
            && token.kind == Kind::Name
        {
            targets.push((&text[token.span.clone()], value.clone()));
        }
        start = end + 1;
    }
    targets
}

fn missing(text: &str, statements: &[Statement], name: &str, nested: Option<&Token>) -> Unreadable {
    let word = |token: &Token| &text[token.span.clone()];
    if let Some(token) = nested {
        return Unreadable {
            message: format!("`{name}` is assigned in a block, so its value depends on what runs"),
            span: token.span.clone(),
            help: "assign a literal at the top level of the module".to_owned(),
        };
    }
    let imports = |statement: &&Statement| {
        statement.tokens.first().is_some_and(|token| matches!(word(token), "from" | "import"))
            && statement.tokens.last().is_some_and(|token| word(token) == name)
            || (statement.tokens.first().is_some_and(|token| word(token) == "from")
                && statement.tokens.iter().skip(3).any(|token| word(token) == name))
    };
    if let Some(statement) = statements.iter().find(imports)
        && let (Some(first), Some(last)) = (statement.tokens.first(), statement.tokens.last())
    {
        let from = statement.tokens.iter().skip(1).take_while(|token| word(token) != "import");
        let module: String = from.map(word).collect();
        return Unreadable {
            message: format!("`{name}` is imported here, not assigned"),
            span: first.span.start..last.span.end,
            help: format!("name the place where it is assigned: the module `{module}`"),
        };
    }
    Unreadable {
        message: format!("the module doesn't assign `{name}`"),
        span: 0..text.lines().next().unwrap_or_default().len(),
        help: format!("add `{name} = \"0.1.0\"` to it"),
    }
}

#[cfg(test)]
mod tests;
