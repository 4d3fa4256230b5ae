//! Wheels and sdists: written, listed, read back and verified.
//!
//! The idea: one [`FileSet`] *is* what is written. Whoever has a file for the archive adds an
//! [`Entry`] that says where the file goes, what is in it and who claims it; the set refuses a
//! second claim to the same place, naming both. Then [`WheelSpec`] or [`SdistSpec`] sends the set,
//! in one fixed order, through an [`ArchiveWriter`]: a zip file, a compressed tar file, a folder,
//! or the list that `--list-files` prints. No writer adds, drops or reorders anything.
//!
//! Invariants:
//! - The bytes written depend on the file set, the spec and the [`Timestamp`] only: not on the
//!   clock, the order of insertion, the file system, the umask or the processor.
//! - RECORD is made from what was really written: hashes are taken while the content passes.
//! - No I/O of its own: content comes from closures that the caller gives, output goes to the
//!   caller's `Write`. Only [`FolderWriter`] knows a file system, and it isn't compiled for
//!   WebAssembly.
//! - The readers take any bytes: what is malformed is an [`Error`] or a [`RecordProblem`], never a
//!   panic.

mod content;
mod deflate;
mod digest;
mod entry;
mod error;
mod file_set;
#[cfg(not(target_family = "wasm"))]
mod folder;
mod list;
mod metadata;
mod name;
mod path;
mod record;
mod sdist;
mod sdist_reader;
mod tag;
mod tar_gz;
mod timestamp;
mod wheel;
mod wheel_reader;
mod writer;
mod zip_file;
mod zip_reader;

pub use content::{Content, Open};
pub use digest::Sha256Digest;
pub use entry::{Entry, Origin};
pub use error::Error;
pub use file_set::FileSet;
#[cfg(not(target_family = "wasm"))]
pub use folder::FolderWriter;
pub use list::{ListWriter, Listed};
pub use metadata::headers;
pub use name::{escape_distribution_name, escape_version, is_valid_name, normalize_name};
pub use path::ArchivePath;
pub use record::{RecordEntry, parse_record, write_record};
pub use sdist::SdistSpec;
pub use sdist_reader::{Limits, SdistMember, read_sdist, unpack_sdist};
pub use tag::{BuildTag, TagSet};
pub use tar_gz::TarGzWriter;
pub use timestamp::Timestamp;
pub use wheel::WheelSpec;
pub use wheel_reader::{MemberInfo, RecordProblem, WheelReader};
pub use writer::{ArchiveWriter, Member, Written};
pub use zip_file::ZipWriter;
