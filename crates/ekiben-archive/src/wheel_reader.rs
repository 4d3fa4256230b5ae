//! Reading wheels, our own and anybody's, and checking them against their RECORD.
//!
//! A wheel is refused outright when it couldn't be unpacked safely or in only one way: a member
//! whose path leaves the folder, two members of one name, a symbolic link. What is wrong with an
//! otherwise readable wheel is a list of [`RecordProblem`]s, so that a user sees all of them at
//! once.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::{self, Read, Seek};

use sha2::{Digest, Sha256, Sha384, Sha512};

use crate::digest::base64_url;
use crate::zip_reader::{self, ZipMember};
use crate::{ArchivePath, Error, parse_record};

/// A file in a wheel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberInfo {
    /// Its path.
    pub path: ArchivePath,
    /// Length in bytes, as the directory states it.
    pub size: u64,
    /// Length in bytes of what the archive holds of it.
    pub compressed_size: u64,
    /// Permission bits, if the archive was made by a system that has them.
    pub mode: Option<u32>,
}

impl MemberInfo {
    /// Whether anybody may execute the file.
    pub fn is_executable(&self) -> bool {
        self.mode.is_some_and(|mode| mode & 0o111 != 0)
    }
}

/// A wheel that is open for reading.
#[derive(Debug)]
pub struct WheelReader<R> {
    input: R,
    members: Vec<MemberInfo>,
    /// What the archive's directory says of each file.
    directory: BTreeMap<ArchivePath, ZipMember>,
    directory_start: u64,
    dist_info: String,
}

impl<R: Read + Seek> WheelReader<R> {
    /// Reads the directory of a wheel.
    pub fn open(mut input: R) -> Result<Self, Error> {
        let (all, directory_start) = zip_reader::read_directory(&mut input).map_err(malformed)?;
        let mut members = Vec::new();
        let mut directory = BTreeMap::new();
        for member in all {
            let refuse = |problem: String| Error::UnsafeMember {
                archive: "wheel",
                member: member.name.clone(),
                problem,
            };
            let path = ArchivePath::new(member.name.strip_suffix('/').unwrap_or(&member.name))
                .map_err(|error| refuse(error.reason()))?;
            if member.is_link() {
                return Err(refuse("it is a symbolic link".into()));
            }
            if member.name.ends_with('/') {
                continue;
            }
            members.push(MemberInfo {
                path: path.clone(),
                size: member.size,
                compressed_size: member.compressed_size,
                mode: member.mode.map(|mode| mode & 0o7777),
            });
            if let Some(earlier) = directory.insert(path, member) {
                return Err(malformed(format!("it has two members `{}`", earlier.name)));
            }
        }
        let dist_info = find_dist_info(&members)?;
        Ok(Self { input, members, directory, directory_start, dist_info })
    }

    /// The files in the order in which the wheel's directory has them.
    pub fn members(&self) -> &[MemberInfo] {
        &self.members
    }

    /// The folder of the wheel's metadata, without a slash.
    pub fn dist_info_folder(&self) -> &str {
        &self.dist_info
    }

    /// The path of a metadata file: `METADATA`.
    pub fn dist_info(&self, file: &str) -> Result<ArchivePath, Error> {
        ArchivePath::new(format!("{}/{file}", self.dist_info))
    }

    /// Opens a file. Reading it to the end fails if it hasn't the size and checksum that the
    /// archive states; more than that size is never read.
    pub fn open_member(&mut self, path: &ArchivePath) -> Result<impl Read + '_, Error> {
        let member = self.directory.get(path).ok_or_else(|| Error::NoSuchMember(path.clone()))?;
        zip_reader::open(&mut self.input, member, self.directory_start)
            .map_err(|error| malformed(format!("`{path}`: {error}")))
    }

    /// The content of a file, in memory.
    pub fn read(&mut self, path: &ArchivePath) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        self.open_member(path)?
            .read_to_end(&mut bytes)
            .map_err(|error| malformed(format!("`{path}`: {error}")))?;
        Ok(bytes)
    }

    /// The content of a file that holds text.
    pub fn read_text(&mut self, path: &ArchivePath) -> Result<String, Error> {
        String::from_utf8(self.read(path)?)
            .map_err(|_| malformed(format!("`{path}` isn't valid UTF-8")))
    }

    /// Compares every file with RECORD. No problem: the wheel holds exactly what it says.
    pub fn verify_record(&mut self) -> Result<Vec<RecordProblem>, Error> {
        let record_path = self.dist_info("RECORD")?;
        if !self.directory.contains_key(&record_path) {
            return Ok(vec![RecordProblem::NoRecord]);
        }
        let rows = match parse_record(&self.read_text(&record_path)?) {
            Ok(rows) => rows,
            Err((line, problem)) => return Ok(vec![RecordProblem::Malformed { line, problem }]),
        };
        // These can't hold their own hashes, or sign the file that would hold them.
        let unhashed =
            ["RECORD", "RECORD.jws", "RECORD.p7s"].map(|file| format!("{}/{file}", self.dist_info));
        let mut problems = Vec::new();
        let mut listed = BTreeSet::new();
        for row in rows {
            if !listed.insert(row.path.clone()) {
                problems.push(RecordProblem::ListedTwice { path: row.path });
                continue;
            }
            let member = ArchivePath::new(row.path.as_str())
                .ok()
                .filter(|path| self.directory.contains_key(path));
            let Some(path) = member else {
                problems.push(RecordProblem::Missing { path: row.path });
                continue;
            };
            if !unhashed.contains(&row.path) {
                problems.extend(self.compare(&path, &row.hash, &row.size));
            }
        }
        for member in &self.members {
            let path = member.path.as_str();
            if !listed.contains(path) && !unhashed[1..].iter().any(|file| file == path) {
                problems.push(RecordProblem::Unlisted { path: member.path.clone() });
            }
        }
        Ok(problems)
    }

    fn compare(&mut self, path: &ArchivePath, hash: &str, size: &str) -> Option<RecordProblem> {
        let path = path.clone();
        if hash.is_empty() {
            return Some(RecordProblem::NoHash { path });
        }
        let (algorithm, expected) = hash.split_once('=').unwrap_or((hash, ""));
        let found = match algorithm {
            "sha256" => self.hash::<Sha256>(&path),
            "sha384" => self.hash::<Sha384>(&path),
            "sha512" => self.hash::<Sha512>(&path),
            _ => {
                return Some(RecordProblem::UnknownAlgorithm { path, algorithm: algorithm.into() });
            }
        };
        let (found, found_size) = match found {
            Ok(found) => found,
            Err(error) => {
                return Some(RecordProblem::Unreadable { path, reason: error.to_string() });
            }
        };
        // Some writers keep the padding, which Python's installers ignore.
        if found != expected.trim_end_matches('=') {
            let found = format!("{algorithm}={found}");
            return Some(RecordProblem::WrongHash { path, expected: hash.into(), found });
        }
        if !size.is_empty() && size.parse() != Ok(found_size) {
            return Some(RecordProblem::WrongSize {
                path,
                expected: size.into(),
                found: found_size,
            });
        }
        None
    }

    fn hash<D: Digest>(&mut self, path: &ArchivePath) -> io::Result<(String, u64)> {
        let mut hasher = D::new();
        let member = self.directory.get(path).ok_or(io::ErrorKind::NotFound)?;
        let mut member = zip_reader::open(&mut self.input, member, self.directory_start)?;
        let mut block = vec![0; 64 * 1024];
        let mut size = 0;
        loop {
            match member.read(&mut block)? {
                0 => return Ok((base64_url(&hasher.finalize()), size)),
                read => {
                    hasher.update(&block[..read]);
                    size += read as u64;
                }
            }
        }
    }
}

