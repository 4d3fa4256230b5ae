//! Services: native functions that plugins have carry out their plans. The plugin is the guest `press`,
//! the service is of this test.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use ekiben_core::graph::{Kind, Target};
use ekiben_core::plugin::protocol::Failure;
use ekiben_core::{
    Built, BuiltIn, Environment, Observer, Place, Problem, Problems, Request, Service,
    ServiceFiles, Session, Surroundings,
};
use ekiben_engine::{ActionError, Interrupt, Outcome, Status};
use serde_json::{Value, json};

/// Makes programs that say what they were made of.
struct Press {
    ink: Mutex<String>,
    /// A file that every plan reads.
    paper: PathBuf,
    runs: AtomicBool,
}

impl Service for Press {
    fn version(&self) -> String {
        "1".to_owned()
    }

    fn answer(&self, question: &Value, build: &dyn Surroundings) -> Result<Value, Failure> {
        assert_eq!(*question, json!({ "what": "ink" }));
        assert_eq!(build.installed("no-such-distribution")?, None);
        Ok(json!(*self.ink.lock().unwrap()))
    }

    fn reads(&self, _: &Value) -> Result<Vec<PathBuf>, Failure> {
        if self.paper.is_file() {
            return Ok(vec![self.paper.clone()]);
        }
        Err(Failure::user("no-paper", "there is no paper").with_help("buy some"))
    }

    fn run(&self, plan: &Value, files: &ServiceFiles<'_>) -> Result<(), ActionError> {
        let does = plan["does"].as_str().unwrap();
        if does == "wait" {
            self.runs.store(true, Ordering::SeqCst);
            while !files.is_interrupted() {
                std::thread::yield_now();
            }
            return Err(ActionError::new("stopped"));
        }
        if does == "fail" {
            let hint = Some("use less ink".to_owned());
            return Err(ActionError { message: "it is smeared".to_owned(), hint });
        }
        let (ink, calls, place) = (&plan["ink"], &plan["calls"], &plan["place"]);
        let mut text = format!("ink {ink}, calls {calls}, set at {place}");
        for (name, path) in files.inputs()? {
            text.push_str(&format!("\n{name}: {}", std::fs::read(path)?.len()));
        }
        assert!(files.input("no such file").is_err() && files.scratch().is_dir());
        files.log("pressed\n");
        files.write_executable("program", text.as_bytes())
    }
}

#[derive(Default)]
struct Ears(Mutex<Vec<Problem>>);

impl Observer for Ears {
    fn problem(&self, problem: &Problem) {
        self.0.lock().unwrap().push(problem.clone());
    }
}

/// A project with two scripts, a cache, and a press.
struct Shop {
    base: tempfile::TempDir,
    press: Arc<Press>,
}

const PYPROJECT: &str = r#"
[build-system]
requires = ["ekiben"]
build-backend = "ekiben"
[project]
name = "spam"
version = "1.0"
[project.scripts]
eggs = "spam.cli:eggs"
ham = "spam.cli:ham.run"
[project.entry-points.things]
spam = "spam"
[tool.ekiben]
artifact = "executable"
[tool.ekiben.executable]
python = "3.13"
"#;

impl Shop {
    fn new() -> Self {
        let base = tempfile::tempdir().unwrap();
        let (ink, paper) = (Mutex::new("black".to_owned()), base.path().join("paper"));
        let press = Arc::new(Press { ink, paper, runs: AtomicBool::new(false) });
        let shop = Self { base, press };
        shop.write("paper", "white");
        shop.write("spam/pyproject.toml", PYPROJECT);
        shop.write("spam/src/spam/__init__.py", "");
        shop.write("spam/src/spam/cli.py", "import spam\n");
        shop
    }

    fn write(&self, path: &str, text: &str) {
        let file = self.base.path().join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }

    fn does(self, what: &str) -> Self {
        let options = format!("{PYPROJECT}[tool.ekiben.options.press]\ndoes = \"{what}\"\n");
        self.write("spam/pyproject.toml", &options);
        self
    }

    fn open(&self, interrupt: &Interrupt) -> Result<Session, Problems> {
        let press = Arc::clone(&self.press) as Arc<dyn Service>;
        let environment = Environment {
            cache_dir: self.base.path().join("cache"),
            cache_bytes: 1 << 30,
            jobs: 2,
            keep_going: false,
            interrupt: interrupt.clone(),
            observer: Arc::new(Ears::default()),
            variables: BTreeMap::new(),
            search_path: std::env::var_os("PATH").unwrap(),
            movable: BTreeMap::new(),
            services: BTreeMap::from([("press".to_owned(), press)]),
        };
        let request = Request { project: self.base.path().join("spam"), ..Request::default() };
        Session::open(request, environment, &[guest("press")])
    }

    fn build(&self, kind: Kind) -> Result<Built, Problems> {
        self.open(&Interrupt::new())?.build(&[Target::Kind(kind)])
    }

