//! Editable installs through the hook: the wheel, and what happens in the project's folder.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::support::{Project, Said};

/// Runs a hook, and gives what it said and answered.
pub(crate) fn hook(project: &Project, name: &str, settings: &str) -> (Said, Value) {
    let result = project.beside("result.json");
    let said = project.run(&[
        "pep517",
        name,
        "--result-file",
        result.to_str().unwrap(),
        "--out-dir",
        "out",
        "--config-settings",
        settings,
    ]);
    let answer = std::fs::read_to_string(result).unwrap();
    (said, serde_json::from_str(&answer).unwrap())
}

/// Builds the editable wheel, and gives its path.
pub(crate) fn wheel(project: &Project, settings: &str) -> PathBuf {
    let (said, answer) = hook(project, "build-editable", settings);
    let name = answer["result"].as_str().unwrap_or_else(|| panic!("{said}"));
    project.root().join("out").join(name)
}

/// The members of a wheel.
pub(crate) fn members(wheel: &Path) -> BTreeMap<String, String> {
    let mut archive = zip::ZipArchive::new(std::fs::File::open(wheel).unwrap()).unwrap();
    let count = archive.len();
    let read = |at| {
        let mut member = archive.by_index(at).unwrap();
        let mut bytes = Vec::new();
        member.read_to_end(&mut bytes).unwrap();
        (member.name().unwrap().into_owned(), String::from_utf8_lossy(&bytes).into_owned())
    };
    (0..count).map(read).collect()
}

/// Unpacks a wheel into a folder `site`, as installers do.
pub(crate) fn install(project: &Project, wheel: &Path) -> PathBuf {
    let site = project.beside("site");
    if site.exists() {
        std::fs::remove_dir_all(&site).unwrap();
    }
    for (path, text) in members(wheel) {
        let file = site.join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }
    site
}

/// Python, with `site` as a folder for packages whose `.pth` files count.
fn python(project: &Project, site: &Path, code: &str) -> Said {
    let start = format!("import site; site.addsitedir({:?})\n{code}", site.to_str().unwrap());
    let mut python = Command::new("python3");
    python.args(["-c", &start]).current_dir(project.beside(""));
    Said::from(&python.output().unwrap(), &project.beside(""))
}

fn in_place(project: &Project) -> Vec<String> {
    let entries = std::fs::read_dir(project.root().join("src/spam")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name.ends_with(".so")).collect();
    names.sort();
    names
}

#[test]
fn the_wheel_names_the_folder_and_modules_lie_in_it() {
    let project = Project::with_c();
    let wheel = wheel(&project, "{}");
    let name = wheel.file_name().unwrap().to_str().unwrap();
    assert!(name.starts_with("spam-1.0-cp3"), "{name}");
    let members = members(&wheel);
    let names: Vec<&str> = members.keys().map(String::as_str).collect();
    let expected = ["METADATA", "RECORD", "WHEEL"].map(|name| format!("spam-1.0.dist-info/{name}"));
    assert_eq!(names[0], "_editable_spam.pth");
    assert_eq!(names[1..], expected);
    let folder = project.root().canonicalize().unwrap().join("src");
    assert_eq!(members["_editable_spam.pth"], format!("{}\n", folder.display()));
    assert_eq!(in_place(&project).len(), 1);

    let site = install(&project, &wheel);
    let code = "import sys; before = set(sys.modules); import spam._core as c;\
                print(c.__file__); print(sorted(n for n in before if 'ekiben' in n or 'spam' in n))";
    let said = python(&project, &site, code);
    assert!(said.stdout.starts_with("[BASE]project/src/spam/_core.cpython-3"), "{said}");
    assert!(said.stdout.ends_with("\n[]\n"), "{said}");
}

#[test]
fn the_metadata_are_those_of_the_wheel() {
    let project = Project::with_c();
    project.write("LICENSE", "do what you like\n");
    let editable = members(&wheel(&project, "{}"));
    let (said, answer) = hook(&project, "build-wheel", "{}");
    let ordinary = project.root().join("out").join(answer["result"].as_str().unwrap());
    let ordinary = members(&ordinary);
    let (_, prepared) = hook(&project, "prepare-metadata", "{}");
    assert_eq!(prepared, json!({ "result": "spam-1.0.dist-info" }), "{said}");
    let mut compared = 0;
    for (name, text) in ordinary {
        if name.contains(".dist-info/") && !name.ends_with("/RECORD") {
            assert_eq!(editable.get(&name), Some(&text), "{name}");
            let file = project.root().join("out").join(&name);
            assert_eq!(std::fs::read_to_string(file).unwrap(), text, "{name}");
            compared += 1;
        }
    }
    assert_eq!(compared, 3);
}

