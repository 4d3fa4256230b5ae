//! Settings of a product beyond the request's fixed fields, given as JSON.
//!
//! They are booleans, strings and lists of strings, so a reader for just these keeps a JSON library
//! out of the component, whose compile time every first build pays.

use ekiben_plugin::Diagnostic;

/// Link-time optimisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lto {
    Full,
    /// Clang's; gcc has one sort only.
    Thin,
}

/// The settings that this plugin knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) lto: Option<Lto>,
    pub(crate) sanitizers: Vec<String>,
    /// Of symbols that don't say: `default`, `hidden`, `internal` or `protected`.
    pub(crate) visibility: Option<String>,
    pub(crate) openmp: bool,
    /// Keeps `assert` in an optimised build.
    pub(crate) assertions: bool,
    /// Drops the symbol table as well as debug information.
    pub(crate) strip: bool,
    /// The name that a shared library is known by; the file's name if there is none.
    pub(crate) soname: Option<String>,
    /// Folders that the loader searches for libraries. `$ORIGIN` is the file's own folder.
    pub(crate) run_paths: Vec<String>,
    /// Libraries, by name, of which only an archive will do.
    pub(crate) static_libraries: Vec<String>,
    /// Takes Fortran's run-time libraries in.
    pub(crate) static_fortran_runtime: bool,
}

impl Settings {
    pub(crate) fn read(get: impl Fn(&str) -> Option<String>) -> Result<Self, Diagnostic> {
        let value = |key: &str| match get(key) {
            None => Ok(Value::Absent),
            Some(json) => Value::parse(&json).ok_or_else(|| bad(key, &json, "readable")),
        };
        let flag = |key: &str| match value(key)? {
            Value::Absent => Ok(false),
            Value::Flag(flag) => Ok(flag),
            _ => Err(bad(key, &get(key).unwrap_or_default(), "true or false")),
        };
        let text = |key: &str| match value(key)? {
            Value::Absent => Ok(None),
            Value::Text(text) => Ok(Some(text)),
            _ => Err(bad(key, &get(key).unwrap_or_default(), "a string")),
        };
        let lto = match value("lto")? {
            Value::Absent | Value::Flag(false) => None,
            Value::Flag(true) => Some(Lto::Full),
            Value::Text(kind) if kind == "full" => Some(Lto::Full),
            Value::Text(kind) if kind == "thin" => Some(Lto::Thin),
            _ => {
                return Err(bad(
                    "lto",
                    &get("lto").unwrap_or_default(),
                    "true, \"thin\" or \"full\"",
                ));
            }
        };
        let texts = |key: &str| match value(key)? {
            Value::Absent => Ok(Vec::new()),
            Value::Texts(texts) => Ok(texts),
            _ => Err(bad(key, &get(key).unwrap_or_default(), "a list of strings")),
        };
        let visibility = text("visibility")?;
        let kinds = ["default", "hidden", "internal", "protected"];
        if let Some(kind) = &visibility
            && !kinds.contains(&kind.as_str())
        {
            return Err(bad("visibility", kind, &format!("one of {}", kinds.join(", "))));
        }
        let static_fortran_runtime = match text("fortran-runtime")?.as_deref() {
            None | Some("shared") => false,
            Some("static") => true,
            Some(other) => return Err(bad("fortran-runtime", other, "`shared` or `static`")),
        };
        Ok(Self {
            lto,
            sanitizers: texts("sanitizers")?,
            visibility,
            openmp: flag("openmp")?,
            assertions: flag("assertions")?,
            strip: flag("strip")?,
            soname: text("soname")?,
            run_paths: texts("run-paths")?,
            static_libraries: texts("static-libraries")?,
            static_fortran_runtime,
        })
    }
}

fn bad(key: &str, given: &str, expected: &str) -> Diagnostic {
    Diagnostic::error("bad-setting", format!("`{key}` must be {expected}, not {given}"))
}

#[derive(Debug, PartialEq, Eq)]
enum Value {
    Absent,
    Flag(bool),
    Text(String),
    Texts(Vec<String>),
}

