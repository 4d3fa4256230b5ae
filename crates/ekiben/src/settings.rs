//! What a front end gives in `config_settings`: words of the command line, and settings.

use ekiben_project::Override;
use serde_json::Value;

use crate::cli;

/// The source of these settings in messages.
const CARRIER: &str = "--config-settings";

/// `config_settings`, sorted out.
#[derive(Debug, Default)]
pub(crate) struct FrontEnd {
    /// Words that go before those of the command line.
    pub(crate) words: Vec<String>,
    /// How many of them are settings.
    pub(crate) words_settings: usize,
    /// All other keys.
    pub(crate) overrides: Vec<Override>,
}

impl FrontEnd {
    /// Reads the JSON object.
    ///
    /// # Errors
    /// A sentence on what is wrong with it.
    pub(crate) fn parse(json: &str) -> Result<Self, String> {
        let settings: serde_json::Map<String, Value> = serde_json::from_str(json)
            .map_err(|error| format!("{CARRIER} isn't a JSON object: {error}"))?;
        let mut front_end = Self::default();
        for (key, value) in settings {
            let texts = texts(&key, value)?;
            front_end.add(&key, texts)?;
        }
        front_end.words_settings = cli::count_settings(&front_end.words, CARRIER)?;
        Ok(front_end)
    }

    fn add(&mut self, key: &str, texts: Vec<String>) -> Result<(), String> {
        let last = texts.last().map(String::as_str).unwrap_or_default();
        match key {
            "args" => {
                for text in &texts {
                    self.words.extend(split(text, &format!("`args` in {CARRIER}"))?);
                }
            }
            "build-dir" | "jobs" | "trace" => self.words.push(format!("--{key}={last}")),
            "explain" | "what-ran" | "list-files" | "keep-going" => {
                if flag(key, last)? {
                    self.words.push(format!("--{key}"));
                }
            }
            "verbose" => {
                let count = match last.parse() {
                    Ok(count) => count,
                    Err(_) => usize::from(flag(key, last)?),
                };
                self.words.extend(std::iter::repeat_n("-v".to_owned(), count.min(9)));
            }
            _ => self.overrides.extend(texts.into_iter().map(|value| Override {
                key: key.to_owned(),
                value,
                source: CARRIER.to_owned(),
            })),
        }
        Ok(())
    }
}

/// Shell words.
///
/// # Errors
/// When a quote isn't closed.
pub(crate) fn split(text: &str, carrier: &str) -> Result<Vec<String>, String> {
    shlex::split(text).ok_or_else(|| format!("{carrier}: a quote isn't closed in `{text}`"))
}

fn flag(key: &str, value: &str) -> Result<bool, String> {
    match value {
        "" | "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" => Ok(false),
        _ => Err(format!("{CARRIER}: `{key}` takes true or false, not `{value}`")),
    }
}

/// Front ends give strings, lists of them for a key given twice, and some booleans.
fn texts(key: &str, value: Value) -> Result<Vec<String>, String> {
    let wrong =
        || format!("{CARRIER}: the value of `{key}` is neither a string nor a list of them");
    match value {
        Value::String(text) => Ok(vec![text]),
        Value::Bool(flag) => Ok(vec![flag.to_string()]),
        Value::Number(number) => Ok(vec![number.to_string()]),
        Value::Array(values) => {
            let text = |value: Value| value.as_str().map(ToOwned::to_owned).ok_or_else(wrong);
            values.into_iter().map(text).collect()
        }
        _ => Err(wrong()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_flags_or_settings() {
        let json = r#"{"verbose": "2", "explain": true, "keep-going": "false", "jobs": "4",
            "args": "-C 'a=b c' --what-ran", "defaults.define": ["A=1", "B"]}"#;
        let front_end = FrontEnd::parse(json).unwrap();
        let words =
            ["-v", "-v", "--explain", "--jobs=4", "-C", "a=b c", "--what-ran"].map(String::from);
        assert_eq!(front_end.words, words);
        assert_eq!(front_end.words_settings, 1);
        let given: Vec<_> =
            front_end.overrides.iter().map(|one| (&*one.key, &*one.value)).collect();
        assert_eq!(given, [("defaults.define", "A=1"), ("defaults.define", "B")]);
    }

    #[test]
    fn mistakes_are_named() {
        let error = |json: &str| FrontEnd::parse(json).unwrap_err();
        assert_eq!(
            error(r#"{"explain": "maybe"}"#),
            "--config-settings: `explain` takes true or false, not `maybe`"
        );
        assert_eq!(
            error(r#"{"args": "'x"}"#),
            "`args` in --config-settings: a quote isn't closed in `'x`"
        );
        assert_eq!(
            error(r#"{"x": {}}"#),
            "--config-settings: the value of `x` is neither a string nor a list of them"
        );
        assert!(error("[]").starts_with("--config-settings isn't a JSON object"));
    }
}
