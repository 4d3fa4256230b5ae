//! [`PACKAGES`]: whose packages are built, and what is known of them.

use std::ops::RangeInclusive;

/// A package of others.
#[derive(Debug)]
pub(super) struct Package {
    /// Its folder in `tests/real`.
    pub(super) name: &'static str,
    /// The minor versions of Python 3 that it supports, of those that Ekiben does.
    pub(super) minors: RangeInclusive<u32>,
    /// Sets of `xtask/requirements` that its build needs.
    pub(super) build_sets: &'static [&'static str],
    /// Sets that its tests need besides pytest.
    pub(super) test_sets: &'static [&'static str],
    /// Packages before it in the list, of which it needs the wheel to be built and to run.
    pub(super) needs: &'static [&'static str],
    /// A module of pkg-config without which it can't be built.
    pub(super) library: Option<&'static str>,
    /// Its tests, in its source distribution or, if that has none, beside our `pyproject.toml`.
    pub(super) tests: Tests,
    /// Whether it takes minutes to compile, so that it isn't compiled once more than needed.
    pub(super) is_large: bool,
    /// The tests that must pass at least: all there were when this was written.
    pub(super) least: usize,
    /// Exits with an error unless the compiled module is what the package really uses; prints its
    /// file.
    pub(super) is_compiled: &'static str,
}

/// Where tests are.
#[derive(Debug, Clone, Copy)]
pub(super) enum Tests {
    /// Files and folders of the source distribution.
    OfSource(&'static [&'static str]),
    /// A package that the wheel installs.
    Installed(&'static str),
    /// The folder `tests` beside our `pyproject.toml`, because the source distribution has none.
    Ours,
}

/// What is true of most.
const BASE: Package = Package {
    name: "",
    minors: 9..=13,
    build_sets: &["cython"],
    test_sets: &[],
    needs: &[],
    library: None,
    tests: Tests::OfSource(&["tests"]),
    is_large: false,
    least: 0,
    is_compiled: "",
};

pub(super) const PACKAGES: [Package; 10] = [
    Package {
        name: "markupsafe",
        build_sets: &[],
        least: 78,
        is_compiled: "import markupsafe as m, markupsafe._speedups as s; \
                      assert m._escape_inner is s._escape_inner; print(s.__file__)",
        ..BASE
    },
    Package {
        name: "kiwisolver",
        build_sets: &[],
        tests: Tests::OfSource(&["py/tests"]),
        least: 50,
        is_compiled: "import kiwisolver as k, kiwisolver._cext as c; \
                      assert k.Solver is c.Solver; print(c.__file__)",
        ..BASE
    },
    Package {
        name: "pyyaml",
        library: Some("yaml-0.1"),
        least: 2617,
        is_compiled: "import yaml, yaml._yaml as c; \
                      assert yaml.__with_libyaml__ and issubclass(yaml.CLoader, c.CParser); \
                      print(c.__file__)",
        ..BASE
    },
    Package {
        name: "cymem",
        tests: Tests::OfSource(&["cymem/tests"]),
        least: 2,
        is_compiled: "import cymem.cymem as c; assert c.Address(1, 8).addr; print(c.__file__)",
        ..BASE
    },
    Package {
        name: "murmurhash",
        tests: Tests::OfSource(&["murmurhash/tests"]),
        least: 2,
        is_compiled: "import murmurhash.mrmr as c; assert c.hash('a'); print(c.__file__)",
        ..BASE
    },
    Package {
        name: "preshed",
        needs: &["cymem", "murmurhash"],
        tests: Tests::Installed("preshed.tests"),
        least: 32,
        is_compiled: "import preshed.maps as c, preshed.bloom, preshed.counter; \
                      m = c.PreshMap(); m[7] = 3; assert m[7] == 3; print(c.__file__)",
        ..BASE
    },
    Package {
        name: "msgpack",
        minors: 10..=13,
        tests: Tests::OfSource(&["test"]),
        least: 160,
        is_compiled: "import msgpack as m, msgpack._cmsgpack as c; \
                      assert m.Packer is c.Packer; print(c.__file__)",
        ..BASE
    },
    // With OpenMP.
    Package {
        name: "pykdtree",
        build_sets: &["cython", "numpy"],
        test_sets: &["numpy"],
        tests: Tests::OfSource(&["pykdtree/test_tree.py"]),
        least: 17,
        is_compiled: "import pykdtree.kdtree as c; t = open('/proc/self/maps').read(); \
                      assert 'libgomp' in t; print(c.__file__)",
        ..BASE
    },
    Package {
        name: "pywavelets",
        minors: 11..=13,
        build_sets: &["cython", "numpy"],
        test_sets: &["numpy"],
        tests: Tests::OfSource(&["pywt/tests"]),
        is_large: true,
        least: 1033,
        is_compiled: "import pywt, pywt._extensions._pywt as c; \
                      assert pywt.Wavelet is c.Wavelet; print(c.__file__)",
        ..BASE
    },
    // In Fortran.
    Package {
        name: "bezier",
        minors: 10..=13,
        build_sets: &["numpy"],
        test_sets: &["numpy"],
        tests: Tests::Ours,
        is_large: true,
        least: 20,
        is_compiled: "import bezier, bezier._speedup as c, bezier._curve_helpers as h; \
                      assert h.evaluate_multi is c.evaluate_multi; print(c.__file__)",
        ..BASE
    },
];
