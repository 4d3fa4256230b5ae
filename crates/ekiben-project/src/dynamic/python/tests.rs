//! Python read without running it, against literals of every form and against CPython itself.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;

fn version(text: &str) -> Result<String, String> {
    assigned_text(text, "__version__").map(|(found, _)| found).map_err(|error| error.message)
}

#[test]
fn literals_of_every_form_are_read() {
    for (text, wanted) in [
        ("__version__ = '1.2'", "1.2"),
        ("__version__: str = \"1.2\"  # ours", "1.2"),
        ("__version__ = version = u'1.2'\n", "1.2"),
        ("version = __version__ = ('1.'\n    '2')", "1.2"),
        ("__version__ = (1, 2, 'rc1',)", "1.2.rc1"),
        ("__version__ = 1, 2", "1.2"),
        ("__version__ = [1, 0]", "1.0"),
        ("\u{feff}\"\"\"doc\r\n'\"\"\"\r\n__version__ = \\\r\n  r'1.2'\r\n", "1.2"),
        ("x = f\"{y!r:>{w}}{'a' if z else \"b\"}\"; __version__ = '1'", "1"),
        ("if x:\n    pass\n__version__ = '\\x31.\\62'", "1.2"),
        ("__version__: str\n__version__ = '3'", "3"),
        ("__version__ = '1'\n__version__ = '2'", "2"),
        ("\"__version__ = '0'\"\n# __version__ = '0'\n__version__ = '1'", "1"),
    ] {
        assert_eq!(version(text).as_deref(), Ok(wanted), "{text}");
    }
}

#[test]
fn all_else_is_refused_with_its_place() {
    let cases = [
        "__version__ = '1.2' + x",
        "__version__ = get()",
        "__version__ = f'{x}'",
        "__version__ = b'1'",
        "a, __version__ = 1, '2'",
        "__version__ = '1'\n__version__ += '.dev0'",
        "if x:\n    __version__ = '1'",
        "if x: __version__ = '1'",
        "from ._v import __version__",
        "from ._v import (\n    a,\n    version as __version__,\n)",
        "import spam",
        "x.__version__ = '1'",
        "__version__ == '1'",
        "__version__ = '1",
        "f(",
    ];
    let all: Vec<String> = cases
        .iter()
        .map(|text| {
            let error = assigned_text(text, "__version__").unwrap_err();
            format!("{:?}: {}\n  {}", &text[error.span.clone()], error.message, error.help)
        })
        .collect();
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn docstrings_come_first() {
    assert_eq!(docstring("#!/x\n'a' \"b\"\nx = 1"), Ok(Some("ab".to_owned())));
    assert_eq!(docstring("x = 1\n'a'"), Ok(None));
    assert_eq!(docstring("f'a'"), Ok(None));
    assert_eq!(docstring(""), Ok(None));
}

/// All that can be read of a file, as the script beside this says it too.
pub(super) fn summary(text: &str) -> serde_json::Value {
    fn json(value: &Value) -> serde_json::Value {
        match value {
            Value::Text(text) => serde_json::json!({ "text": text }),
            Value::Integer(number) => serde_json::json!({ "integer": number }),
            Value::Tuple(all) => {
                serde_json::json!({ "tuple": all.iter().map(json).collect::<Vec<_>>() })
            }
            Value::List(all) => {
                serde_json::json!({ "list": all.iter().map(json).collect::<Vec<_>>() })
            }
        }
    }
    let statements = match statements(text) {
        Ok(statements) => statements,
        Err(error) => return serde_json::json!({ "error": error.message }),
    };
    let assigned: Vec<_> = statements
        .iter()
        .filter(|statement| !statement.is_nested)
        .flat_map(|statement| values_of(text, statement))
        .map(|(name, value)| serde_json::json!([name, value.as_ref().map(json)]))
        .collect();
    serde_json::json!({ "docstring": docstring(text).unwrap(), "assigned": assigned })
}

/// What CPython's own parser says of its standard library, file by file.
#[test]
fn the_standard_library_is_read_as_cpython_reads_it() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python/literals.py");
    let output = std::process::Command::new("python3").arg(script).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut files = 0;
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let expected: serde_json::Value = serde_json::from_str(line).unwrap();
        let path = expected["path"].as_str().unwrap();
        let text = std::fs::read_to_string(path).unwrap();
        assert_eq!(summary(&text), expected["summary"], "{path}");
        files += 1;
    }
    assert!(files > 500, "{files}");
}

proptest! {
    #[test]
    fn nothing_panics(text in "[a-z_='\"(){}\\[\\]:;,.#\\\\fFrRbB0-9 \n\r\t!é\u{feff}]{0,80}") {
        let _ = assigned_text(&text, "a");
        let _ = docstring(&text);
    }

    #[test]
    fn every_quoted_text_comes_back(text in "[ -~]{0,20}", triple in any::<bool>()) {
        let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
        let quotes = if triple { "\"\"\"" } else { "\"" };
        let source = format!("__version__ = {quotes}{escaped}{quotes}\n");
        prop_assert_eq!(version(&source), Ok(text));
    }
}
