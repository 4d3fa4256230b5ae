//! The two messages, as lines of JSON; see the module above.

use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize)]
struct Request<'a> {
    id: u64,
    arguments: &'a [&'a str],
}

/// What a worker answers.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Response {
    pub(super) id: u64,
    pub(super) status: i32,
    #[serde(default)]
    pub(super) output: String,
}

/// The line that asks for `arguments`.
pub(super) fn request(id: u64, arguments: &[&str]) -> serde_json::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(&Request { id, arguments })?;
    line.push(b'\n');
    Ok(line)
}

/// What `line` says in answer to request `id`; else what is wrong with it.
pub(super) fn response(id: u64, line: &[u8]) -> Result<Response, String> {
    let response: Response = serde_json::from_slice(line)
        .map_err(|error| format!("answered what isn't a response ({error}): {}", excerpt(line)))?;
    if response.id != id {
        return Err(format!("answered request {} instead of {id}", response.id));
    }
    Ok(response)
}

/// The beginning of what a worker said, for people.
pub(super) fn excerpt(line: &[u8]) -> String {
    const LONGEST: usize = 200;
    let shown = String::from_utf8_lossy(&line[..line.len().min(LONGEST)]);
    let more = if line.len() > LONGEST { "…" } else { "" };
    format!("`{}{more}`", shown.trim_end().escape_debug())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn requests_are_lines() {
        let line = request(7, &["a b", "-DX=\"é\"", "c\nd"]).unwrap();
        let expected = "{\"id\":7,\"arguments\":[\"a b\",\"-DX=\\\"é\\\"\",\"c\\nd\"]}\n";
        assert_eq!(String::from_utf8(line).unwrap(), expected);
    }

    #[test]
    fn responses() {
        let ok =
            response(1, b"{\"id\":1,\"status\":0,\"output\":\"x\\n\",\"later\":true}").unwrap();
        assert_eq!(ok, Response { id: 1, status: 0, output: "x\n".into() });
        let refused = |line: &str| response(1, line.as_bytes()).unwrap_err();
        assert_eq!(refused("{\"id\":2,\"status\":0}"), "answered request 2 instead of 1");
        insta::assert_snapshot!(
            refused("compiling\t\"a\""),
            @r#"answered what isn't a response (expected value at line 1 column 1): `compiling\t\"a\"`"#
        );
        insta::assert_snapshot!(
            refused("{\"id\":1}"),
            @r#"answered what isn't a response (missing field `status` at line 1 column 8): `{\"id\":1}`"#
        );
        assert!(refused(&"é".repeat(1000)).len() < 500);
    }

    proptest! {
        #[test]
        fn anything_may_be_answered(line: Vec<u8>) {
            if let Ok(response) = response(1, &line) {
                prop_assert_eq!(response.id, 1);
            }
        }
    }
}
