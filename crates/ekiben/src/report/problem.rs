//! Problems for people: what is wrong, the line at fault, and what to do.

use std::io::Write as _;
use std::ops::Range;
use std::path::Path;

use annotate_snippets::{AnnotationKind, Level, Origin, Renderer, Snippet};
use ekiben_core::{Place, Problem, Problems, Severity};

use super::short;

/// Colours are always there; the stream takes them away where they aren't wanted.
const RENDERER: Renderer = Renderer::styled();

/// Shows problems on stderr, and how many errors there are if there are several.
pub(crate) fn show(problems: &Problems, project: &Path) {
    let mut text: String = problems.0.iter().map(|problem| render(problem, project)).collect();
    let errors = problems.0.iter().filter(|problem| problem.severity == Severity::Error).count();
    if errors > 1 {
        text.push_str(&count(errors));
    }
    // Nobody is left to hear of an error on stderr.
    let _ = anstream::stderr().lock().write_all(text.as_bytes());
}

/// The line after several errors.
pub(super) fn count(errors: usize) -> String {
    format!("{errors} errors\n")
}

/// A problem with the place in its file, which is relative to `project`, and its help.
pub(super) fn render(problem: &Problem, project: &Path) -> String {
    let level = match problem.severity {
        Severity::Note => Level::NOTE,
        Severity::Warning => Level::WARNING,
        Severity::Error => Level::ERROR,
    };
    let title = level.primary_title(problem.message.as_str()).id(problem.code.as_str());
    let path = problem.at.as_ref().map(|at| project.join(&at.file));
    let shown = path.map(|path| short(&path).display().to_string());
    let text =
        problem.at.as_ref().and_then(|at| std::fs::read_to_string(project.join(&at.file)).ok());
    let mut group = annotate_snippets::Group::with_title(title);
    if let Some((at, shown)) = problem.at.as_ref().zip(shown) {
        let span = text.as_deref().and_then(|text| span(at, text));
        group = match (&text, span) {
            (Some(text), Some(span)) => group.element(
                Snippet::source(text.as_str())
                    .path(shown)
                    .annotation(AnnotationKind::Primary.span(span)),
            ),
            _ => group.element(Origin::path(shown).line(at.line).char_column(at.column)),
        };
    }
    // Without a place, these are all that says where.
    match (&problem.at, &problem.key, &problem.source) {
        (None, Some(key), Some(source)) => {
            group = group.element(Level::NOTE.message(format!("in `{key}` of {source}")));
        }
        (None, Some(key), None) => {
            group = group.element(Level::NOTE.message(format!("in `{key}`")));
        }
        (_, _, Some(source)) => {
            group = group.element(Level::NOTE.message(format!("says {source}")));
        }
        (_, _, None) => {}
    }
    for help in &problem.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    let mut text = RENDERER.render(&[group]);
    text.push('\n');
    text
}

/// The bytes at fault, which must lie in the text; without any, the rest of the line.
fn span(at: &Place, text: &str) -> Option<Range<usize>> {
    if let Some(span) = &at.span {
        return text.get(span.clone()).map(|_| span.clone());
    }
    let lines = || text.split_inclusive('\n');
    let line = lines().nth(at.line.checked_sub(1)?)?;
    let start: usize = lines().take(at.line - 1).map(str::len).sum();
    let column = line.char_indices().nth(at.column.saturating_sub(1)).map_or(0, |(at, _)| at);
    let end = line.trim_end().len().max(column);
    Some(start + column..start + end)
}

/// A problem in a line, for the log.
pub(super) fn one_line(problem: &Problem) -> String {
    let severity = match problem.severity {
        Severity::Note => "note",
        Severity::Warning => "warning",
        Severity::Error => "error",
    };
    let place = problem.at.as_ref().map(|at| format!("{}:{}:{}: ", at.file, at.line, at.column));
    let help: String = problem.help.iter().map(|help| format!(" ({help})")).collect();
    let place = place.or_else(|| problem.source.as_ref().map(|source| format!("{source}: ")));
    let place = place.unwrap_or_default();
    format!("{place}{severity}[{}]: {}{help}", problem.code, problem.message)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_place_without_span_is_the_rest_of_its_line() {
        let text = "a = 1\n  bü = 2\n";
        let place = |line, column| Place { file: String::new(), line, column, span: None };
        let found = span(&place(2, 3), text).unwrap();
        assert_eq!(&text[found], "bü = 2");
        assert_eq!(span(&place(9, 1), text), None);
        let outside = Place { span: Some(3..999), ..place(1, 1) };
        assert_eq!(span(&outside, text), None);
    }
}
