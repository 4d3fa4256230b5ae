//! What Cython projects cost, beside setuptools and meson-python, and beside Cython and gcc alone.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::Result;

use super::table::{Cost, Table, cost};
use super::{BACKENDS, Bench, recreate};

/// Ways to build: the column, the backend, and whether utility code is shared.
const WAYS: [(&str, &str, bool); 4] = [
    ("ekiben", "ekiben", false),
    ("ekiben, sharing", "ekiben", true),
    ("setuptools", "setuptools", false),
    ("meson-python", "meson-python", false),
];
const ALONE: &str = "cython and gcc alone";

/// How many modules the larger projects have.
const MODULES: usize = 10;

/// Measures, and gives the tables.
pub(super) fn tables(bench: &Bench, rounds: usize) -> Result<String> {
    let mut text = String::new();
    for (title, source) in
        [("Cython without memoryviews", PLAIN), ("Cython with memoryviews", VIEWS)]
    {
        let mut table = Table::default();
        for round in 0..=rounds {
            eprintln!("{title}: round {round} of {rounds}");
            // The first round warms the page cache, and doesn't count.
            measure(bench, source, (round > 0).then_some(&mut table))?;
        }
        let columns: Vec<&str> = WAYS.iter().map(|(name, ..)| *name).chain([ALONE]).collect();
        let _ = writeln!(text, "{title}:\n\n{}", table.markdown(&columns));
    }
    Ok(text)
}

fn measure(bench: &Bench, source: &str, mut table: Option<&mut Table>) -> Result<()> {
    let scratch = bench.scratch.join("cython");
    let cache = scratch.join("cache");
    let mut add = |row: &str, column: &str, cost: Cost| {
        if let Some(table) = &mut table {
            table.add(row, column, cost);
        }
    };
    for (column, backend, shares) in WAYS {
        let project = scratch.join(backend);
        let cold = |modules: usize| -> Result<Cost> {
            bench.fresh_cache(&cache)?;
            recreate(&project)?;
            write_project(&project, backend, source, modules, shares)?;
            bench.hook(backend, &project, &cache)
        };
        // One module has nobody to share with.
        if !shares {
            add("one module, cold", column, cold(1)?);
        }
        add("ten modules, cold", column, cold(MODULES)?);
        add("ten, nothing to do", column, bench.hook(backend, &project, &cache)?);
        let touched = project.join("src/spam/m3.pyx");
        let text = fs::read_to_string(&touched)?;
        fs::write(&touched, format!("{text}\n\ndef more():\n    return 1\n"))?;
        add("ten, one touched", column, bench.hook(backend, &project, &cache)?);
    }
    let project = scratch.join("setuptools");
    let mut translate = bench.venv.program("cython");
    translate.args(["-3", "src/spam/m3.pyx", "-o", "alone.c"]).current_dir(&project);
    let alone = cost(&mut translate)?.and(bench.compiler_alone(&project, "alone.c")?);
    add("one module, cold", ALONE, alone);
    Ok(())
}

