//! Notes as comments, at the key they are about or at its table.

use toml_edit::{DocumentMut, Item, Table};

use crate::model::{Note, NoteKind, Place};

/// The width of a comment's lines.
const WIDTH: usize = 96;

pub(super) struct Comments<'n> {
    notes: &'n [Note],
}

impl<'n> Comments<'n> {
    pub(super) fn new(notes: &'n [Note]) -> Self {
        Self { notes }
    }

    /// The comment lines for all notes that `wanted` takes.
    pub(super) fn lines(&self, wanted: impl Fn(Place) -> bool) -> String {
        let mut text = String::new();
        for note in self.notes {
            if note.kind != NoteKind::Dropped && wanted(note.place) {
                text.push_str(&wrapped(note));
            }
        }
        text
    }
}

fn wrapped(note: &Note) -> String {
    let mut text = String::new();
    let mut line = format!("# {}:", note.kind.word());
    for word in note.text.split(' ') {
        if line.chars().count() + 1 + word.chars().count() > WIDTH && line.len() > 5 {
            text.push_str(&line);
            text.push('\n');
            "#  ".clone_into(&mut line);
        }
        line.push(' ');
        line.push_str(word);
    }
    text.push_str(&line);
    text.push('\n');
    text
}

/// Puts comments before a key, after what stands there already.
pub(super) fn before_key(table: &mut Table, key: &str, comment: &str) {
    if comment.is_empty() {
        return;
    }
    if let Some(mut key) = table.key_mut(key) {
        let decor = key.leaf_decor_mut();
        let prefix = decor.prefix().and_then(|prefix| prefix.as_str()).unwrap_or_default();
        let prefix = format!("{prefix}{comment}");
        decor.set_prefix(prefix);
    }
}

/// Puts comments before a table's header, with an empty line before them if the table is new.
pub(super) fn before_table(table: &mut Table, comment: &str) {
    let decor = table.decor_mut();
    let prefix = match decor.prefix().and_then(|prefix| prefix.as_str()) {
        Some(prefix) => format!("{prefix}{comment}"),
        None => format!("\n{comment}"),
    };
    decor.set_prefix(prefix);
}

pub(super) fn attach_to_build_system(document: &mut DocumentMut, comments: &Comments<'_>) {
    let text = comments.lines(|place| place == Place::Build);
    if let Some(table) = document.get_mut("build-system").and_then(Item::as_table_mut) {
        before_table(table, &text);
    }
}
