//! A small C project in a temporary folder, and the engine that builds it.
#![allow(dead_code, clippy::unwrap_used, unreachable_pub)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use ekiben_engine::{
    Action, Arg, ArtifactId, Cache, CacheLimits, DepFile, Digest, Engine, EngineOptions, Event,
    EventSink, Interrupt, Jobserver, Location, Outcome, Piece, RelPath, Report, Root, ToolIdentity,
};

pub fn rel(path: &str) -> RelPath {
    RelPath::new(path).unwrap()
}

pub fn tool(name: &str) -> ToolIdentity {
    let path = ["/usr/bin", "/bin"]
        .iter()
        .map(|folder| Path::new(folder).join(name))
        .find(|path| path.exists())
        .unwrap();
    static DIGESTS: Mutex<BTreeMap<PathBuf, Digest>> = Mutex::new(BTreeMap::new());
    let mut digests = DIGESTS.lock().unwrap();
    let digest = *digests.entry(path.clone()).or_insert_with(|| Digest::of_file(&path).unwrap());
    ToolIdentity {
        name: name.into(),
        path,
        digest,
        version: "1".into(),
        companions: BTreeMap::new(),
    }
}

/// What the sink heard, one line an event.
#[derive(Default)]
pub struct Log(pub Mutex<Vec<String>>);

impl Log {
    pub fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    pub fn has(&self, part: &str) -> bool {
        self.lines().iter().any(|line| line.contains(part))
    }
}

impl EventSink for Log {
    fn event(&self, event: Event<'_>) {
        let line = match event {
            Event::Queued { action, .. } => format!("queued {}", action.description),
            Event::Started { action, reason, .. } => {
                format!("started {}: {reason}", action.description)
            }
            Event::Finished { action, outcome, output, .. } => format!(
                "finished {}: {outcome}: {}",
                action.description,
                String::from_utf8_lossy(output)
            ),
            Event::Measured { .. } => return,
            Event::Replayed { action, output, .. } => {
                format!("replayed {}: {}", action.description, String::from_utf8_lossy(output))
            }
            Event::Warning { message, .. } => format!("warning {message}"),
            _ => String::new(),
        };
        self.0.lock().unwrap().push(line);
    }
}

/// A source tree with a build folder in it, and a cache beside it.
pub struct Project {
    pub folder: tempfile::TempDir,
    pub cache: PathBuf,
    pub limits: CacheLimits,
    pub log: Arc<Log>,
    pub interrupt: Interrupt,
    pub jobs: u32,
    pub keep_going: bool,
    pub jobserver: Jobserver,
    pub movable: BTreeMap<String, PathBuf>,
}

impl Project {
    /// `files` are pairs of path and content.
    pub fn new(files: &[(&str, &str)]) -> Self {
        let mut project = Self::with_cache(Path::new(""), files);
        project.cache = project.folder.path().join("cache");
        project
    }

    pub fn with_cache(cache: &Path, files: &[(&str, &str)]) -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            cache: cache.to_owned(),
            limits: CacheLimits::new(1 << 30),
            log: Arc::default(),
            interrupt: Interrupt::new(),
            jobs: 2,
            keep_going: false,
            jobserver: Jobserver::Create,
            movable: BTreeMap::new(),
        }
        .filled(files)
    }

    fn filled(self, files: &[(&str, &str)]) -> Self {
        for (path, content) in files {
            self.write(path, content);
        }
        self
    }

    pub fn root(&self) -> PathBuf {
        self.folder.path().join("tree")
    }

    pub fn write(&self, path: &str, content: &str) {
        let path = self.root().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    pub fn remove(&self, path: &str) {
        std::fs::remove_file(self.root().join(path)).unwrap();
    }

    pub fn open_cache(&self) -> Cache {
        Cache::open(&self.cache, self.limits).unwrap()
    }

    pub fn engine(&self) -> Engine {
        self.engine_with(self.open_cache())
    }

    pub fn engine_with(&self, cache: Cache) -> Engine {
        self.engine_with_sink(cache, Arc::clone(&self.log) as Arc<dyn EventSink>)
    }

    pub fn engine_with_sink(&self, cache: Cache, sink: Arc<dyn EventSink>) -> Engine {
        std::fs::create_dir_all(self.root()).unwrap();
        Engine::new(EngineOptions {
            source_root: self.root(),
            build_root: self.root().join("build"),
            movable: self.movable.clone(),
            cache,
            jobs: self.jobs,
            keep_going: self.keep_going,
            jobserver: self.jobserver,
            pools: BTreeMap::new(),
            sink,
            project: "demo".into(),
            interrupt: self.interrupt.clone(),
        })
        .unwrap()
    }

    /// Compiles each source and links the objects to `program`, which is exported to the tree.
    pub fn build_program(&self, sources: &[&str]) -> Report {
        let engine = self.engine();
        let objects: Vec<_> = sources.iter().map(|source| compile(&engine, source, &[])).collect();
        let program = link(&engine, &objects);
        let exported = engine.export(program, &self.root().join("program"));
        let report = engine.finish();
        assert_eq!(exported.is_ok(), report.status == ekiben_engine::Status::Succeeded);
        report
    }

    /// What the exported program prints.
    pub fn program_output(&self) -> String {
        let mut command = std::process::Command::new(self.root().join("program"));
        loop {
            match command.output() {
                // Another test's thread is starting a process, which has our descriptor for a moment.
                Err(error) if error.kind() == std::io::ErrorKind::ExecutableFileBusy => {}
                output => return String::from_utf8(output.unwrap().stdout).unwrap(),
            }
        }
    }
}

