//! Functions in whose place a program has its own, by the linker's `--wrap`.
//!
//! The linker has calls go elsewhere that leave an object, and no others: what is called within the
//! object that defines it, stays as it is without a word. So all members of CPython's library that call
//! such a function must be others than the one that defines it.

use std::path::Path;

use ekiben_object::elf::{Linkage, linkage, members as members_of};

use super::error::Error;
use super::files;

/// An object of those that CPython is linked from.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) name: String,
    pub(super) linkage: Linkage,
}

/// The functions that an object has another form of: its table of strings has `__wrap_NAME`.
pub(super) fn names(object: &[u8]) -> Vec<String> {
    const MARK: &[u8] = b"\0__wrap_";
    let mut names: Vec<String> = memchr::memmem::find_iter(object, MARK)
        .filter_map(|at| {
            let name = object.get(at + MARK.len()..)?.split(|byte| *byte == 0).next()?;
            String::from_utf8(name.to_vec()).ok()
        })
        .collect();
    names.sort();
    names.dedup();
    names
}

/// What is in archives, and objects themselves.
pub(super) fn members(paths: &[&Path]) -> Result<Vec<Member>, Error> {
    let mut all = Vec::new();
    for path in paths {
        let bytes = files::read(path)?;
        let damaged = |error: ekiben_object::Error| Error::Archive {
            path: path.to_path_buf(),
            message: error.to_string(),
        };
        let objects = match bytes.starts_with(b"!<arch>\n") {
            true => members_of(&bytes).map_err(damaged)?,
            false => vec![(path.display().to_string(), bytes.as_slice())],
        };
        for (name, object) in objects {
            all.push(Member { name, linkage: linkage(object).map_err(damaged)? });
        }
    }
    Ok(all)
}

/// An error, if the members define a function and none calls it by the linker.
pub(super) fn check(name: &str, members: &[Member]) -> Result<(), Error> {
    let Some(by) = members.iter().find(|member| member.linkage.given.contains_key(name)) else {
        // Of another library.
        return Ok(());
    };
    if members.iter().any(|member| member.linkage.taken.contains(name)) {
        return Ok(());
    }
    Err(Error::Internal(format!(
        "`{name}` can't be replaced: all that calls it is in {}, which defines it",
        by.name
    )))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::runtime::testing;

    #[test]
    fn main_says_what_is_to_be_replaced() {
        let object =
            b"\x7fELF\0__wrap_fstat\0main\0__real_fstat\0__wrap_PyInit_time\0__wrap_fstat\0";
        assert_eq!(names(object), ["PyInit_time", "fstat"]);
        assert!(names(b"").is_empty());
    }

    #[test]
    fn what_only_its_own_object_calls_cant_be_replaced() {
        let work = tempfile::tempdir().unwrap();
        let compile = |name, source| testing::compile(work.path(), name, source, &["-O0"]);
        let one = compile("one", "int f(void) { return 1; } int g(void) { return f(); }\n");
        let two = compile("two", "int f(void); int h(void) { return f() + 1; }\n");
        let library = testing::archive(work.path(), "libx.a", &[&one, &two]);
        let all = members(&[&library]).unwrap();
        assert_eq!(all.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(), ["one.o", "two.o"]);
        check("f", &all).unwrap();
        check("getpwnam", &all).unwrap();
        let error = check("g", &all).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`g` can't be replaced: all that calls it is in one.o, which defines it"
        );
        // The table of modules is an object of its own.
        let table = compile("table", "int g(void); int (*table[])(void) = {g};\n");
        check("g", &members(&[&library, &table]).unwrap()).unwrap();
    }
}