    /// What ran for a wheel.
    fn ran(&self) -> Vec<String> {
        let built = self.build(Kind::WHEEL).unwrap();
        assert!(built.succeeded(), "{:#?}", built.report);
        let actions = built.report.actions.iter();
        let mut ran: Vec<String> = actions
            .filter(|action| matches!(action.outcome, Outcome::Ran))
            .map(|action| action.description.clone())
            .collect();
        ran.sort();
        ran
    }

    fn listed(&self, kind: Kind) -> Vec<String> {
        let listed = self.build(kind).unwrap().list().unwrap();
        listed.iter().map(ToString::to_string).collect()
    }
}

fn guest(id: &'static str) -> BuiltIn {
    let folder = std::env::var_os("EKIBEN_GUESTS_DIR").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/guests"),
        PathBuf::from,
    );
    let component = std::fs::read(folder.join(format!("{id}.wasm"))).unwrap();
    BuiltIn { id, component: component.leak(), precompiled: None }
}

fn told(problems: &Problems) -> String {
    let lines = problems.0.iter().map(|problem| {
        let file = |at: &Place| at.file.rsplit('/').next().unwrap().to_owned();
        let at = problem.at.as_ref().map(|at| format!("{}:{}: ", file(at), at.line));
        let at = at.unwrap_or_default();
        format!("{at}{}: {} {:?}", problem.code, problem.message, problem.help)
    });
    lines.collect::<Vec<_>>().join("\n")
}

const WHEEL: &str = "write spam-1.0-py3-none-linux_press.whl";

