//! The source package of the distribution, by apt.
//!
//! Apt runs with a configuration of its own in a folder of ours: the machine's sources as `deb-src`
//! lines, its keys and its way to the network, and nothing else. So no right to change the machine
//! is needed, and its own package lists stay as they are.
//!
//! Invariant: only what is signed by a key that the machine trusts for that source is taken.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::error::Error;
use super::files;
use super::run::{self, Runner};
use super::version::PythonVersion;

/// The releases of distributions that have a CPython of each series, by `ID` of `os-release`.
const RELEASES: [(&str, u8, &str); 5] = [
    ("debian", 11, "bookworm"),
    ("debian", 13, "trixie"),
    ("debian", 14, "forky"),
    ("ubuntu", 12, "noble"),
    ("ubuntu", 14, "resolute"),
];

/// Fetches the untouched source archive into `folder`. Gives its path, and where it is from.
pub(super) fn fetch(
    python: PythonVersion,
    folder: &Path,
    runner: &mut Runner<'_>,
) -> Result<(PathBuf, String), Error> {
    let work = tempfile::tempdir_in(folder).map_err(Error::io("create a folder in", folder))?;
    let work = work.path();
    let system = System::read()?;
    let release = system.release(python)?;
    let mut stanzas = String::new();
    for stanza in machine_sources(runner)? {
        if let Some(stanza) = stanza.of_release(&system.codename, &release) {
            stanzas.push_str(&stanza);
        }
    }
    if stanzas.is_empty() {
        let message = format!(
            "no package source of {} is configured on this machine for {}",
            system.codename, system.id
        );
        return Err(Error::Distribution { message });
    }
    let configuration = write_configuration(work, &stanzas, runner)?;
    let apt = || {
        let mut command = run::command("apt-get");
        command.env("APT_CONFIG", &configuration).current_dir(work).arg("-q");
        command
    };
    let package = format!("python{}", python.series());
    runner.step(&format!("Fetching the source package {package} of {release}"))?;
    let refused = |error: Error| match error {
        Error::Step { what, tail, .. } => {
            Error::Distribution { message: format!("{what} failed:\n{tail}") }
        }
        other => other,
    };
    let what = format!("reading the list of source packages of {release}");
    runner.run(&what, apt().args(["--error-on=any", "update"])).map_err(refused)?;
    let what = format!("fetching the source package {package} of {release}");
    let source = ["source", "--download-only", "--tar-only", "--only-source"];
    runner.run(&what, apt().args(source).arg(&package)).map_err(refused)?;
    for (name, path) in files::list(work)? {
        if !name.contains('/') && name.contains(".orig.tar.") && !name.ends_with(".asc") {
            let target = folder.join(&name);
            std::fs::rename(&path, &target).map_err(Error::io("move", &path))?;
            return Ok((target, format!("source package {package} of {} {release}", system.id)));
        }
    }
    let message = format!("the source package {package} of {release} holds no original archive");
    Err(Error::Distribution { message })
}

/// The distribution.
struct System {
    id: String,
    codename: String,
}

impl System {
    fn read() -> Result<Self, Error> {
        let text = files::read_text(Path::new("/etc/os-release")).unwrap_or_default();
        Self::parse(&text).ok_or_else(|| Error::Distribution {
            message: "this machine's distribution isn't one of Debian's kin".to_owned(),
        })
    }

    fn parse(text: &str) -> Option<Self> {
        let value = |key: &str| {
            let mut lines = text.lines().filter_map(|line| line.split_once('='));
            let (_, value) = lines.find(|(name, _)| *name == key)?;
            Some(value.trim_matches('"').to_owned())
        };
        let (id, codename) = (value("ID")?, value("VERSION_CODENAME")?);
        RELEASES.iter().any(|(known, ..)| *known == id).then_some(Self { id, codename })
    }

    fn release(&self, python: PythonVersion) -> Result<String, Error> {
        let has = |entry: &&(&str, u8, &str)| entry.0 == self.id && entry.1 == python.minor();
        let release = RELEASES.iter().find(has).ok_or_else(|| Error::Distribution {
            message: format!("no release of {} has CPython {}", self.id, python.series()),
        })?;
        Ok(release.2.to_owned())
    }
}

/// What one package source says, by the fields of deb822.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Stanza {
    uris: String,
    suites: Vec<String>,
    components: String,
    /// The lines that follow the first one have a space before them.
    signed_by: Option<String>,
}

