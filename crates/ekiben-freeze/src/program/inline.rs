//! What a script says of itself at its head: the Python it is for, and what it depends on (PEP 723).

use std::fs;
use std::path::Path;

use pep440_rs::{Version, VersionSpecifiers};
use serde::Deserialize;

use super::Error;

/// How a block begins that is for installers.
const START: &str = "# /// script";
/// How any block ends.
const END: &str = "# ///";

/// The block of a script. What other tools have in it (`[tool]`) is theirs.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Block {
    requires_python: Option<String>,
    #[serde(default)]
    dependencies: Vec<String>,
}

/// What a script depends on; nothing if it doesn't say. `python` is the series that it is to run on.
///
/// # Errors
/// If the script can't be read, its block is no TOML, or it is for other Pythons.
pub fn script_dependencies(script: &Path, python: &str) -> Result<Vec<String>, Error> {
    let source = fs::read(script).map_err(Error::io("read", script))?;
    let source = String::from_utf8_lossy(&source);
    let wrong = |message| Error::Text { path: script.to_owned(), message };
    let Some((line, text)) = block(&source).map_err(wrong)? else { return Ok(Vec::new()) };
    let block: Block = toml::from_str(&text).map_err(|error| {
        let before = error.span().map_or(0, |span| text[..span.start].matches('\n').count());
        wrong(format!(
            "line {}: its metadata aren't as PEP 723 has them: {}",
            line + before,
            error.message()
        ))
    })?;
    if let Some(wanted) = block.requires_python.filter(|wanted| !suits(wanted, python)) {
        return Err(wrong(format!(
            "line {line}: it is for Python {wanted}, and the program would have Python {python}: name \
             another by --python"
        )));
    }
    Ok(block.dependencies)
}

/// Whether some release of a series is among those that are wanted. What can't be read excludes nothing.
fn suits(wanted: &str, series: &str) -> bool {
    let Ok(wanted) = wanted.parse::<VersionSpecifiers>() else { return true };
    let of_series = |micro: u32| format!("{series}.{micro}").parse::<Version>().ok();
    // No series of Python 3 has come to more releases.
    (0..40).filter_map(of_series).any(|version| wanted.contains(&version))
}

/// The text of a source's block, and the number of its first line; an error if there are several.
fn block(source: &str) -> Result<Option<(usize, String)>, String> {
    let mut found = None;
    let mut lines = source.lines().enumerate().peekable();
    while let Some((at, line)) = lines.next() {
        if line.trim_end() != START {
            continue;
        }
        let mut inside = Vec::new();
        while let Some((_, line)) =
            lines.next_if(|(_, line)| *line == "#" || line.starts_with("# "))
        {
            inside.push(line.strip_prefix("# ").unwrap_or_default());
        }
        // The last one ends it: there may be such lines in it.
        let Some(end) = inside.iter().rposition(|line| line.trim_end() == &END[2..]) else {
            continue;
        };
        if found.is_some() {
            return Err(format!("line {}: it has metadata already (PEP 723)", at + 1));
        }
        // `at` counts from 0, and the text begins a line later.
        found = Some((at + 2, inside[..end].join("\n")));
    }
    Ok(found)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn read(source: &str) -> Result<Vec<String>, String> {
        let folder = tempfile::tempdir().unwrap();
        let script = folder.path().join("script.py");
        fs::write(&script, source).unwrap();
        script_dependencies(&script, "3.13")
            .map_err(|error| error.to_string().replace(&folder.path().display().to_string(), "."))
    }

    #[test]
    fn scripts_say_what_they_need() {
        assert_eq!(read("import os\n").unwrap(), [""; 0]);
        let source = "#!/usr/bin/env python\n\
                      # /// script\n# requires-python = \">=3.11\"\n#\n# dependencies = [\n#   \"click>=8\",\n\
                      # ]\n# [tool.uv]\n# x = 1\n# ///\n# more\nimport click\n";
        assert_eq!(read(source).unwrap(), ["click>=8"]);
        // Without an end it is a comment.
        assert_eq!(read("# /// script\n# dependencies = [\"x\"]\nprint()\n").unwrap(), [""; 0]);
        assert_eq!(read("# /// other\n# dependencies = [\"x\"]\n# ///\n").unwrap(), [""; 0]);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        let block = "# /// script\n# dependencies = 1\n# ///\n";
        let message = read(block).unwrap_err();
        assert!(
            message.starts_with("./script.py: line 2: its metadata aren't as PEP 723"),
            "{message}"
        );
        let twice = "# /// script\n# ///\nx\n# /// script\n# ///\n";
        assert_eq!(
            read(twice).unwrap_err(),
            "./script.py: line 4: it has metadata already (PEP 723)"
        );
        let other = read("# /// script\n# requires-python = \">=3.14\"\n# ///\n").unwrap_err();
        assert!(other.contains("it is for Python >=3.14, and the program would have"), "{other}");
        read("# /// script\n# requires-python = \"==3.13.9\"\n# ///\n").unwrap();
    }
}
