//! The version that follows from git's tags, by the scheme that setuptools-scm made common.
//!
//! On a tag `v1.2.3` it is 1.2.3. Five commits later it is `1.2.4.dev5+g0123abc`: before the next
//! release, whichever that will be. With changes that aren't committed, the date is added.
//!
//! A tag counts if the pattern finds a version in it. git is told which tags count, so the
//! nearest of these decides, and tags of other projects in the repository don't disturb. Of
//! several on one commit the highest version wins.

use std::io;
use std::process::Output;
use std::str::FromStr;

use pep440_rs::Version;
use regex::Regex;

use super::surroundings::Surroundings;
use crate::project::PYPROJECT;

/// The tags that count where nothing else is said: `1.2.3`, `v1.2.3`, `spam-1.2.3`, `spam-v1.2`.
pub(super) const TAG_PATTERN: &str = r"^(?:[\w-]+-)?[vV]?(?P<version>\d+(?:\.\d+)*[^+]*)(?:\+.*)?$";

/// Why git gives no version.
#[derive(Debug)]
pub(super) struct Trouble {
    pub(super) code: &'static str,
    pub(super) message: String,
    pub(super) help: Vec<String>,
    /// Whether there is no history at all, so that a fallback isn't a lie about one.
    pub(super) is_absent: bool,
}

impl Trouble {
    fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), help: Vec::new(), is_absent: false }
    }

    fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    fn absent(mut self) -> Self {
        self.is_absent = true;
        self.help(
            "set `EKIBEN_VERSION`, or give `fallback = \"…\"` in [tool.ekiben.version] for builds without git",
        )
    }
}

/// Where the working tree stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct State {
    /// The version of the nearest tag, if there is one.
    pub(super) tag: Option<Version>,
    /// How many commits there are since the tag, or at all.
    pub(super) distance: u64,
    /// The commit, abbreviated.
    pub(super) commit: String,
    pub(super) is_dirty: bool,
}

pub(super) fn version(
    around: &dyn Surroundings,
    pattern: &Regex,
    with_local: bool,
) -> Result<Version, Trouble> {
    state(around, pattern)?.version(with_local, around.now())
}

impl State {
    pub(super) fn version(&self, with_local: bool, now: u64) -> Result<Version, Trouble> {
        if let (Some(tag), 0, false) = (&self.tag, self.distance, self.is_dirty) {
            return Ok(tag.clone());
        }
        let base = match &self.tag {
            Some(tag) => next(tag)?,
            None => "0.1".to_owned(),
        };
        let mut text = format!("{base}.dev{}", self.distance);
        if with_local {
            text.push_str(&format!("+g{}", self.commit));
            if self.is_dirty {
                text.push_str(&format!(".d{}", date(now)));
            }
        }
        Version::from_str(&text).map_err(|error| {
            Trouble::new(
                "invalid-version",
                format!("`{text}`, made from git, isn't a version: {error}"),
            )
        })
    }
}

/// The release that comes next at the earliest: the last number raised by one.
fn next(tag: &Version) -> Result<String, Trouble> {
    let text = tag.to_string();
    if let Some((release, dev)) = text.rsplit_once(".dev") {
        if dev == "0" {
            return Ok(release.to_owned());
        }
        let message = format!(
            "the nearest tag, {text}, is a development release, and nothing follows from counting on from it"
        );
        return Err(Trouble::new("dev-tag", message).help(format!(
            "tag releases and candidates only, such as `v{release}rc1` or `v{release}.dev0`"
        )));
    }
    let stem = text.trim_end_matches(|c: char| c.is_ascii_digit());
    let last: u64 = text[stem.len()..].parse().unwrap_or_default();
    Ok(format!("{stem}{}", last.saturating_add(1)))
}

fn state(around: &dyn Surroundings, pattern: &Regex) -> Result<State, Trouble> {
    let place = succeed(&run(around, &["rev-parse", "--show-prefix", "--is-shallow-repository"])?)?;
    let mut lines = place.lines();
    let prefix = lines.next().unwrap_or_default();
    let is_shallow = lines.next() == Some("true");
    if !prefix.is_empty() {
        let tracked = run(around, &["ls-files", "--error-unmatch", "--", PYPROJECT])?;
        if !tracked.status.success() {
            let message = "the project isn't in git: it lies in a repository that doesn't track its pyproject.toml";
            return Err(Trouble::new("no-repository", message)
                .help("add the project to the repository: `git add pyproject.toml`")
                .absent());
        }
    }
    let tags = tags(around, pattern)?;
    if !tags.is_empty() {
        let mut arguments = vec!["describe", "--long", "--tags", "--dirty"];
        let matches: Vec<String> = tags.iter().map(|tag| format!("--match={}", tag.name)).collect();
        arguments.extend(matches.iter().map(String::as_str));
        let described = run(around, &arguments)?;
        if described.status.success() {
            return nearest(&stdout(&described), &tags);
        }
    }
    let count = run(around, &["rev-list", "--count", "HEAD"])?;
    if !count.status.success() {
        return Err(Trouble::new("no-commits", "the repository has no commit").absent());
    }
    if is_shallow {
        let seen = if tags.is_empty() { "and has no tag" } else { "and no tag is in reach" };
        return Err(Trouble::new(
            "shallow-clone",
            format!("the clone is shallow {seen}, so the version isn't known"),
        )
        .help("fetch the history and the tags: `git fetch --unshallow --tags`")
        .help(
            "on a CI host, ask for the whole history: with `actions/checkout`, `fetch-depth: 0`",
        ));
    }
    let commit = succeed(&run(around, &["describe", "--always", "--dirty", "--exclude=*"])?)?;
    let commit = commit.trim();
    let distance = stdout(&count).trim().parse().unwrap_or_default();
    let (commit, is_dirty) = strip_dirty(commit);
    Ok(State { tag: None, distance, commit: commit.to_owned(), is_dirty })
}

