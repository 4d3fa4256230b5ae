//! `ekiben new`: a project to start from, rendered from `pyproject-templates/`.
//!
//! Invariant: everything is rendered and written to a folder beside the new one before anything
//! appears in its place.

mod name;

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::ValueEnum as _;
use ekiben_core::{Cause, Problem, Problems};
use minijinja::{Environment, UndefinedBehavior, context};

use self::name::Name;
use super::End;
use super::build::print;
use crate::cli::{Ci, Global, New, Template};
use crate::report;

macro_rules! template {
    ($path:literal) => {
        include_str!(concat!("../../../../pyproject-templates/", $path))
    };
}

/// Runs `ekiben new`.
pub(crate) fn run(new: &New, global: &Global) -> End {
    // Without `--list` there is a path.
    let Some(path) = new.path.as_deref().filter(|_| !new.list) else {
        print(&list());
        return End::Done;
    };
    match perform(new, path, global) {
        Ok(()) => End::Done,
        Err(problems) => {
            report::show_problems(&problems, path);
            End::Refused
        }
    }
}

/// The templates, each with what it is for.
fn list() -> String {
    let mut text = String::new();
    for template in Template::value_variants().iter().filter_map(Template::to_possible_value) {
        let help = template.get_help().map(ToString::to_string).unwrap_or_default();
        // Writing to a string doesn't fail.
        let _ = writeln!(text, "{:<14}{help}", template.get_name());
    }
    text
}

fn perform(new: &New, path: &Path, global: &Global) -> Result<(), Problems> {
    let folder = std::path::absolute(path).map_err(|e| failed("find", path, &e))?;
    let name = match &new.name {
        Some(name) => name.clone(),
        None => folder.file_name().unwrap_or_default().to_string_lossy().into_owned(),
    };
    let name = Name::parse(&name)?;
    refuse_full(&folder)?;
    let files = files(new.template, new.ci, &name)?;
    write(&folder, &files).map_err(|error| failed("write", path, &error))?;
    if !global.quiet {
        let (project, path) = (&name.project, path.display());
        print(&format!(
            "Made {project}; what to do next:\n  cd {path}\n  pip install -e .\n  \
             python -m unittest discover tests\n"
        ));
    }
    Ok(())
}

fn error(message: String, help: &str) -> Problems {
    Problem::error(Cause::Input, "new", message).help(help.to_owned()).into()
}

fn failed(what: &str, path: &Path, source: &io::Error) -> Problems {
    let message = format!("can't {what} `{}`: {source}", path.display());
    Problem::error(Cause::Environment, "new", message)
        .help("choose a folder that you may write to")
        .into()
}

/// The folder must have nothing in it but a repository.
fn refuse_full(folder: &Path) -> Result<(), Problems> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(source) if source.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(failed("read", folder, &source)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|source| failed("read", folder, &source))?;
        names.push(entry.file_name().to_string_lossy().into_owned());
    }
    names.retain(|name| name != ".git");
    names.sort();
    let Some(first) = names.first() else { return Ok(()) };
    Err(error(
        format!("the folder isn't empty: `{first}` is in the way"),
        "name a new folder; for a project with setup.py or bento.info there is `ekiben migrate`",
    ))
}

/// What differs from one template to another.
struct Module {
    language: &'static str,
    /// The sources: their names in the package, and what they are rendered from.
    sources: &'static [(&'static str, &'static str)],
    /// `build-system.requires`.
    requires: &'static [&'static str],
}

impl Module {
    fn of(template: Template) -> Self {
        const PLAIN: &[&str] = &["ekiben"];
        const CYTHON: &[&str] = &["ekiben", "Cython>=3.0"];
        match template {
            Template::C => Self {
                language: "C",
                sources: &[("_core.c", template!("c/core.c"))],
                requires: PLAIN,
            },
            Template::Cxx => Self {
                language: "C++",
                sources: &[("_core.cpp", template!("c++/core.cpp"))],
                requires: PLAIN,
            },
            Template::Fortran => Self {
                language: "Fortran",
                sources: &[
                    ("_core.c", template!("fortran/core.c")),
                    ("mean.f90", template!("fortran/mean.f90")),
                ],
                requires: PLAIN,
            },
            Template::Cython => Self {
                language: "Cython",
                sources: &[("_core.pyx", template!("cython/core.pyx"))],
                requires: CYTHON,
            },
            Template::CythonNumpy => Self {
                language: "Cython",
                sources: &[("_core.pyx", template!("cython-numpy/core.pyx"))],
                requires: CYTHON,
            },
        }
    }
}

fn files(template: Template, ci: Ci, name: &Name) -> Result<Vec<(PathBuf, String)>, Problems> {
    let Module { language, sources: code, requires } = Module::of(template);
    let package = &name.package;
    let mut sources = vec![
        ("pyproject.toml".to_owned(), template!("common/pyproject.toml")),
        ("README.md".to_owned(), template!("common/README.md")),
        ("LICENSE".to_owned(), template!("common/LICENSE")),
        (".gitignore".to_owned(), template!("common/gitignore")),
        (format!("src/{package}/__init__.py"), template!("common/init.py")),
        (format!("src/{package}/_core.pyi"), template!("common/core.pyi")),
        (format!("src/{package}/py.typed"), ""),
        (format!("tests/test_{package}.py"), template!("common/test.py")),
    ];
    sources.extend(code.iter().map(|(file, text)| (format!("src/{package}/{file}"), *text)));
    match ci {
        Ci::Github => {
            sources.push((".github/workflows/test.yml".to_owned(), template!("common/github.yml")));
        }
        Ci::Gitlab => sources.push((".gitlab-ci.yml".to_owned(), template!("common/gitlab.yml"))),
        Ci::None => {}
    }
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    let values = context! {
        name => &name.project,
        package,
        language,
        requires => requires.to_vec(),
        sources => code.iter().map(|(file, _)| *file).collect::<Vec<_>>(),
        fortran => template == Template::Fortran,
        numpy => template == Template::CythonNumpy,
    };
    let render = |text: &str| {
        let mut text = environment.render_str(text, &values)?;
        // Jinja takes the end of the last line away.
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        Ok::<_, minijinja::Error>(text)
    };
    let rendered = sources.into_iter().map(|(path, text)| Ok((PathBuf::from(path), render(text)?)));
    rendered.collect::<Result<_, minijinja::Error>>().map_err(|source| {
        let message = format!("a template of `ekiben new` is wrong: {source}");
        Problem::error(Cause::Internal, "new", message)
            .help("please report this bug in Ekiben")
            .into()
    })
}

fn write(folder: &Path, files: &[(PathBuf, String)]) -> io::Result<()> {
    let parent = folder.parent().unwrap_or(folder);
    fs::create_dir_all(parent)?;
    let beside = tempfile::Builder::new().prefix(".ekiben-new-").tempdir_in(parent)?;
    let made = beside.path().join("project");
    for (path, text) in files {
        let path = made.join(path);
        fs::create_dir_all(path.parent().unwrap_or(&made))?;
        fs::write(path, text)?;
    }
    if !folder.exists() {
        return fs::rename(&made, folder);
    }
    // A folder that somebody may stand in keeps its identity.
    let mut moved = Vec::new();
    for entry in fs::read_dir(&made)? {
        let name = entry?.file_name();
        if let Err(error) = fs::rename(made.join(&name), folder.join(&name)) {
            for name in moved {
                fs::rename(folder.join(&name), made.join(&name))?;
            }
            return Err(error);
        }
        moved.push(name);
    }
    Ok(())
}