#[test]
fn what_was_placed_is_in_no_archive_and_goes_with_clean() {
    // Found by its init function in one project, configured in the other.
    let configured =
        "[[tool.ekiben.extension]]\nname = \"spam._core\"\nsources = [\"src/spam/_core.c\"]\n";
    for more in ["", configured] {
        let project = Project::with_c();
        project.append("pyproject.toml", more);
        wheel(&project, "{}");
        let listed = project.run(&["build", "--wheel", "--sdist", "--list-files"]).stdout;
        let objects: Vec<&str> = listed.lines().filter(|line| line.contains(".so")).collect();
        assert!(
            objects.len() == 1 && objects[0].contains("extension module `spam._core`"),
            "{listed}"
        );
        // Without the record too, as after `rm -r build`.
        std::fs::rename(project.root().join("build"), project.beside("build")).unwrap();
        let again = project.run(&["build", "--wheel", "--sdist", "--list-files"]).stdout;
        assert_eq!(again, listed);
        std::fs::remove_dir_all(project.root().join("build")).unwrap();
        std::fs::rename(project.beside("build"), project.root().join("build")).unwrap();
        let said = project.run(&["clean"]);
        assert!(said.stdout.ends_with(" and a file that was placed in the project\n"), "{said}");
        assert_eq!(in_place(&project), Vec::<String>::new());
    }
}

#[test]
fn a_removed_extension_is_taken_away() {
    let project = Project::with_c();
    wheel(&project, "{}");
    let before = in_place(&project);
    std::fs::rename(
        project.root().join("src/spam/_core.c"),
        project.root().join("src/spam/_new.c"),
    )
    .unwrap();
    let source = std::fs::read_to_string(project.root().join("src/spam/_new.c")).unwrap();
    project.write("src/spam/_new.c", &source.replace("PyInit__core", "PyInit__new"));
    wheel(&project, "{}");
    let after = in_place(&project);
    assert_eq!(after, [before[0].replace("_core", "_new")]);
    std::fs::remove_file(project.root().join("src/spam/_new.c")).unwrap();
    let pure = wheel(&project, "{}");
    assert!(pure.ends_with("spam-1.0-py3-none-any.whl"));
    assert_eq!(in_place(&project), Vec::<String>::new());
}

#[test]
fn a_file_of_somebody_else_stays() {
    let project = Project::with_c();
    wheel(&project, "{}");
    let name = format!("src/spam/{}", in_place(&project)[0]);
    project.write(&name, "somebody else's");
    let (said, answer) = hook(&project, "build-editable", "{}");
    let message = format!("{name} is there already, and no build of Ekiben made it");
    assert_eq!(answer, json!({ "error": message }), "{said}");
    assert!(said.stderr.contains("error[in-the-way]"), "{said}");
    let kept = || std::fs::read_to_string(project.root().join(&name)).unwrap();
    assert_eq!(kept(), "somebody else's");
    let said = project.run(&["clean"]);
    assert_eq!(said.code, Some(0), "{said}");
    assert_eq!(kept(), "somebody else's");
}

#[test]
fn what_an_earlier_build_made_may_be_replaced_without_a_record() {
    let project = Project::with_c();
    wheel(&project, "{}");
    std::fs::remove_dir_all(project.root().join("build")).unwrap();
    project.append("src/spam/core.h", "#define MORE 1\n");
    project.append("src/spam/_core.c", "const char *more = \"more\";\n");
    wheel(&project, r#"{"defaults.visibility": "default"}"#);
    let text = std::fs::read(project.root().join("src/spam").join(&in_place(&project)[0])).unwrap();
    assert!(text.windows(5).any(|part| part == b"more\0"));
}

#[test]
fn settings_reach_it_and_mistakes_are_named() {
    let project = Project::with_c();
    let (said, _) =
        hook(&project, "build-editable", r#"{"args": "--what-ran -C defaults.define.A=1"}"#);
    assert!(said.stderr.contains("-DA=1"), "{said}");
    let mut command = project.command(&["pep517", "build-editable", "--result-file"]);
    command
        .arg(project.beside("result.json"))
        .env("EKIBEN_ARGS", "--what-ran -C defaults.define.B=1");
    let said = Said::from(&command.output().unwrap(), &project.root());
    assert!(said.stderr.contains("-DB=1"), "{said}");
    let (said, answer) = hook(&project, "build-editable", r#"{"defaults.debu": "true"}"#);
    assert!(answer["error"].is_string() && said.stderr.contains("did you mean"), "{said}");
}