impl Stanza {
    /// As a source of sources of another release, if it is the main one of `codename`.
    fn of_release(&self, codename: &str, release: &str) -> Option<String> {
        if !self.suites.iter().any(|suite| suite == codename) || self.components.is_empty() {
            return None;
        }
        let mut text = format!(
            "Types: deb-src\nURIs: {}\nSuites: {release}\nComponents: {}\n",
            self.uris, self.components
        );
        if let Some(keys) = &self.signed_by {
            // Writing to a string can't fail.
            let _ = writeln!(text, "Signed-By: {keys}");
        }
        Some(text + "\n")
    }
}

/// The package sources of the machine.
fn machine_sources(runner: &mut Runner<'_>) -> Result<Vec<Stanza>, Error> {
    let mut list = run::command("apt-config");
    list.args(["shell", "LIST", "Dir::Etc::sourcelist/f", "PARTS", "Dir::Etc::sourceparts/d"]);
    let places = settings(&runner.output("asking apt for its sources", &mut list)?);
    let mut stanzas = Vec::new();
    let mut paths = Vec::new();
    for (name, value) in places {
        match name.as_str() {
            "LIST" => paths.push(PathBuf::from(value)),
            _ => paths.extend(files::list(Path::new(&value)).unwrap_or_default().into_values()),
        }
    }
    for path in paths {
        // A file that can't be read is none that apt would use for this user.
        let Ok(text) = files::read_text(&path) else { continue };
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("sources") => stanzas.extend(deb822(&text)),
            Some("list") => stanzas.extend(text.lines().filter_map(one_line)),
            _ => {}
        }
    }
    Ok(stanzas)
}

/// Writes the configuration, and gives its path.
fn write_configuration(
    work: &Path,
    stanzas: &str,
    runner: &mut Runner<'_>,
) -> Result<PathBuf, Error> {
    let work = work.to_str().ok_or_else(|| Error::Input {
        message: format!("{} isn't UTF-8", work.display()),
        help: "choose another folder with --cache-dir".to_owned(),
    })?;
    let mut machine = run::command("apt-config");
    machine.args([
        "shell",
        "Dir::Etc::trusted",
        "Dir::Etc::trusted/f",
        "Dir::Etc::trustedparts",
        "Dir::Etc::trustedparts/d",
        "Dir::Etc::netrc",
        "Dir::Etc::netrc/f",
        "Dir::Etc::netrcparts",
        "Dir::Etc::netrcparts/d",
        "Dir::State::status",
        "Dir::State::status/f",
    ]);
    let kept = runner.output("asking apt for its keys", &mut machine)?;
    // How the machine reaches the network.
    let mut dump = run::command("apt-config");
    dump.args(["dump", "Acquire"]);
    let acquire = runner.output("asking apt for its settings", &mut dump)?;
    let mut text = acquire;
    for (key, value) in [
        ("Dir::Etc", "etc"),
        ("Dir::Etc::sourcelist", "etc/none"),
        ("Dir::Etc::sourceparts", "etc/sources.list.d"),
        ("Dir::State", "state"),
        ("Dir::Cache", "cache"),
    ] {
        let _ = writeln!(text, "{key} \"{work}/{value}\";");
    }
    for (key, value) in settings(&kept) {
        let _ = writeln!(text, "{key} \"{value}\";");
    }
    // Whoever builds may write here, and the user that apt would become may not.
    text.push_str("APT::Sandbox::User \"root\";\n");
    let work = Path::new(work);
    for folder in [
        "etc/apt.conf.d",
        "etc/preferences.d",
        "etc/sources.list.d",
        "state/lists/partial",
        "cache/archives/partial",
    ] {
        files::create_folder(&work.join(folder))?;
    }
    files::write(&work.join("etc/sources.list.d/ekiben.sources"), stanzas)?;
    let path = work.join("apt.conf");
    files::write(&path, text)?;
    Ok(path)
}

/// The lines `NAME='value'` that `apt-config shell` prints.
fn settings(text: &str) -> Vec<(String, String)> {
    let lines = text.lines().filter_map(|line| line.split_once('='));
    lines
        .map(|(name, value)| (name.to_owned(), value.trim_matches('\'').to_owned()))
        .filter(|(_, value)| !value.is_empty())
        .collect()
}

