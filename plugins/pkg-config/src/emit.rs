//! Between the host and the plan: asks pkg-config, and tells products what was found.

use std::cell::RefCell;
use std::collections::BTreeMap;

use ekiben_plugin::{Context, Diagnostic, Failure, Location, Product, Tool};

use crate::find::{self, Answer, Found, Machine, Options, User};
use crate::flags::Link;
use crate::missing;
use crate::packages::{self, System};
use crate::texts;
use crate::word::Word;

/// The tool's declared name.
pub(crate) const TOOL: &str = "pkg-config";

/// Variables that pkg-config reads. Those that compilers read are among them, because pkg-config
/// leaves out the folders that compilers search already.
pub(crate) const PASSED: [&str; 11] = [
    "CPATH",
    "CPLUS_INCLUDE_PATH",
    "C_INCLUDE_PATH",
    "LIBRARY_PATH",
    "PKG_CONFIG_ALLOW_SYSTEM_CFLAGS",
    "PKG_CONFIG_LIBDIR",
    "PKG_CONFIG_PATH",
    "PKG_CONFIG_SYSROOT_DIR",
    "PKG_CONFIG_SYSTEM_INCLUDE_PATH",
    "PKG_CONFIG_SYSTEM_LIBRARY_PATH",
    "PKG_CONFIG_TOP_BUILD_DIR",
];

/// The machine, by way of the host.
struct Host<'a> {
    cx: &'a Context,
    tool: Tool,
    environment: Vec<(&'static str, String)>,
    system: Option<System>,
    /// Products often use the same libraries.
    answers: RefCell<BTreeMap<(Vec<String>, bool), Answer>>,
}

impl<'a> Host<'a> {
    fn new(cx: &'a Context) -> Result<Self, Failure> {
        let words = cx.fact("host.distribution").or_else(|| cx.fact("target.system"));
        let system = words.as_deref().and_then(System::from_words);
        let tool = cx.tool(TOOL).map_err(|failure| match failure {
            Failure::User(mut reports) => {
                if let Some(report) = reports.last_mut() {
                    report.help.push(packages::how_to_install_pkg_config(system));
                }
                Failure::User(reports)
            }
            other => other,
        })?;
        let mut environment = Vec::new();
        for name in PASSED {
            if let Some(value) = cx.environment(name)? {
                if let Some(warning) = missing::relative_folders(name, &value) {
                    cx.report(&warning);
                }
                environment.push((name, value));
            }
        }
        Ok(Self { cx, tool, environment, system, answers: RefCell::default() })
    }
}

impl Machine for Host<'_> {
    fn ask(&self, arguments: &[String], all_folders: bool) -> Result<Answer, Failure> {
        let key = (arguments.to_vec(), all_folders);
        if let Some(answer) = self.answers.borrow().get(&key) {
            return Ok(answer.clone());
        }
        let probe = self.tool.probe();
        probe.anew();
        for argument in arguments {
            probe.argument(argument);
        }
        for (name, value) in &self.environment {
            probe.environment(name, value);
        }
        if all_folders {
            probe.environment("PKG_CONFIG_ALLOW_SYSTEM_LIBS", "1");
        }
        let result = probe.query()?;
        let answer = Answer {
            succeeded: result.status == Some(0),
            stdout: String::from_utf8_lossy(&result.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&result.stderr).into_owned(),
        };
        self.answers.borrow_mut().insert(key, answer.clone());
        Ok(answer)
    }

    fn is_file(&self, path: &str) -> Result<bool, Failure> {
        self.cx.is_file(path)
    }

    fn system(&self) -> Option<System> {
        self.system
    }
}

/// The command: finds all that products use.
pub(crate) fn find(cx: &Context) -> Result<(), Failure> {
    let options = Options::read(&cx.options())?;
    let mut users = Vec::new();
    for product in cx.products() {
        let mut words: Vec<Word> = Vec::new();
        for text in uses(&product)? {
            words.extend(Word::parse(&text)?.filter(|word| !words.contains(word)));
        }
        if !words.is_empty() {
            users.push((product, words));
        }
    }
    if users.is_empty() {
        return Ok(());
    }
    let all: Vec<Word> = users.iter().flat_map(|(_, words)| words.iter().cloned()).collect();
    for (key, name) in options.unused(&all) {
        cx.report(&unused(key, name));
    }
    let host = Host::new(cx)?;
    let mut errors = Vec::new();
    for (product, words) in &users {
        let name = product.name();
        let is_static_module = product.kind() == "static-module";
        let user = User { name: &name, is_static_module };
        match find::find(words, user, &options, &host) {
            Ok(found) => contribute(cx, product, words, &found)?,
            // All that is missing is told at once.
            Err(Failure::User(reports)) => errors.extend(reports),
            Err(other) => return Err(other),
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(Failure::User(errors)) }
}

fn uses(product: &Product) -> Result<Vec<String>, Failure> {
    let Some(json) = product.setting("uses") else { return Ok(Vec::new()) };
    let list = serde_json::from_str(&json).ok().and_then(|list| texts(&list));
    list.ok_or_else(|| Failure::Internal(format!("`uses` isn't a list of strings: {json}")))
}

fn unused(key: &str, name: &str) -> Diagnostic {
    Diagnostic::warning(
        "unused-option",
        format!(
            "`{key}` of [tool.ekiben.options.pkg-config] names `{name}`, which no extension uses"
        ),
    )
    .with_help("write the name as it is in `uses`, without `pkg-config:` and versions")
}

fn contribute(
    cx: &Context,
    product: &Product,
    words: &[Word],
    found: &Found,
) -> Result<(), Failure> {
    let place = |path: &str| Location::System(path.to_owned());
    for flags in &found.cflags {
        for folder in &flags.include_directories {
            product.include_directory(&place(folder))?;
        }
        for (name, value) in &flags.definitions {
            product.define(name, value.as_deref())?;
        }
        for argument in &flags.arguments {
            product.compile_argument(None, argument)?;
        }
    }
    for folder in &found.library_directories {
        product.library_directory(&place(folder))?;
    }
    for link in &found.links {
        match link {
            Link::Library(name) => product.link_library(name)?,
            Link::File(path) => product.link_file(&place(path))?,
            Link::Argument(value) => product.link_argument(value)?,
        }
    }
    for folder in &found.run_paths {
        product.link_argument("-Xlinker")?;
        product.link_argument("-rpath")?;
        product.link_argument("-Xlinker")?;
        product.link_argument(folder)?;
    }
    for word in words {
        product.answer(&word.text)?;
    }
    for report in &found.reports {
        cx.report(&report.diagnostic(&product.name()));
    }
    Ok(())
}