/// One way in which a wheel isn't what its RECORD says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordProblem {
    /// There is no RECORD.
    NoRecord,
    /// A line of RECORD isn't a row.
    Malformed {
        /// Number of the line, from 1.
        line: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// RECORD lists a file twice.
    ListedTwice {
        /// The path as RECORD has it.
        path: String,
    },
    /// RECORD lists a file that isn't in the wheel.
    Missing {
        /// The path as RECORD has it.
        path: String,
    },
    /// The wheel holds a file that RECORD doesn't list.
    Unlisted {
        /// The file.
        path: ArchivePath,
    },
    /// RECORD has no hash for a file.
    NoHash {
        /// The file.
        path: ArchivePath,
    },
    /// RECORD has a hash that is too weak for the format, or unknown.
    UnknownAlgorithm {
        /// The file.
        path: ArchivePath,
        /// The algorithm's name in RECORD.
        algorithm: String,
    },
    /// The content of a file isn't what RECORD says.
    WrongHash {
        /// The file.
        path: ArchivePath,
        /// The hash in RECORD.
        expected: String,
        /// The hash of the content.
        found: String,
    },
    /// The length of a file isn't what RECORD says.
    WrongSize {
        /// The file.
        path: ArchivePath,
        /// The length in RECORD.
        expected: String,
        /// The length of the content.
        found: u64,
    },
    /// The archive is damaged where a file's content is.
    Unreadable {
        /// The file.
        path: ArchivePath,
        /// Why.
        reason: String,
    },
}

impl fmt::Display for RecordProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRecord => write!(f, "the wheel has no RECORD"),
            Self::Malformed { line, problem } => write!(f, "line {line} of RECORD: {problem}"),
            Self::ListedTwice { path } => write!(f, "RECORD lists `{path}` twice"),
            Self::Missing { path } => {
                write!(f, "RECORD lists `{path}`, but the wheel doesn't hold it")
            }
            Self::Unlisted { path } => {
                write!(f, "the wheel holds `{path}`, but RECORD doesn't list it")
            }
            Self::NoHash { path } => write!(f, "RECORD has no hash for `{path}`"),
            Self::UnknownAlgorithm { path, algorithm } => write!(
                f,
                "RECORD has a hash for `{path}` by `{algorithm}`, which isn't one of sha256, \
                 sha384 and sha512"
            ),
            Self::WrongHash { path, expected, found } => {
                write!(f, "`{path}` has the hash {found}, but RECORD says {expected}")
            }
            Self::WrongSize { path, expected, found } => {
                write!(f, "`{path}` has {found} bytes, but RECORD says {expected}")
            }
            Self::Unreadable { path, reason } => write!(f, "`{path}` can't be read: {reason}"),
        }
    }
}

fn malformed(problem: impl fmt::Display) -> Error {
    Error::Malformed { archive: "wheel", problem: problem.to_string() }
}

fn find_dist_info(members: &[MemberInfo]) -> Result<String, Error> {
    let folders: BTreeSet<&str> = members
        .iter()
        .filter_map(|member| member.path.folders().next())
        .filter(|folder| folder.ends_with(".dist-info"))
        .collect();
    let mut folders = folders.into_iter();
    match (folders.next(), folders.next()) {
        (Some(only), None) => Ok(only.to_owned()),
        (None, _) => Err(malformed("it has no `.dist-info` folder")),
        (Some(first), Some(second)) => {
            Err(malformed(format!("it has two metadata folders, `{first}` and `{second}`")))
        }
    }
}