/// The stanzas of a `.sources` file.
fn deb822(text: &str) -> Vec<Stanza> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let mut stanzas = Vec::new();
    let mut fields: Vec<(String, String)> = Vec::new();
    for line in lines.chain([""]) {
        if line.trim().is_empty() {
            stanzas.extend(stanza(&std::mem::take(&mut fields)));
        } else if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = fields.last_mut() {
                value.push('\n');
                value.push_str(line);
            }
        } else if let Some((name, value)) = line.split_once(':') {
            fields.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    stanzas
}

fn stanza(fields: &[(String, String)]) -> Option<Stanza> {
    let value = |key: &str| fields.iter().find(|(name, _)| name == key).map(|(_, value)| value);
    let is_off = |value: &String| matches!(value.as_str(), "no" | "false" | "0");
    let has_packages =
        |types: &String| types.split_whitespace().any(|kind| kind.starts_with("deb"));
    if value("enabled").is_some_and(is_off) || !value("types").is_some_and(has_packages) {
        return None;
    }
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    Some(Stanza {
        uris: words(value("uris")?).join(" "),
        suites: words(value("suites")?),
        components: words(value("components")?).join(" "),
        signed_by: value("signed-by").cloned(),
    })
}

/// A line of a `.list` file: `deb [signed-by=K] URI SUITE COMPONENT…`.
fn one_line(line: &str) -> Option<Stanza> {
    let line = line.split('#').next()?.trim();
    let rest = line.strip_prefix("deb-src").or_else(|| line.strip_prefix("deb"))?;
    let rest = rest.strip_prefix([' ', '\t'])?.trim_start();
    let (options, rest) = match rest.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?,
        None => ("", rest),
    };
    let mut words = rest.split_whitespace().map(str::to_owned);
    let mut options = options.split_whitespace();
    Some(Stanza {
        uris: words.next()?,
        suites: vec![words.next()?],
        components: words.collect::<Vec<_>>().join(" "),
        signed_by: options.find_map(|option| Some(option.strip_prefix("signed-by=")?.to_owned())),
    })
}

/// Whether this machine has apt.
pub(super) fn is_there() -> bool {
    Command::new("apt-get").arg("--version").output().is_ok_and(|output| output.status.success())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const SOURCES: &str = "\
Types: deb
# a comment
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /keys/debian.gpg

Enabled: no
Types: deb
URIs: http://other.example/
Suites: bookworm
Components: main

Types: deb deb-src
URIs: http://mirror.example/security
Suites: bookworm-security
Components: main contrib
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mQ
";

    #[test]
    fn sources_become_those_of_another_release() {
        let stanzas = deb822(SOURCES);
        assert_eq!(stanzas.len(), 2);
        let text = stanzas[0].of_release("bookworm", "trixie").unwrap();
        assert_eq!(
            text,
            "Types: deb-src\nURIs: http://mirror.example/debian\nSuites: trixie\n\
             Components: main\nSigned-By: /keys/debian.gpg\n\n"
        );
        assert_eq!(stanzas[1].of_release("bookworm", "trixie"), None);
        let keys = stanzas[1].signed_by.as_deref().unwrap();
        assert_eq!(keys, "\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n mQ");
    }

    #[test]
    fn old_lines_are_read_too() {
        let line =
            "deb [arch=amd64 signed-by=/keys/u.gpg] http://m.example/ubuntu noble main x # y";
        let stanza = one_line(line).unwrap();
        assert_eq!(
            (stanza.uris.as_str(), stanza.components.as_str()),
            ("http://m.example/ubuntu", "main x")
        );
        assert_eq!(
            (stanza.suites, stanza.signed_by.unwrap()),
            (vec!["noble".to_owned()], "/keys/u.gpg".to_owned())
        );
        for other in ["", "# deb http://x y z", "debian x", "rpm http://x y z"] {
            assert_eq!(one_line(other), None, "{other}");
        }
    }

    #[test]
    fn releases_are_known_by_distribution() {
        let debian = System::parse("ID=debian\nVERSION_CODENAME=bookworm\n").unwrap();
        assert_eq!(debian.release("3.13".parse().unwrap()).unwrap(), "trixie");
        let message = debian.release("3.12".parse().unwrap()).unwrap_err().to_string();
        assert_eq!(message, "no release of debian has CPython 3.12");
        assert!(System::parse("ID=fedora\nVERSION_CODENAME=\"\"\n").is_none());
    }

    #[test]
    fn what_apt_config_prints_is_read() {
        let text = "A::b='/etc/apt/x'\nC=''\nD='it'\n";
        let expected = [("A::b", "/etc/apt/x"), ("D", "it")];
        assert_eq!(settings(text), expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
    }
}
