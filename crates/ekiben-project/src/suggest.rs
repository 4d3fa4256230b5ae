//! "Did you mean": the nearest of the words that would have been right.

/// What other tools call things, and what we do.
const ALIASES: &[(&str, &str)] = &[
    ("cflags", "compile-args"),
    ("cpp", "c++"),
    ("cxx", "c++"),
    ("define-macros", "define"),
    ("ldflags", "link-args"),
    ("libs", "libraries"),
    ("macros", "define"),
    ("py-modules", "modules"),
];

/// A sentence to go on with, after a colon.
pub(crate) fn uncapitalised(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_ascii_lowercase());
    first.into_iter().chain(chars).collect()
}

/// The candidate nearest to `wrong`, if one is near enough to be what was meant.
pub(crate) fn nearest<'a>(
    wrong: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let plain = |word: &str| word.to_lowercase().replace(['_', ' '], "-");
    // A slip of a key is short; comparing takes time with the square of the length.
    if wrong.len() > 200 {
        return None;
    }
    let wrong = plain(wrong);
    let alias = ALIASES.iter().find(|(other, _)| *other == wrong).map(|(_, ours)| *ours);
    candidates
        .into_iter()
        .map(|candidate| {
            let other = plain(candidate);
            let mut score = strsim::jaro_winkler(&wrong, &other);
            // A plural, a cut-off word or a word more is a likelier slip than Jaro-Winkler knows.
            let longer = other.len() > 3 && wrong.contains(&other);
            if longer || (wrong.len() > 3 && other.starts_with(&wrong)) {
                score = score.max(0.9);
            }
            if alias == Some(candidate) {
                score = 1.0;
            }
            (score, candidate)
        })
        .filter(|(score, _)| *score > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

/// The help lines for an unknown word: the nearest one, or all of them when none is near.
pub(crate) fn did_you_mean(wrong: &str, candidates: &[&str]) -> Option<String> {
    if let Some(near) = nearest(wrong, candidates.iter().copied()) {
        return Some(format!("did you mean `{near}`?"));
    }
    (!candidates.is_empty()).then(|| format!("known here: {}", listed(candidates.iter().copied())))
}

/// Words in backquotes, with commas between them.
pub(crate) fn listed<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    words.into_iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_are_found_and_far_ones_are_not() {
        let keys = ["sources", "include-dirs", "define", "debug"];
        assert_eq!(nearest("source", keys), Some("sources"));
        assert_eq!(nearest("include_dirs", keys), Some("include-dirs"));
        assert_eq!(nearest("defines", keys), Some("define"));
        assert_eq!(nearest("public-include-dirs", keys), Some("include-dirs"));
        assert_eq!(nearest("macros", keys), Some("define"));
        assert_eq!(nearest("zebra", keys), None);
    }
}
