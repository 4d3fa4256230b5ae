//! [`Passing`]: what is kept of a search names no place of a folder that is made for one program, and goes
//! with it.

use std::borrow::Cow;
use std::path::Path;

/// Stands for the place: JSON has this byte nowhere.
const OPEN: u8 = 0;

/// The place of such a folder, if there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Passing {
    /// As JSON has it within quotes.
    folder: Option<Vec<u8>>,
}

impl Passing {
    pub(crate) fn new(folder: Option<&Path>) -> Self {
        let quoted = folder.and_then(|folder| serde_json::to_vec(folder).ok());
        let inner = |quoted: Vec<u8>| Some(quoted.get(1..quoted.len().checked_sub(1)?)?.to_vec());
        Self { folder: quoted.and_then(inner) }
    }

    /// The JSON with the place left open.
    pub(crate) fn leave_open<'a>(&self, json: &'a [u8]) -> Cow<'a, [u8]> {
        let Some(folder) = &self.folder else { return Cow::Borrowed(json) };
        let mut open = Vec::with_capacity(json.len());
        let mut rest = json;
        while let Some(at) = memchr::memmem::find(rest, folder) {
            let after = &rest[at + folder.len()..];
            open.extend_from_slice(&rest[..at]);
            match after.first() {
                Some(b'/' | b'"') => open.push(OPEN),
                // Another folder, whose name begins with the name of this one.
                _ => open.extend_from_slice(folder),
            }
            rest = after;
        }
        open.extend_from_slice(rest);
        Cow::Owned(open)
    }

    /// What was left open, with the place of today.
    pub(crate) fn fill<'a>(&self, open: &'a [u8]) -> Cow<'a, [u8]> {
        let Some(folder) = &self.folder else { return Cow::Borrowed(open) };
        let parts: Vec<&[u8]> = open.split(|byte| *byte == OPEN).collect();
        Cow::Owned(parts.join(folder.as_slice()))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn only_the_place_of_the_folder_is_left_open() {
        let json = |place: &str| {
            let paths = [place, &format!("{place}/a\"b.py"), &format!("{place}er"), "/c\0d"];
            serde_json::to_vec(&paths).unwrap()
        };
        let (one, other) = (Path::new("/tmp/\"one"), Path::new("/x/other"));
        let open = Passing::new(Some(one)).leave_open(&json("/tmp/\"one")).into_owned();
        let filled = Passing::new(Some(other)).fill(&open).into_owned();
        let paths: Vec<String> = serde_json::from_slice(&filled).unwrap();
        assert_eq!(paths, ["/x/other", "/x/other/a\"b.py", "/tmp/\"oneer", "/c\0d"]);
        let none = Passing::new(None);
        assert_eq!(none.fill(&none.leave_open(&json("/y"))), json("/y"));
    }
}