/// The action that compiles `source` as a compiler plugin would.
pub fn compile_action(engine: &Engine, source: &str, options: &[&str]) -> (Action, ArtifactId) {
    let input = engine.source(rel(source));
    let object = engine.output(rel(&format!("{source}.o")));
    let dep_file = engine.output(rel(&format!("{source}.d")));
    let mut action = Action::process("build_ext", "CompileC", tool("gcc"))
        .describe(format!("compile {source}"))
        .arg("-c")
        .args(options.iter().copied())
        .arg(Arg::folder("-I", Location::Source(rel("first"))))
        .arg(Arg::folder("-I", Location::Source(rel("include"))))
        .arg(Arg::folder("-I", Location::Build(rel("include"))))
        .arg(Arg(vec![
            Piece::Text("-ffile-prefix-map=".into()),
            Piece::Root(Root::Source),
            Piece::Text("=.".into()),
        ]))
        .args(["-MD", "-MF"])
        .arg(dep_file)
        .arg("-o")
        .arg(object)
        .arg(input)
        .output(object)
        .dep_file(DepFile::Make(dep_file));
    action.search_path = vec![
        Location::Source(rel("first")),
        Location::Source(rel("include")),
        Location::Build(rel("include")),
    ];
    action.compile_source = Some(input);
    (action, object)
}

pub fn compile(engine: &Engine, source: &str, options: &[&str]) -> ArtifactId {
    let (action, object) = compile_action(engine, source, options);
    engine.submit(action).unwrap();
    object
}

pub fn link(engine: &Engine, objects: &[ArtifactId]) -> ArtifactId {
    let program = engine.output(rel("program"));
    let action = Action::process("build_ext", "Link", tool("gcc"))
        .describe("link program")
        // Where collect2 looks for ld.
        .env("PATH", "/usr/bin:/bin")
        .arg("-o")
        .arg(program)
        .args(objects.iter().copied())
        .output(program);
    engine.submit(action).unwrap();
    program
}

/// A shell script as an action.
pub fn script(
    engine: &Engine,
    name: &str,
    inputs: &[ArtifactId],
    script: &str,
) -> (Action, ArtifactId) {
    let output = engine.output(rel(name));
    let action = Action::process("test", "Script", tool("sh"))
        .describe(name)
        .env("PATH", "/usr/bin:/bin")
        .arg("-c")
        .arg(script)
        .arg("sh")
        .arg(output)
        .args(inputs.iter().copied())
        .output(output);
    (action, output)
}

/// The descriptions of the actions that ran.
pub fn ran(report: &Report) -> Vec<&str> {
    with_outcome(report, |outcome| *outcome == Outcome::Ran)
}

pub fn cached(report: &Report) -> Vec<&str> {
    with_outcome(report, |outcome| *outcome == Outcome::Cached)
}

pub fn with_outcome(report: &Report, is: impl Fn(&Outcome) -> bool) -> Vec<&str> {
    report.actions.iter().filter(|a| is(&a.outcome)).map(|a| &*a.description).collect()
}

pub fn reason(report: &Report, description: &str) -> String {
    let action = report.actions.iter().find(|action| action.description == description).unwrap();
    action.reason.as_ref().map(ToString::to_string).unwrap_or_default()
}
