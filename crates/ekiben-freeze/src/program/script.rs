//! Scripts of Ekiben's own, which a program's interpreter runs: a request goes in as JSON, an answer
//! comes out as JSON, with bytes beside it of which the answer says where they begin and end.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde::de::DeserializeOwned;
use tempfile::TempDir;

use super::Error;
use crate::process::{self, Stop};

/// What a script wrote.
pub(crate) struct Said<T> {
    pub(crate) answer: T,
    work: TempDir,
}

impl<T> Said<T> {
    /// The bytes beside the answer.
    pub(crate) fn content(&self) -> Result<Vec<u8>, Error> {
        let path = self.work.path().join("content");
        fs::read(&path).map_err(Error::io("read", &path))
    }
}

/// Runs a script of several files, which begins with `__main__.py`.
pub(crate) fn run<T: DeserializeOwned>(
    files: &[(&str, &str)],
    request: &[u8],
    interpreter: &Path,
    stop: Stop<'_>,
) -> Result<Said<T>, Error> {
    let work = tempfile::Builder::new().prefix("ekiben-freeze-").tempdir();
    let work = work.map_err(Error::io("create a folder in", std::env::temp_dir()))?;
    let at = |name: &str| work.path().join(name);
    let write = |name: &str, content: &[u8]| {
        fs::write(at(name), content).map_err(Error::io("write", at(name)))
    };
    fs::create_dir(at("script")).map_err(Error::io("create", at("script")))?;
    for (name, text) in files {
        write(&format!("script/{name}"), text.as_bytes())?;
    }
    write("request.json", request)?;
    let mut command = Command::new(interpreter);
    command
        .args(["-I", "-S", "-B", "-X", "utf8"])
        .args(["script", "request.json", "result.json", "content"].map(at))
        // Whether objects are shared in marshalled code must not depend on chance.
        .env("PYTHONHASHSEED", "0");
    let output = process::output(&mut command, stop).map_err(Error::io("run", interpreter))?;
    let failed = |said: String| Error::Finder { interpreter: interpreter.to_owned(), said };
    if !output.status.success() {
        return Err(failed(String::from_utf8_lossy(&output.stderr).trim_end().to_owned()));
    }
    let result = at("result.json");
    let result = fs::read(&result).map_err(Error::io("read", &result))?;
    let answer = serde_json::from_slice(&result)
        .map_err(|error| failed(format!("what it wrote can't be read: {error}")))?;
    Ok(Said { answer, work })
}