/// A tag with a version in it, and the commit it is on.
struct Tag {
    name: String,
    commit: String,
    version: Version,
}

fn tags(around: &dyn Surroundings, pattern: &Regex) -> Result<Vec<Tag>, Trouble> {
    // The second name is that of the commit, where the tag is an object of its own.
    let format = "--format=%(objectname) %(*objectname) %(refname:strip=2)";
    let listed = succeed(&run(around, &["for-each-ref", format, "refs/tags"])?)?;
    let tag = |line: &str| {
        let mut words = line.splitn(3, ' ');
        let (object, commit, name) = (words.next()?, words.next()?, words.next()?);
        let found = pattern.captures(name)?.name("version")?.as_str();
        let version = Version::from_str(found).ok()?;
        let commit = if commit.is_empty() { object } else { commit };
        Some(Tag { name: name.to_owned(), commit: commit.to_owned(), version })
    };
    Ok(listed.lines().filter_map(tag).collect())
}

/// Reads `v1.2.3-5-g0123abc-dirty`.
fn nearest(described: &str, tags: &[Tag]) -> Result<State, Trouble> {
    let (text, is_dirty) = strip_dirty(described.trim());
    let mut parts = text.rsplitn(3, '-');
    let commit = parts.next().and_then(|part| part.strip_prefix('g'));
    let distance = parts.next().and_then(|part| part.parse().ok());
    let name = parts.next();
    let (Some(commit), Some(distance), Some(name)) = (commit, distance, name) else {
        return Err(Trouble::new("git-failed", format!("`git describe` said `{text}`")));
    };
    let on = tags.iter().find(|tag| tag.name == name).map(|tag| &tag.commit);
    let tag =
        tags.iter().filter(|tag| Some(&tag.commit) == on).map(|tag| tag.version.clone()).max();
    Ok(State { tag, distance, commit: commit.to_owned(), is_dirty })
}

fn strip_dirty(text: &str) -> (&str, bool) {
    match text.strip_suffix("-dirty") {
        Some(clean) => (clean, true),
        None => (text, false),
    }
}

fn run(around: &dyn Surroundings, arguments: &[&str]) -> Result<Output, Trouble> {
    around.git(arguments).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => {
            Trouble::new("no-git", "the version comes from git, and there is no program `git`")
                .help("install git")
                .absent()
        }
        _ => Trouble::new("no-git", format!("git can't be started: {error}")),
    })
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The output of a run that worked, or what git complained about.
fn succeed(output: &Output) -> Result<String, Trouble> {
    if output.status.success() {
        return Ok(stdout(output));
    }
    let said = String::from_utf8_lossy(&output.stderr);
    if said.contains("not a git repository") {
        let message = "the version comes from git, and the project isn't in a git repository";
        return Err(Trouble::new("no-repository", message)
            .help(
                "build from a clone, or from a source distribution, whose PKG-INFO has the version",
            )
            .absent());
    }
    if said.contains("dubious ownership") {
        let advice = said.lines().map(str::trim).find(|line| line.starts_with("git config"));
        let advice = advice.unwrap_or("git config --global --add safe.directory <folder>");
        return Err(Trouble::new(
            "foreign-repository",
            "git doesn't trust the repository: it belongs to another user",
        )
        .help(format!("if you trust it: `{advice}`")));
    }
    let first = said.lines().next().unwrap_or_default().trim_start_matches("fatal: ");
    Err(Trouble::new("git-failed", format!("git failed: {first}")))
}

/// `YYYYMMDD` in UTC.
fn date(seconds: u64) -> String {
    // Years that begin with March, so that the leap day comes last.
    let days = seconds / 86_400 + 719_468;
    let era = days / 146_097;
    let day_of_era = days % 146_097;
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    format!("{year:04}{month:02}{day:02}")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (seconds, text) in [
            (0, "19700101"),
            (951_782_400, "20000229"),
            (951_868_800, "20000301"),
            (1_735_689_599, "20241231"),
            (4_107_542_399, "21000228"),
            (4_107_542_400, "21000301"),
        ] {
            assert_eq!(date(seconds), text);
        }
    }

    #[test]
    fn the_last_number_goes_up() {
        let next = |text: &str| next(&Version::from_str(text).unwrap()).map_err(|t| t.code);
        assert_eq!(next("1.2.3"), Ok("1.2.4".to_owned()));
        assert_eq!(next("1.9"), Ok("1.10".to_owned()));
        assert_eq!(next("2.0rc1"), Ok("2.0rc2".to_owned()));
        assert_eq!(next("1.0.post1"), Ok("1.0.post2".to_owned()));
        assert_eq!(next("1!2"), Ok("1!3".to_owned()));
        assert_eq!(next("1.0.dev0"), Ok("1.0".to_owned()));
        assert_eq!(next("1.0.dev3"), Err("dev-tag"));
    }

    #[test]
    fn tags_of_the_usual_forms_count() {
        let pattern = Regex::new(TAG_PATTERN).unwrap();
        let found = |tag| pattern.captures(tag).map(|c| c["version"].to_owned());
        assert_eq!(found("v1.2.3").as_deref(), Some("1.2.3"));
        assert_eq!(found("spam-eggs-v2.0rc1").as_deref(), Some("2.0rc1"));
        assert_eq!(found("1.0+local").as_deref(), Some("1.0"));
        assert_eq!(found("latest"), None);
    }
}
