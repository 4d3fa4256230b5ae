//! `ekiben migrate`: a `pyproject.toml` from what other build systems read.

use std::io::Write as _;

use ekiben_core::{Cause, Problem, Problems};
use ekiben_migrate::{Migration, NoteKind, Source};
use ekiben_python::{NoCache, find_interpreter};

use super::End;
use super::build::print;
use crate::cli::{Global, Migrate, MigrateFrom};
use crate::report;

/// Runs `ekiben migrate`.
pub(crate) fn run(migrate: &Migrate, global: &Global) -> End {
    match perform(migrate, global) {
        Ok(end) => end,
        Err(problems) => {
            report::show_problems(&problems, &migrate.project);
            End::Refused
        }
    }
}

fn perform(migrate: &Migrate, global: &Global) -> Result<End, Problems> {
    let source = source(migrate)?;
    let python = if source.needs_python() {
        let found = find_interpreter(migrate.python.as_deref(), Some(&migrate.project), &NoCache);
        Some(found.map_err(Problems::from)?)
    } else {
        None
    };
    let python = python.as_ref().map(ekiben_python::Interpreter::executable);
    let migration = ekiben_migrate::migrate(&migrate.project, source, python)
        .map_err(|error| problem(&error))?;
    if migrate.stdout {
        print(&migration.text);
        tell(&summary(&migration), global);
        return Ok(End::Done);
    }
    if !global.quiet {
        print(&migration.diff());
    }
    tell(&summary(&migration), global);
    if migrate.check {
        return Ok(if migration.changes() { End::Failed } else { End::Done });
    }
    migration.write().map_err(|error| problem(&error))?;
    let path = report::short(migration.path());
    tell(&format!("Wrote {}; {source} stays until you remove it\n", path.display()), global);
    Ok(End::Done)
}

fn source(migrate: &Migrate) -> Result<Source, Problems> {
    let chosen = migrate.from.map(|from| match from {
        MigrateFrom::SetupPy => Source::SetupPy,
        MigrateFrom::SetupCfg => Source::SetupCfg,
        MigrateFrom::Bento => Source::Bento,
    });
    let nothing = || problem(&ekiben_migrate::Error::NothingToMigrate(migrate.project.clone()));
    chosen.or_else(|| Source::find(&migrate.project)).ok_or_else(nothing)
}

fn problem(error: &ekiben_migrate::Error) -> Problems {
    let problem = Problem::error(Cause::Input, "migrate", error.to_string());
    match error.help() {
        Some(help) => problem.help(help).into(),
        None => problem.into(),
    }
}

/// What a person must do now.
fn summary(migration: &Migration) -> String {
    let mut text = String::new();
    for (kind, title) in [
        (NoteKind::Decide, "To decide"),
        (NoteKind::Check, "To check"),
        (NoteKind::Dropped, "Left out, for it means nothing any more"),
    ] {
        let notes: Vec<_> = migration.notes_of(kind).collect();
        if notes.is_empty() {
            continue;
        }
        text.push_str(&format!("{title} ({}):\n", notes.len()));
        for note in notes {
            text.push_str(&format!("  - {}\n", note.text));
        }
    }
    text
}

fn tell(text: &str, global: &Global) {
    if !global.quiet {
        // Nobody is left to hear it.
        let _ = write!(anstream::stderr(), "{text}");
    }
}