impl Value {
    /// Nothing for JSON of any other shape.
    fn parse(json: &str) -> Option<Self> {
        match json.trim() {
            "null" => Some(Self::Absent),
            "true" => Some(Self::Flag(true)),
            "false" => Some(Self::Flag(false)),
            text if text.starts_with('"') => {
                let (text, rest) = string(text)?;
                rest.trim().is_empty().then_some(Self::Text(text))
            }
            list => {
                let mut rest = list.strip_prefix('[')?.trim_start();
                let mut texts = Vec::new();
                while !rest.starts_with(']') {
                    let (text, after) = string(rest)?;
                    texts.push(text);
                    let after = after.trim_start();
                    rest = match after.strip_prefix(',') {
                        Some(more) if !more.trim_start().starts_with(']') => more.trim_start(),
                        Some(_) => return None,
                        None if after.starts_with(']') => after,
                        None => return None,
                    };
                }
                (rest == "]").then_some(Self::Texts(texts))
            }
        }
    }
}

/// Takes a string literal off the front.
fn string(json: &str) -> Option<(String, &str)> {
    let mut rest = json.strip_prefix('"')?.chars();
    let mut units: Vec<u16> = Vec::new();
    loop {
        let unit = match rest.next()? {
            '"' => return Some((String::from_utf16(&units).ok()?, rest.as_str())),
            '\\' => match rest.next()? {
                'b' => 8,
                'f' => 12,
                'n' => 10,
                'r' => 13,
                't' => 9,
                'u' => {
                    let digits = rest.as_str().get(..4)?;
                    rest = rest.as_str().get(4..)?.chars();
                    u16::from_str_radix(digits, 16).ok()?
                }
                plain @ ('"' | '\\' | '/') => u16::try_from(u32::from(plain)).ok()?,
                _ => return None,
            },
            plain => {
                units.extend(plain.encode_utf16(&mut [0; 2]).iter());
                continue;
            }
        };
        units.push(unit);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Settings, Diagnostic> {
        Settings::read(|key| {
            pairs.iter().find(|(known, _)| *known == key).map(|(_, json)| (*json).to_owned())
        })
    }

    #[test]
    fn every_setting_is_read() {
        let settings = read(&[
            ("lto", "\"thin\""),
            ("sanitizers", "[\"address\", \"undefined\"]"),
            ("visibility", "\"hidden\""),
            ("openmp", "true"),
            ("assertions", "true"),
            ("strip", "false"),
            ("soname", "\"libx.so.1\""),
            ("run-paths", "[\"$ORIGIN\"]"),
            ("static-libraries", "[\"z\"]"),
            ("fortran-runtime", "\"static\""),
        ]);
        assert_eq!(
            settings.unwrap(),
            Settings {
                lto: Some(Lto::Thin),
                sanitizers: vec!["address".into(), "undefined".into()],
                visibility: Some("hidden".into()),
                openmp: true,
                assertions: true,
                strip: false,
                soname: Some("libx.so.1".into()),
                run_paths: vec!["$ORIGIN".into()],
                static_libraries: vec!["z".into()],
                static_fortran_runtime: true,
            }
        );
        assert_eq!(read(&[("lto", "true")]).unwrap().lto, Some(Lto::Full));
        assert_eq!(read(&[("lto", "null")]).unwrap(), Settings::default());
    }

    #[test]
    fn wrong_shapes_say_what_was_expected() {
        for (key, json) in [
            ("lto", "\"medium\""),
            ("openmp", "\"yes\""),
            ("sanitizers", "\"address\""),
            ("sanitizers", "[\"address\",]"),
            ("visibility", "\"secret\""),
            ("soname", "[]"),
            ("fortran-runtime", "\"dynamic\""),
        ] {
            let refused = read(&[(key, json)]).unwrap_err();
            assert_eq!(refused.code, "bad-setting");
            assert!(refused.message.starts_with(&format!("`{key}` must be ")), "{refused:?}");
        }
    }

    #[test]
    fn escapes_are_undone() {
        let parsed = Value::parse(r#""a\"\\\/\n\u00e9\ud83d\ude42é""#);
        assert_eq!(parsed, Some(Value::Text("a\"\\/\né🙂é".into())));
        assert_eq!(Value::parse(r#""\ud83d""#), None);
    }

    proptest! {
        #[test]
        fn any_text_is_answered(json in "[\\[\\]\", \\\\a-zé\\-]{0,24}") {
            if let Some(Value::Texts(texts)) = Value::parse(&json) {
                prop_assert!(json.trim().starts_with('[') && texts.len() <= json.len());
            }
        }
    }
}
