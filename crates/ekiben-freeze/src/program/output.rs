//! Where a program is written. What is there stays, unless it is a program too.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use ekiben_image::MAGIC;
use ekiben_object::elf;

use super::{Error, SECTION};

/// Refuses to write a program over something that it is made of, or that is no program: folders,
/// devices, and files that aren't empty.
///
/// # Errors
/// If the program would replace such a thing, or that can't be told.
pub fn check_output<'a>(
    output: &Path,
    inputs: impl IntoIterator<Item = &'a Path>,
) -> Result<(), Error> {
    let identity = |path: &Path| fs::metadata(path).ok().map(|it| (it.dev(), it.ino()));
    let own = identity(output);
    if own.is_some() && inputs.into_iter().any(|input| identity(input) == own) {
        return Err(refused(output, "is what it is made of"));
    }
    check_replaceable(output)
}

/// The same, where nothing is known of what the program is made of.
pub(super) fn check_replaceable(output: &Path) -> Result<(), Error> {
    match output.symlink_metadata() {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(Error::io("read", output)(error)),
        Ok(_) => {}
    }
    match fs::metadata(output) {
        Ok(it) if it.is_dir() => Err(refused(output, "is a folder")),
        Ok(it) if !it.is_file() => Err(refused(output, "is there, and no regular file")),
        Ok(it) if it.len() == 0 || is_program(output)? => Ok(()),
        Ok(_) => Err(refused(output, "is there, and no program that Ekiben made")),
        Err(_) => Err(refused(output, "is a link that leads nowhere")),
    }
}

fn refused(output: &Path, why: &'static str) -> Error {
    Error::Output { path: output.to_owned(), why }
}

/// Whether a file holds the image of a program. What can't be read to the end is none.
fn is_program(path: &Path) -> Result<bool, Error> {
    let file = fs::File::open(path).map_err(Error::io("read", path))?;
    Ok(elf::section_begins(file, SECTION, &MAGIC).unwrap_or(false))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::os::unix::fs::symlink;

    use rustix::fs::{CWD, FileType, Mode, mknodat};

    use super::*;

    #[test]
    fn only_programs_and_what_is_empty_are_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("empty"), "").unwrap();
        fs::write(at("text"), "text").unwrap();
        fs::create_dir(at("folder")).unwrap();
        symlink(at("nowhere"), at("dangling")).unwrap();
        symlink(at("empty"), at("link")).unwrap();
        mknodat(CWD, at("fifo"), FileType::Fifo, Mode::RUSR, 0).unwrap();
        let check = |name: &str, inputs: &[&Path]| {
            let checked = check_output(&at(name), inputs.iter().copied());
            let shown = |error: Error| {
                error.to_string().replace(&folder.path().display().to_string(), "[FOLDER]")
            };
            checked.map_err(shown)
        };
        for free in ["new", "no-folder/new", "empty", "link"] {
            assert_eq!(check(free, &[&at("text"), &at("nowhere")]), Ok(()));
        }
        let said = ["text", "folder", "dangling", "fifo"].map(|name| check(name, &[]).unwrap_err());
        insta::assert_snapshot!(said.join("\n"), @r"
        the program can't be written: [FOLDER]/text is there, and no program that Ekiben made
        the program can't be written: [FOLDER]/folder is a folder
        the program can't be written: [FOLDER]/dangling is a link that leads nowhere
        the program can't be written: [FOLDER]/fifo is there, and no regular file
        ");
        let error = check("link", &[&at("folder/../empty")]).unwrap_err();
        assert!(error.ends_with("link is what it is made of"), "{error}");
        // An ELF file that isn't ours.
        let own = std::env::current_exe().unwrap();
        fs::copy(own, at("elf")).unwrap();
        assert!(check("elf", &[]).unwrap_err().ends_with("no program that Ekiben made"));
    }
}
