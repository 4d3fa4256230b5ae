//! The comments in a part of a TOML document that is about to go.

use toml_edit::{Decor, Item, Key, RawString, Table, Value};

/// All comments of an item, in its order, without their `#`.
pub(super) fn comments(item: &Item) -> Vec<String> {
    let mut all = Vec::new();
    of_item(item, &mut all);
    all
}

fn of_item(item: &Item, all: &mut Vec<String>) {
    match item {
        Item::None => {}
        Item::Value(value) => of_value(value, all),
        Item::Table(table) => of_table(table, all),
        Item::ArrayOfTables(tables) => tables.iter().for_each(|table| of_table(table, all)),
    }
}

fn of_table(table: &Table, all: &mut Vec<String>) {
    of_decor(table.decor(), all);
    for (name, item) in table {
        of_key(table.key(name), all);
        of_item(item, all);
    }
}

fn of_value(value: &Value, all: &mut Vec<String>) {
    of_raw(value.decor().prefix(), all);
    match value {
        Value::Array(array) => {
            array.iter().for_each(|value| of_value(value, all));
            of_raw(Some(array.trailing()), all);
        }
        Value::InlineTable(table) => {
            for (name, value) in table {
                of_key(table.key(name), all);
                of_value(value, all);
            }
        }
        _ => {}
    }
    of_raw(value.decor().suffix(), all);
}

fn of_key(key: Option<&Key>, all: &mut Vec<String>) {
    if let Some(key) = key {
        of_decor(key.leaf_decor(), all);
    }
}

fn of_decor(decor: &Decor, all: &mut Vec<String>) {
    of_raw(decor.prefix(), all);
    of_raw(decor.suffix(), all);
}

/// What surrounds keys and values is blanks and comments, nothing else.
fn of_raw(raw: Option<&RawString>, all: &mut Vec<String>) {
    let lines = raw.and_then(RawString::as_str).unwrap_or_default().lines();
    let comments = lines.filter_map(|line| line.split_once('#'));
    all.extend(comments.map(|(_, text)| text.trim().to_owned()).filter(|text| !text.is_empty()));
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use toml_edit::DocumentMut;

    use super::*;

    #[test]
    fn comments_are_found_wherever_they_may_stand() {
        let text = "\
[tool]
# before
[tool.spam] # beside
# above
key = 1 # after
list = [
    1, # in
    \"# no comment\",
    # last
]
# below
[[tool.spam.more]]
x = { y = 1 } # deep
";
        // Text is in a document only after it was told so; before, it is spans.
        let document: DocumentMut = text.parse().unwrap();
        let found = comments(&document["tool"]["spam"]);
        let expected = ["before", "beside", "above", "after", "in", "last", "below", "deep"];
        assert_eq!(found, expected);
    }
}
