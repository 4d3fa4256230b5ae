//! What toolchains say of a static module: lines of a word and what follows a tab.

/// What a module's object was made with, and what it needs.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Linked {
    pub(crate) compiler: String,
    pub(crate) linker: String,
    pub(crate) libraries: Vec<Library>,
}

/// A library that a program is linked with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Library {
    pub(crate) name: String,
    /// Its archive, if there is one.
    pub(crate) archive: Option<String>,
}

impl Linked {
    pub(crate) fn parse(text: &str) -> Self {
        let mut linked = Self::default();
        for line in text.lines() {
            let mut fields = line.split('\t').map(str::to_owned);
            let (word, value) = (fields.next(), fields.next());
            match (word.as_deref(), value) {
                (Some("compiler"), Some(value)) => linked.compiler = value,
                (Some("linker"), Some(value)) => linked.linker = value,
                (Some("library"), Some(name)) => {
                    linked.libraries.push(Library { name, archive: fields.next() });
                }
                _ => {}
            }
        }
        linked
    }
}

/// The libraries of all modules, each once, and before those that it comes before in a module's list.
pub(crate) fn together<'a>(modules: impl Iterator<Item = &'a Linked>) -> Vec<Library> {
    let mut all: Vec<Library> = Vec::new();
    for module in modules {
        let mut next = all.len();
        for library in module.libraries.iter().rev() {
            match all.iter().position(|known| known.name == library.name) {
                Some(at) => next = at,
                None => all.insert(next, library.clone()),
            }
        }
    }
    all
}

/// Where the object of a module lies in a static wheel, when its shared object would end with `suffix`.
pub(crate) fn object_path(path: &str, suffix: &str) -> String {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let stem = name.split('.').next().unwrap_or(name);
    let slash = if folder.is_empty() { "" } else { "/" };
    format!("{folder}{slash}{stem}{}.o", suffix.trim_end_matches(".so"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn library(name: &str, archive: Option<&str>) -> Library {
        Library { name: name.to_owned(), archive: archive.map(str::to_owned) }
    }

    #[test]
    fn what_a_toolchain_says_is_understood() {
        let text =
            "compiler\tgcc version 12\nlinker\tGNU ld 2\nlibrary\tz\t/l/libz.a\nlibrary\tm\n";
        let linked = Linked::parse(text);
        assert_eq!(
            (linked.compiler.as_str(), linked.linker.as_str()),
            ("gcc version 12", "GNU ld 2")
        );
        let m = library("m", None);
        assert_eq!(linked.libraries, [library("z", Some("/l/libz.a")), m.clone()]);
        let other = Linked::parse("library\tegg\nlibrary\tm\n");
        let egg = library("egg", None);
        let both = together([&linked, &other].into_iter());
        assert_eq!(both, [library("z", Some("/l/libz.a")), egg, m]);
    }

    #[test]
    fn objects_have_the_names_of_the_shared_objects_of_another_python() {
        let suffix = ".cpython-313-x86_64-linux-gnu.so";
        let path = object_path("spam/_core.cpython-311-x86_64-linux-gnu.o", suffix);
        assert_eq!(path, "spam/_core.cpython-313-x86_64-linux-gnu.o");
        assert_eq!(object_path("_core.abi3.o", suffix), "_core.cpython-313-x86_64-linux-gnu.o");
    }
}
