//! Which programs are made, and what is done with them.
//!
//! In arguments, `{port}` is a port that is free, `{page}` that of a server which says what it was asked
//! for, and `{wheels}` the folder of the packages' wheels. A run's folder is a copy of
//! `tests/programs/files`, with a certificate for `localhost` and its key.

/// Something that becomes a program.
pub(super) struct Program {
    /// How it is called.
    pub(super) name: &'static str,
    pub(super) source: Source,
    /// The distribution that it comes from; CPython's own, if there is none.
    pub(super) distribution: Option<&'static str>,
    pub(super) runs: &'static [Run],
}

/// What is frozen.
pub(super) enum Source {
    /// An entry point, for which pip installs a script of the program's name.
    EntryPoint(&'static str),
    /// A module or package, run as `python -m` does.
    Module,
    /// A script in `tests/programs`.
    Script,
}

/// One run.
pub(super) struct Run {
    pub(super) arguments: &'static [&'static str],
    /// The exit code, and a text that has to be somewhere in what comes of it: so that what is compared
    /// isn't twice the same failure.
    pub(super) code: i32,
    pub(super) says: &'static str,
    /// What curl is told, if the program is a server.
    pub(super) asked: Option<&'static [&'static str]>,
}

const fn run(code: i32, says: &'static str, arguments: &'static [&'static str]) -> Run {
    Run { arguments, code, says, asked: None }
}

const fn server(
    says: &'static str,
    arguments: &'static [&'static str],
    asked: &'static [&'static str],
) -> Run {
    Run { arguments, code: 0, says, asked: Some(asked) }
}

pub(super) const PROGRAMS: [Program; 8] = [
    Program {
        name: "http",
        source: Source::EntryPoint("httpie.__main__:main"),
        distribution: Some("httpie"),
        runs: &[
            run(
                0,
                "X-Asked",
                &[
                    "--ignore-stdin",
                    "--print=HhBb",
                    "--pretty=all",
                    "--style=monokai",
                    "http://127.0.0.1:{page}/news",
                    "X-Asked:yes",
                    "page==2",
                ],
            ),
            run(
                0,
                "POST /new",
                &[
                    "--ignore-stdin",
                    "--print=HhBb",
                    "--pretty=format",
                    "http://127.0.0.1:{page}/new",
                    "name=é",
                    "count:=3",
                    "list:=[1, 2]",
                ],
            ),
            run(
                4,
                "404 Not Found",
                &["--ignore-stdin", "--check-status", "http://127.0.0.1:{page}/missing"],
            ),
            run(1, "are required: URL", &["--nonsense"]),
        ],
    },
    Program {
        name: "black",
        source: Source::EntryPoint("black:patched_main"),
        distribution: Some("black"),
        runs: &[
            run(1, "def f(a, b, *, c=\"x\"):", &["--check", "--diff", "ugly/first.py"]),
            run(
                0,
                "import os",
                &["--diff", "--color", "--line-length", "60", "--preview", "ugly/second.py"],
            ),
            // Several files: by several processes.
            run(0, "def f(a, b, *, c=\"x\"):", &["--quiet", "ugly"]),
            run(2, "No such option", &["--nonsense"]),
            run(123, "cannot parse", &["--code", "def f(:"]),
        ],
    },
    Program {
        name: "rich",
        source: Source::Module,
        distribution: Some("rich"),
        runs: &[run(0, "rendered in", &[])],
    },
    Program {
        name: "page",
        source: Source::Script,
        distribution: Some("flask"),
        runs: &[server(
            "hello &amp; welcome, ada",
            &["{port}", "cert.pem", "key.pem"],
            &[
                "--cacert",
                "cert.pem",
                "https://localhost:{port}/greet/ada?times=2",
                "https://localhost:{port}/secure",
                "https://localhost:{port}/broken",
                "https://localhost:{port}/missing",
            ],
        )],
    },
    Program {
        name: "pytest",
        source: Source::EntryPoint("_pytest.config:_console_main"),
        distribution: Some("pytest"),
        runs: &[
            run(1, "it isn't what was written", &["--verbose", "tested"]),
            run(0, "tests=\"1\"", &["-k", "passes", "--junit-xml", "report.xml", "tested"]),
            run(0, "test_list_fails", &["--collect-only", "tested"]),
            run(0, "pytest.mark.skip", &["--markers"]),
            run(4, "not found: missing", &["missing"]),
        ],
    },
    Program {
        name: "pip",
        source: Source::EntryPoint("pip._internal.cli.main:main"),
        distribution: Some("pip"),
        runs: &[
            run(0, "pip ", &["--version"]),
            run(
                0,
                "Successfully downloaded",
                &["download", "--no-index", "--find-links", "{wheels}", "--dest", "got", "rich"],
            ),
            run(
                0,
                "Successfully installed",
                &[
                    "install",
                    "--progress-bar",
                    "off",
                    "--no-index",
                    "--find-links",
                    "{wheels}",
                    "--target",
                    "to",
                    "rich",
                ],
            ),
            run(
                1,
                "No matching distribution",
                &["install", "--no-index", "--find-links", "{wheels}", "--target", "to", "nope"],
            ),
        ],
    },
    Program {
        name: "http.server",
        source: Source::Module,
        distribution: None,
        runs: &[server(
            "It is served by a program",
            &["{port}", "--bind", "127.0.0.1", "--directory", "served"],
            &[
                "http://127.0.0.1:{port}/",
                "http://127.0.0.1:{port}/page.html",
                "http://127.0.0.1:{port}/missing",
            ],
        )],
    },
    Program {
        name: "database",
        source: Source::Script,
        distribution: None,
        runs: &[run(0, "TLSv1.3", &["cert.pem", "key.pem"])],
    },
];
