//! What a program depends on: the requirements that metadata state, and whether a file pins them.

/// The requirements that `METADATA` states whatever extras are asked for.
pub(crate) fn of_metadata(metadata: &str) -> Vec<String> {
    let headers = metadata.lines().take_while(|line| !line.is_empty());
    headers
        .filter_map(|line| line.strip_prefix("Requires-Dist:"))
        .map(|text| text.trim().to_owned())
        .filter(|text| !is_of_an_extra(text))
        .collect()
}

fn is_of_an_extra(requirement: &str) -> bool {
    let marker = requirement.split_once(';').map_or("", |(_, marker)| marker);
    let is_other = |c: char| !(c.is_ascii_alphanumeric() || c == '_');
    let mut quotes = marker.split(['"', '\'']);
    // Every second part is quoted.
    std::iter::from_fn(|| {
        let outside = quotes.next()?;
        quotes.next();
        Some(outside)
    })
    .any(|outside| outside.split(is_other).any(|word| word == "extra"))
}

/// Whether a file of requirements says of everything which files it may be: a lock (PEP 751), which
/// its name has to say, or requirements with hashes, which are all there are.
pub(crate) fn is_pinned(path: &str, text: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let is_lock = name == "pylock.toml" || (name.starts_with("pylock.") && name.ends_with(".toml"));
    is_lock || text.contains("--hash=")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extras_are_left_out() {
        let metadata = "Metadata-Version: 2.4\nName: spam\nRequires-Dist: attrs>=25\n\
                        Requires-Dist: extra-things ; sys_platform == 'extra'\n\
                        Requires-Dist: pytest; python_version > '3' and extra == 'test'\n\n\
                        Requires-Dist: of the readme\n";
        assert_eq!(of_metadata(metadata), ["attrs>=25", "extra-things ; sys_platform == 'extra'"]);
    }

    #[test]
    fn locks_and_hashes_pin() {
        assert!(is_pinned("locks/pylock.toml", ""));
        assert!(is_pinned("pylock.dev.toml", ""));
        assert!(is_pinned("requirements.txt", "attrs==1 \\\n    --hash=sha256:00"));
        assert!(!is_pinned("requirements.txt", "attrs==1\n"));
    }
}
