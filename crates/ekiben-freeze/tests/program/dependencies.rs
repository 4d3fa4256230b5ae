//! What a program depends on, installed by the tool that is there.

use std::fs;

use ekiben_freeze::program::{Error, Installer, Modules, Project, Request, Target};

use crate::support::Place;

const INICONFIG: &str = "iniconfig==2.3.1";
/// Of the wheel, and of the source distribution.
const HASHES: &str = "--hash=sha256:67f4b9c50da0dedf52af349e7749a80a9057a5031199791b906c3bb3ae878960 \
    --hash=sha256:9121e2c1fdb355232495be3194c8dfe87ccc2d5dee45947b78e68f499790d7a7";

fn installer(place: &Place) -> Installer {
    Installer { python: place.base.interpreter.clone(), cache: place.path("cache"), refresh: false }
}

#[test]
fn requirements_are_installed_once() {
    let place = Place::new();
    let installer = installer(&place);
    place.write("requirements.txt", &format!("{INICONFIG} {HASHES}\n"));
    let site = installer.requirements(&place.path("requirements.txt")).unwrap();
    assert!(site.join("iniconfig/__init__.py").is_file());
    let made = fs::metadata(&site).unwrap().modified().unwrap();
    assert_eq!(installer.requirements(&place.path("requirements.txt")).unwrap(), site);
    assert_eq!(fs::metadata(&site).unwrap().modified().unwrap(), made);
    // Nothing else is left.
    assert_eq!(fs::read_dir(place.path("cache/site")).unwrap().count(), 1);

    let hashes = HASHES.split_whitespace().filter_map(|word| word.strip_prefix("--hash=sha256:"));
    let wheels: Vec<_> =
        hashes.map(|hash| format!("{{ hashes = {{ sha256 = '{hash}' }} }}")).collect();
    place.write(
        "pylock.toml",
        &format!(
            "lock-version = '1.0'\ncreated-by = 'us'\n[[packages]]\nname = 'iniconfig'\n\
             version = '2.3.1'\nwheels = [{}]\n",
            wheels.join(", ")
        ),
    );
    let locked = installer.requirements(&place.path("pylock.toml")).unwrap();
    assert!(locked != site && locked.join("iniconfig/__init__.py").is_file());

    place.write("wrong.txt", &format!("{INICONFIG} --hash=sha256:{}\n", "0".repeat(64)));
    let message = installer.requirements(&place.path("wrong.txt")).unwrap_err().to_string();
    assert!(message.contains("can't install the dependencies"), "{message}");
    place.write("includes.txt", "a\n-r requirements.txt\n");
    let message = installer.requirements(&place.path("includes.txt")).unwrap_err().to_string();
    assert!(message.contains("line 2: requirements that include others"), "{message}");
    assert_eq!(fs::read_dir(place.path("cache/site")).unwrap().count(), 2);
}

const BACKEND: &str = r#"
import zipfile

def build_wheel(folder, config_settings=None, metadata_directory=None):
    files = {
        "spam/__init__.py": "import iniconfig\n",
        "spam/cli.py": open("cli.py").read(),
        "spam-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: spam\nVersion: 1.0\n",
        "spam-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: us\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files["spam-1.0.dist-info/RECORD"] = "".join(f"{name},,\n" for name in files)
    with zipfile.ZipFile(f"{folder}/spam-1.0-py3-none-any.whl", "w") as wheel:
        for name, text in files.items():
            wheel.writestr(name, text)
    return "spam-1.0-py3-none-any.whl"
"#;

#[test]
fn a_project_is_installed_with_what_it_depends_on() {
    let place = Place::new();
    place.write("project/backend.py", BACKEND);
    place.write("project/cli.py", "def main(): pass\n");
    place.write(
        "project/pyproject.toml",
        &format!(
            "[build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n\
             [project]\nname = 'spam'\nversion = '1.0'\ndependencies = ['{INICONFIG}']\n\
             [project.scripts]\nspam = 'spam.cli:main'\n"
        ),
    );
    let project = Project::read(&place.path("project")).unwrap();
    let target = project.entry_point(None).unwrap();
    assert!(matches!(&target, Target::EntryPoint { module, .. } if module == "spam.cli"));
    let installer = installer(&place);
    let site = installer.project(&project, Modules::Static).unwrap();
    let request = Request { site: site.clone(), ..Request::new(target) };
    let report = place.freeze(&request).unwrap().report;
    let names: Vec<_> = report.distributions.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["iniconfig", "spam"]);

    // Another state of the project is another folder; its dependencies stay.
    place.write("project/cli.py", "def main(): print()\n");
    let other = installer.project(&project, Modules::Static).unwrap();
    assert!(other[0] != site[0] && other[1] == site[1]);
}

#[test]
fn what_isnt_pinned_is_resolved_to_versions_and_hashes() {
    let place = Place::new();
    let installer = installer(&place);
    let resolved = installer.resolve(&format!("{INICONFIG}\n"), None).unwrap();
    let has_hash = HASHES.split_whitespace().any(|hash| resolved.contains(hash));
    assert!(resolved.starts_with(INICONFIG) && has_hash, "{resolved}");
    let site = installer.resolved(&resolved, None).unwrap();
    assert!(site.join("iniconfig/__init__.py").is_file());

    let message = installer.resolve("iniconfig==0.0.0\n", None).unwrap_err().to_string();
    assert!(message.contains("can't resolve the dependencies:\n"), "{message}");
    let stop = || true;
    let error = installer.resolve(&format!("{INICONFIG}\n"), Some(&stop)).unwrap_err();
    assert!(matches!(error, Error::Io { .. }), "{error}");
}

#[test]
fn modules_of_a_project_are_asked_for_whose_wheels_hold_programs() {
    let place = Place::new();
    let check =
        "    assert config_settings == {'artifact': 'extension'}, config_settings\n    files";
    place.write("project/backend.py", &BACKEND.replacen("    files", check, 1));
    place.write("project/cli.py", "def main(): pass\n");
    place.write(
        "project/pyproject.toml",
        "[build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n\
         [project]\nname = 'spam'\nversion = '1.0'\n[tool.ekiben]\nartifact = 'executable'\n",
    );
    let project = Project::read(&place.path("project")).unwrap();
    let site = installer(&place).project(&project, Modules::Shared).unwrap();
    assert!(site[0].join("spam/cli.py").is_file());
}
