//! Core metadata of somebody else's distribution, as far as its headers go.

/// The values of a header of METADATA, in order. Headers end at the first empty line; what follows is the
/// description.
pub fn headers<'a>(metadata: &'a str, name: &'a str) -> impl Iterator<Item = &'a str> {
    let lines = metadata.lines().take_while(|line| !line.is_empty());
    lines.filter_map(move |line| Some(line.strip_prefix(name)?.strip_prefix(':')?.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_end_where_the_description_begins() {
        let text = "Name: spam\nRequires-Dist: a\nRequires-Dist:b \nNames: x\n\nName: ham\n";
        assert_eq!(headers(text, "Name").collect::<Vec<_>>(), ["spam"]);
        assert_eq!(headers(text, "Requires-Dist").collect::<Vec<_>>(), ["a", "b"]);
    }
}
