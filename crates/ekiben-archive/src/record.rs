//! RECORD: a wheel's own list of files, with their hashes and sizes (binary distribution format,
//! "The .dist-info directory").
//!
//! It is CSV as Python's `csv` module writes it with a line feed as terminator, because that is
//! what installers compare and rewrite. Python's installers also read it with that module, so the
//! parser here is as lenient as it is.

/// A row of RECORD.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordEntry {
    /// The path, which may be anything in somebody else's RECORD.
    pub path: String,
    /// `algorithm=digest`, or empty.
    pub hash: String,
    /// Length in bytes as text, or empty.
    pub size: String,
}

/// The text of RECORD with these rows, in this order.
pub fn write_record<'a>(entries: impl IntoIterator<Item = &'a RecordEntry>) -> String {
    let mut text = String::new();
    for entry in entries {
        push_field(&mut text, &entry.path);
        text.push(',');
        push_field(&mut text, &entry.hash);
        text.push(',');
        push_field(&mut text, &entry.size);
        text.push('\n');
    }
    text
}

/// Quotes only what must be quoted, as `csv.QUOTE_MINIMAL` does.
fn push_field(text: &mut String, field: &str) {
    if field.contains([',', '"', '\n', '\r']) {
        text.push('"');
        text.push_str(&field.replace('"', "\"\""));
        text.push('"');
    } else {
        text.push_str(field);
    }
}

/// The rows of a RECORD; the error is the number of a line (from 1) that hasn't three fields, and
/// what is wrong with it.
pub fn parse_record(text: &str) -> Result<Vec<RecordEntry>, (usize, String)> {
    let mut entries = Vec::new();
    for (line, fields) in rows(text) {
        match <[String; 3]>::try_from(fields) {
            Ok([path, hash, size]) => entries.push(RecordEntry { path, hash, size }),
            Err(fields) => {
                return Err((line, format!("it has {} fields instead of 3", fields.len())));
            }
        }
    }
    Ok(entries)
}

/// Each row that isn't empty with the number of the line it starts on.
fn rows(text: &str) -> Vec<(usize, Vec<String>)> {
    let mut rows = Vec::new();
    let mut fields = Vec::new();
    let mut field = String::new();
    let mut quoted = false;
    let (mut line, mut first_line) = (1, 1);
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        line += usize::from(character == '\n');
        match character {
            '"' if quoted && characters.peek() == Some(&'"') => {
                characters.next();
                field.push('"');
            }
            '"' if quoted || field.is_empty() => quoted = !quoted,
            ',' if !quoted => fields.push(std::mem::take(&mut field)),
            '\n' | '\r' if !quoted => {
                if !(fields.is_empty() && field.is_empty()) {
                    fields.push(std::mem::take(&mut field));
                    rows.push((first_line, std::mem::take(&mut fields)));
                }
                first_line = line;
            }
            other => field.push(other),
        }
    }
    if !(fields.is_empty() && field.is_empty()) {
        fields.push(field);
        rows.push((first_line, fields));
    }
    rows
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn row(path: &str) -> RecordEntry {
        RecordEntry { path: path.into(), hash: "sha256=x".into(), size: "3".into() }
    }

    #[test]
    fn quoting_is_that_of_python() {
        let rows = [row("a b.py"), row("a,b"), row("say \"hi\""), row("\"start"), row("ü")];
        insta::assert_snapshot!(write_record(&rows), @r#"
        a b.py,sha256=x,3
        "a,b",sha256=x,3
        "say ""hi""",sha256=x,3
        """start",sha256=x,3
        ü,sha256=x,3
        "#);
        assert_eq!(parse_record(&write_record(&rows)).unwrap(), rows);
    }

    #[test]
    fn other_line_ends_and_empty_lines_are_read() {
        let text = "a,sha256=x,3\r\n\r\n\"b\nc\",sha256=x,3\nd,sha256=x,3";
        assert_eq!(parse_record(text).unwrap(), [row("a"), row("b\nc"), row("d")]);
    }

    #[test]
    fn a_malformed_row_is_named_by_its_line() {
        assert_eq!(
            parse_record("a,,\n\"x\ny\",,\nb\n"),
            Err((4, "it has 1 fields instead of 3".into()))
        );
    }
}