/// A package of that many modules, for one of the backends.
fn write_project(
    folder: &Path,
    backend: &str,
    source: &str,
    modules: usize,
    shares: bool,
) -> Result<()> {
    let package = folder.join("src/spam");
    fs::create_dir_all(&package)?;
    fs::write(package.join("__init__.py"), "")?;
    for number in 0..modules {
        let text = source.replace("NUMBER", &number.to_string());
        fs::write(package.join(format!("m{number}.pyx")), text)?;
    }
    let object = BACKENDS.iter().find(|(name, _)| *name == backend).map_or("", |(_, it)| it);
    let mut manifest = format!(
        "[build-system]\nrequires = [\"{backend}\", \"Cython\"]\nbuild-backend = \"{object}\"\n\n[project]\nname = \"spam\"\nversion = \"1.0\"\n"
    );
    match backend {
        "setuptools" => {
            manifest.push_str(
                "\n[tool.setuptools]\npackages = [\"spam\"]\npackage-dir = {\"\" = \"src\"}\n",
            );
            fs::write(
                folder.join("setup.py"),
                "from Cython.Build import cythonize\nfrom setuptools import setup\n\nsetup(ext_modules=cythonize([\"src/spam/*.pyx\"], language_level=3))\n",
            )?;
        }
        "meson-python" => {
            let mut build = String::from(
                "project('spam', 'c', 'cython', version: '1.0', default_options: ['buildtype=release'])\npy = import('python').find_installation(pure: false)\npy.install_sources('src/spam/__init__.py', subdir: 'spam')\n",
            );
            for number in 0..modules {
                let _ = writeln!(
                    build,
                    "py.extension_module('m{number}', 'src/spam/m{number}.pyx', subdir: 'spam', install: true)"
                );
            }
            fs::write(folder.join("meson.build"), build)?;
        }
        _ if shares => {
            fs::write(package.join("_utility.pyx"), "")?;
            manifest.push_str(
                "\n[tool.ekiben.options.cython]\nshared-utility-module = \"spam._utility\"\n",
            );
        }
        _ => {}
    }
    fs::write(folder.join("pyproject.toml"), manifest)?;
    Ok(())
}

/// A module of objects.
const PLAIN: &str = r#"from libc.math cimport exp


cdef class CounterNUMBER:
    """Counts words."""

    cdef dict counts
    cdef readonly int total

    def __init__(self):
        self.counts = {}
        self.total = 0

    cpdef add(self, str word, int times=1):
        self.counts[word] = self.counts.get(word, 0) + times
        self.total += times

    def most(self, limit=10):
        return sorted(self.counts.items(), key=lambda item: -item[1])[:limit]

    def __len__(self):
        return len(self.counts)


cdef double decay(double value, int steps) noexcept nogil:
    cdef int i
    for i in range(steps):
        value *= exp(-value)
    return value


def decaysNUMBER(values, int steps):
    return [decay(value, steps) for value in values]


def describeNUMBER(items):
    names = {str(key): len(value) for key, value in items.items()}
    try:
        return ", ".join(f"{name}={size}" for name, size in sorted(names.items()))
    except TypeError as error:
        raise ValueError("unsortable") from error
"#;

/// A module of numbers.
const VIEWS: &str = r#"# cython: boundscheck=False, wraparound=False
from libc.math cimport exp, sqrt


cdef class GridNUMBER:
    """A grid of values."""

    cdef double[:, ::1] values
    cdef readonly double step

    def __init__(self, double[:, ::1] values, double step=1.0):
        if step <= 0:
            raise ValueError("step must be positive")
        self.values = values
        self.step = step

    cpdef double total(self):
        cdef Py_ssize_t i, j
        cdef double total = 0
        for i in range(self.values.shape[0]):
            for j in range(self.values.shape[1]):
                total += self.values[i, j]
        return total * self.step * self.step

    def rows(self):
        for i in range(self.values.shape[0]):
            yield [self.values[i, j] for j in range(self.values.shape[1])]


def smoothNUMBER(double[:, ::1] data, double[:, ::1] out, double width):
    """Writes the smoothed data to out."""
    cdef Py_ssize_t i, j
    cdef double weight = exp(-width * NUMBER)
    with nogil:
        for i in range(1, data.shape[0] - 1):
            for j in range(1, data.shape[1] - 1):
                out[i, j] = weight * data[i, j] + (1 - weight) * 0.25 * (
                    data[i - 1, j] + data[i + 1, j] + data[i, j - 1] + data[i, j + 1]
                )


def normNUMBER(double[::1] values, *, order=2):
    cdef double total = 0
    cdef Py_ssize_t i
    if order != 2:
        return sum(abs(value) ** order for value in values) ** (1 / order)
    for i in range(values.shape[0]):
        total += values[i] * values[i]
    return sqrt(total)
"#;