#[test]
fn a_wheel_of_programs_holds_nothing_else() {
    let shop = Shop::new();
    let built = shop.build(Kind::WHEEL).unwrap();
    let out = shop.base.path().join("out");
    assert_eq!(built.export(&Kind::WHEEL, &out).unwrap(), "spam-1.0-py3-none-linux_press.whl");
    insta::assert_snapshot!(shop.listed(Kind::WHEEL).join("\n"), @r"
    spam-1.0.data/scripts/eggs	178	0755	program `eggs`
    spam-1.0.data/scripts/ham	181	0755	program `ham`
    spam-1.0.dist-info/METADATA	47	0644	the project's metadata
    spam-1.0.dist-info/WHEEL	92	0644	the wheel's own metadata
    spam-1.0.dist-info/RECORD	352	0644	the wheel's own metadata
    ");
    assert_eq!(built.export(&Kind::EXECUTABLE, &out).unwrap(), "eggs");
    insta::assert_snapshot!(std::fs::read_to_string(out.join("eggs")).unwrap(), @r#"
    ink "\"black\"", calls "\"spam.cli:eggs\"", set at "pyproject.toml:16"
    spam/__init__.py: 0
    spam/cli.py: 12
    spam-1.0.dist-info/METADATA: 47
    spam-1.0.dist-info/entry_points.txt: 84
    "#);
}

#[test]
fn what_was_made_is_used_again_until_something_changes() {
    let shop = Shop::new();
    let all = ["press eggs", "press ham", WHEEL];
    assert_eq!(shop.ran(), all);
    assert_eq!(shop.ran(), [""; 0]);
    shop.write("spam/src/spam/cli.py", "import spam, sys\n");
    assert_eq!(shop.ran(), all, "a file of the project");
    shop.write("paper", "yellow");
    assert_eq!(shop.ran(), ["press eggs", "press ham"], "a file that the service reads");
    "blue".clone_into(&mut shop.press.ink.lock().unwrap());
    assert_eq!(shop.ran(), all, "what the service answers");
    shop.write("spam/README.md", "no part of it");
    assert_eq!(shop.ran(), [""; 0]);
    let anew = shop.does("anew");
    anew.ran();
    assert_eq!(anew.ran(), ["press eggs", "press ham"], "and the same wheel of them");
}

#[test]
fn other_archives_know_nothing_of_programs() {
    let shop = Shop::new();
    insta::assert_snapshot!(shop.listed(Kind::EDITABLE_WHEEL).join("\n"), @r"
    _editable_spam.pth	25	0644	the editable install
    spam-1.0.dist-info/METADATA	47	0644	the project's metadata
    spam-1.0.dist-info/WHEEL	83	0644	the wheel's own metadata
    spam-1.0.dist-info/entry_points.txt	84	0644	the project's metadata
    spam-1.0.dist-info/RECORD	352	0644	the wheel's own metadata
    ");
    let sdist = shop.listed(Kind::SDIST).join("\n");
    assert!(sdist.contains("src/spam/cli.py") && !sdist.contains("pressed"), "{sdist}");
}

#[test]
fn prepared_metadata_is_that_of_the_wheel() {
    let shop = Shop::new();
    let prepare = |kind: &Kind, name: &str| {
        let folder = shop.base.path().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let session = shop.open(&Interrupt::new()).unwrap();
        let inside = folder.join(session.prepare_metadata(kind, &folder).unwrap());
        let files = std::fs::read_dir(&inside).unwrap();
        let mut files: Vec<String> =
            files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        files.sort();
        (files, std::fs::read_to_string(inside.join("WHEEL")).unwrap())
    };
    let (files, wheel) = prepare(&Kind::WHEEL, "wheel");
    assert_eq!(files, ["METADATA", "WHEEL"]);
    assert!(wheel.contains("Tag: py3-none-linux_press\n") && wheel.contains("Purelib: false"));
    let (files, wheel) = prepare(&Kind::EDITABLE_WHEEL, "editable");
    assert_eq!(files, ["METADATA", "WHEEL", "entry_points.txt"]);
    assert!(wheel.contains("Tag: py3-none-any\n"), "{wheel}");
}

#[test]
fn what_isnt_allowed_is_refused() {
    let mut all = String::new();
    for what in [
        "ask-undeclared",
        "ask-nowhere",
        "ask-nonsense",
        "plan-nonsense",
        "text",
        "place",
        "environment",
        "nothing",
        "no-platform",
    ] {
        let problems = Shop::new().does(what).build(Kind::WHEEL).map(drop).unwrap_err();
        all.push_str(&format!("{what}: {}\n", told(&problems)));
    }
    let without = Shop::new();
    std::fs::remove_file(&without.press.paper).unwrap();
    all.push_str(&told(&without.build(Kind::WHEEL).map(drop).unwrap_err()));
    insta::assert_snapshot!(all, @r#"
    ask-undeclared: plugin-mistake: the plugin `press` 1.0.0 made a mistake in the command `press`: it needs the capability `service:program`, which it doesn't declare ["this is a fault of the plugin: report it to its authors"]
    ask-nowhere: no-service: this Ekiben has no service `nowhere` []
    ask-nonsense: plugin-mistake: the plugin `press` 1.0.0 made a mistake in the command `press`: it made a question that isn't JSON: EOF while parsing an object at line 1 column 1 ["this is a fault of the plugin: report it to its authors"]
    plan-nonsense: plugin-mistake: the plugin `press` 1.0.0 made a mistake in the command `press`: it made a plan that isn't JSON: EOF while parsing an object at line 1 column 1 ["this is a fault of the plugin: report it to its authors"]
    text: plugin-mistake: the plugin `press` 1.0.0 made a mistake in the command `press`: it gave an action of the service `press` an argument, which belongs into the plan ["this is a fault of the plugin: report it to its authors"]
    place: plugin-mistake: the plugin `press` 1.0.0 made a mistake in the command `press`: it gave an action of the service `press` a place, which belongs into the plan ["this is a fault of the plugin: report it to its authors"]
    environment: plugin-mistake: the plugin `press` 1.0.0 made a mistake in the command `press`: it gave an action of the service `press` what only processes have ["this is a fault of the plugin: report it to its authors"]
    nothing: plugin-mistake: the plugin `press` 1.0.0 made a mistake in the command `press`: it described an action (Press) but never submitted it ["this is a fault of the plugin: report it to its authors"]
    no-platform: no-platform: no plugin says on which platform the project's programs run ["`ekiben graph` shows whether its command was disabled or replaced"]
    no-paper: there is no paper ["buy some"]
    "#);
}

#[test]
fn a_failure_is_told_with_its_hint() {
    for (what, words) in
        [("fail", ["it is smeared", "use less ink"]), ("no-output", ["has no file `program`", ""])]
    {
        let built = Shop::new().does(what).build(Kind::WHEEL).unwrap();
        assert_eq!(built.report.status, Status::Failed);
        let told = format!("{:?}", built.report.actions);
        assert!(words.iter().all(|word| told.contains(word)), "{told}");
    }
}

#[test]
fn an_interrupt_reaches_the_service() {
    let shop = Shop::new().does("wait");
    let interrupt = Interrupt::new();
    let session = shop.open(&interrupt).unwrap();
    let status = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !shop.press.runs.load(Ordering::SeqCst) {
                std::thread::yield_now();
            }
            interrupt.trigger();
        });
        session.build(&[Target::Kind(Kind::WHEEL)]).unwrap().report.status
    });
    assert_eq!(status, Status::Interrupted);
}

#[test]
fn a_project_without_scripts_makes_no_programs() {
    let shop = Shop::new();
    let text = PYPROJECT.replace("[project.scripts]", "[project.entry-points.others]");
    shop.write("spam/pyproject.toml", &text);
    let problems = shop.build(Kind::WHEEL).map(drop).unwrap_err();
    insta::assert_snapshot!(told(&problems), @r#"pyproject.toml:14: no-scripts: the project has no script that could become a program ["name one in [project.scripts]: `spam = \"spam.cli:main\"`", "or give `entry-point` in [tool.ekiben.executable]"]"#);
    let text = format!("{text}entry-point = \"spam.cli:eggs\"\n");
    shop.write("spam/pyproject.toml", &text);
    let listed = shop.listed(Kind::WHEEL).join("\n");
    assert!(listed.contains("spam-1.0.data/scripts/spam"), "{listed}");
}
