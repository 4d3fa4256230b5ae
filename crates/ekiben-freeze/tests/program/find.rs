//! Which modules and files are found, why, and what is said about the rest.

use ekiben_freeze::program::{self, Flavour, Request, Target};

use crate::support::Place;

#[test]
fn imports_of_all_kinds() {
    let place = Place::new();
    place.write(
        "hello.py",
        r#"
import sys
import typing
from typing import TYPE_CHECKING
import a.b
from c import *
from d import part, value
try:
    import quick
except ImportError:
    quick = None
if TYPE_CHECKING:
    import types_only
if sys.version_info >= (3, 0):
    import new
else:
    import old
if sys.platform.startswith("win"):
    import windows
if len(sys.argv) > 1:
    import at_times
def later():
    import lazy
class Body:
    import in_class
import importlib
importlib.import_module("by_name")
__import__("by_dunder")
importlib.import_module(sys.argv[1])
with open("x") as it:
    import in_with
import gone
if __name__ == "__main__":
    import for_main
"#,
    );
    let empty = [
        "a/__init__.py",
        "a/unused.py",
        "c/one.py",
        "c/two.py",
        "d/__init__.py",
        "d/part.py",
        "d/value_not.py",
        "types_only.py",
        "new.py",
        "old.py",
        "windows.py",
        "at_times.py",
        "lazy.py",
        "in_class.py",
        "by_name.py",
        "by_dunder.py",
        "in_with.py",
        "for_main.py",
        "for_other_main.py",
        "namespace/inside.py",
    ];
    for file in empty {
        place.write(file, "");
    }
    place
        .write("a/b.py", "from . import sibling\nfrom .. import nothing\nfrom .deep.er import x\n");
    place.write("a/sibling.py", "if __name__ == '__main__':\n    import for_other_main\n");
    place.write("a/deep/__init__.py", "");
    place.write("a/deep/er.py", "from ..sibling import x\nimport namespace.inside\n");
    place.write("c/__init__.py", "__all__ = ['one'] + ['name']\n__all__ += ('two',)\n");
    let made = place.freeze(&place.script("hello.py")).unwrap();
    insta::assert_snapshot!(place.told(&made.report), @r#"
    main hello
    a: imported by hello, line 5
    a.b: imported by hello, line 5
    a.deep: imported by a.b, line 3
    a.deep.er: imported by a.b, line 3
    a.sibling: imported by a.b, line 1
    at_times: imported at times by hello, line 21
    by_dunder: imported by hello, line 28
    by_name: imported by hello, line 27
    c: imported by hello, line 6
    c.one: imported by hello, line 6
    c.two: imported by hello, line 6
    d: imported by hello, line 7
    d.part: imported by hello, line 7
    for_main: imported by hello, line 34
    hello: is the program
    in_class: imported by hello, line 25
    in_with: imported by hello, line 31
    lazy: imported at times by hello, line 23
    namespace: imported by a.deep.er, line 2
    namespace.inside: imported by a.deep.er, line 2
    new: imported by hello, line 15
    missing gone: imported by hello, line 32
    not there quick: tried by hello, line 9
    dynamic-import hello.py:29: what `hello` imports here is only known when it runs: importlib.import_module(sys.argv[1])
    missing-module :0: there is no module `gone`, imported by hello, line 32
    "#);
}

#[test]
fn packages_whose_files_are_asked_for_are_taken() {
    let place = Place::new();
    place.write(
        "hello.py",
        "from importlib import metadata, resources\nimport pkgutil\nprint(resources.files('texts'))\n\
         resources.files(pkgutil)\nmetadata.files('some-distribution')\nmetadata.files('iniconfig')\n\
         def f():\n    return pkgutil.get_data('data.deep', 'x')\n",
    );
    place.write("texts/a.txt", "a");
    place.write("data/__init__.py", "");
    place.write("data/deep/__init__.py", "");
    place.write("data/deep/x", "x");
    let made = place.freeze(&place.script("hello.py")).unwrap();
    insta::assert_snapshot!(place.told(&made.report), @r"
    main hello
    data: tried by hello, line 8
    data.deep: tried by hello, line 8
    hello: is the program
    texts: tried by hello, line 3
    resource lib/python[PYTHON]/site-packages/data/deep/x of data.deep
    resource lib/python[PYTHON]/site-packages/texts/a.txt of texts
    not there iniconfig: tried by hello, line 6
    ");
    // What has no such word in it isn't looked into.
    place.write("hello.py", "def path(it): pass\npath('data.deep')\n");
    let made = place.freeze(&place.script("hello.py")).unwrap();
    insta::assert_snapshot!(place.told(&made.report), @r"
    main hello
    hello: is the program
    ");
}

#[test]
fn what_the_runtime_lacks_of_the_standard_library_is_missing() {
    let place = Place::new();
    place.write(
        "site/main.py",
        "import tkinter.ttk, json, winreg, user, __main__\ntry:\n    import turtle\nexcept ImportError:\n    pass\n",
    );
    place.write("site/user.py", "def f():\n    import turtle\n");
    let request = place.module("main");
    let told = |request: &Request| place.told(&place.freeze(request).unwrap().report);
    insta::assert_snapshot!(told(&request), @r"
    main main
    main: is the program
    user: imported by main, line 1
    missing tkinter: imported by main, line 1
    not there turtle: tried by main, line 3
    missing-module :0: there is no module `tkinter` in the program's standard library, imported by main, line 1
    ");
    let pruned = Request { prune: true, ..request.clone() };
    let report = place.freeze(&pruned).unwrap().report;
    assert_eq!(report.warnings.len(), 1, "{:?}", report.warnings);
    let is_turtles = |it: &&str| ["turtle", "tkinter", "winreg", "_winapi"].contains(it);
    let missing = report.missing.iter().map(|it| it.why.name.as_str()).filter(is_turtles);
    assert_eq!(missing.collect::<Vec<_>>(), ["tkinter", "turtle"]);
    assert_eq!(
        place.refused(&place.module("turtle")),
        "there is no module `turtle` in the program's standard library"
    );
    // Another's in its place is a part of the program.
    place.write("site/tkinter/__init__.py", "");
    place.write("site/tkinter/ttk.py", "");
    assert!(told(&request).contains("tkinter.ttk: imported by main, line 1"));
}

#[test]
fn packages_bring_data_and_metadata() {
    let place = Place::new();
    place.write(
        "hello.py",
        "import importlib.metadata\nimport spam\nimportlib.metadata.version('other-one')\n",
    );
    place.write(
        "site/spam/__init__.py",
        "import os\nopen(os.path.join(os.path.dirname(__file__), 'x'))\n",
    );
    for file in [
        "spam/data.json",
        "spam/py.typed",
        "spam/stubs.pyi",
        "spam/sub/more.txt",
        "spam/sub/code.py",
        "spam/part/__init__.py",
        "spam/part/part.txt",
        "spam/__pycache__/x.pyc",
        "other/data.txt",
        "spam-1.0.dist-info/direct_url.json",
        "spam-1.0.dist-info/INSTALLER",
        "spam-1.0.dist-info/LICENSE.txt",
        "other_one-2.dist-info/METADATA",
    ] {
        place.write(&format!("site/{file}"), "");
    }
    place.write(
        "site/spam-1.0.dist-info/METADATA",
        "Metadata-Version: 2.4\nName: spam\nVersion: 1.0\nLicense-Expression: MIT\n",
    );
    place.write(
        "site/spam-1.0.dist-info/RECORD",
        "spam/__init__.py,sha256=x,1\nspam-1.0.dist-info/INSTALLER,,\nspam/data.json,,\n",
    );
    let request = Request { site: vec![place.path("site")], ..place.script("hello.py") };
    let made = place.freeze(&request).unwrap();
    insta::assert_snapshot!(place.told(&made.report), @r#"
    main hello
    hello: is the program
    spam: imported by hello, line 2
    metadata lib/python[PYTHON]/site-packages/other_one-2.dist-info/METADATA of other_one
    licence lib/python[PYTHON]/site-packages/spam-1.0.dist-info/LICENSE.txt of spam
    metadata lib/python[PYTHON]/site-packages/spam-1.0.dist-info/METADATA of spam
    resource lib/python[PYTHON]/site-packages/spam/data.json of spam
    resource lib/python[PYTHON]/site-packages/spam/part/part.txt of spam
    resource lib/python[PYTHON]/site-packages/spam/py.typed of spam
    resource lib/python[PYTHON]/site-packages/spam/sub/more.txt of spam
    metadata lib/python[PYTHON]/site-packages/spam-1.0.dist-info/RECORD of spam
    distribution other_one
    distribution spam 1.0 MIT
    file-by-path site/spam/__init__.py:2: `spam` may read a file by path, where there is none: open(os.path.join(os.path.dirname(__file__), 'x'))
    "#);
}

#[test]
fn editable_installations_are_found_or_told() {
    let place = Place::new();
    place.write("src/found/__init__.py", "");
    place.write("site/found.pth", &format!("{}\n", place.path("src").display()));
    place.write("site/hidden.pth", "import _hidden_finder\n");
    place.write("site/hidden-1.dist-info/METADATA", "Name: hidden\nVersion: 1\n");
    place.write("site/hidden-1.dist-info/RECORD", "hidden.pth,,\n_hidden_finder.py,,\n");
    place.write("site/hidden-1.dist-info/direct_url.json", r#"{"dir_info": {"editable": true}}"#);
    place.write("site/main.py", "import found\n");
    let told = || place.told(&place.freeze(&place.module("main")).unwrap().report);
    insta::assert_snapshot!(told(), @r"
    main main
    found: imported by main, line 1
    main: is the program
    ");
    place.write("site/main.py", "import hidden\n");
    insta::assert_snapshot!(told(), @r"
    main main
    main: is the program
    missing hidden: imported by main, line 1
    editable site/hidden.pth:0: the modules of `hidden`, an editable installation, are found by code that isn't run
    missing-module :0: there is no module `hidden`, imported by main, line 1
    ");
    assert_eq!(
        place.refused(&place.module("hidden.cli:main")),
        "there is no module `hidden`; the modules of `hidden`, an editable installation, are found by \
         code that isn't run"
    );
}

#[test]
fn a_script_that_cant_be_compiled_is_told_with_its_place() {
    let place = Place::new();
    place.write("wrong.py", "x = 1\nif x\n");
    let error = place.freeze(&place.script("wrong.py")).unwrap_err();
    assert_eq!((error.code(), error.help()), ("syntax-error", None));
    assert!(error.to_string().contains("wrong.py:2: "), "{error}");
    place.write("wrong.py", "\0");
    let message = place.refused(&place.script("wrong.py"));
    assert!(message.starts_with("[PLACE]/wrong.py: source code "), "{message}");
}

#[test]
fn what_was_left_in_folders_is_no_data() {
    let place = Place::new();
    place.write("site/main.py", "import spam\n");
    for file in [
        "__init__.py",
        ".git/HEAD",
        ".hg/store/data",
        ".env",
        ".envrc",
        "data.txt",
        "data.txt~",
        "sub/.DS_Store",
        "template/.git/config",
        "template/.git/HEAD",
        "template/.env.example",
    ] {
        place.write(&format!("site/spam/{file}"), "");
    }
    place.write(
        "site/spam-1.dist-info/RECORD",
        "spam/template/.git/config,,\nspam/template/.env.example,,\n",
    );
    let made = place.freeze(&place.module("main")).unwrap();
    let files = made.report.files.iter().filter(|file| file.kind == "resource");
    let files: Vec<_> =
        files.filter_map(|file| file.path.split_once("site-packages/spam/")).collect();
    let files: Vec<_> = files.into_iter().map(|(_, path)| path).collect();
    assert_eq!(files, ["data.txt", "template/.env.example", "template/.git/config"]);
}

#[test]
fn compiled_modules_are_refused_where_they_are_needed() {
    let place = Place::new();
    place.write("site/spam/__init__.py", "def f():\n    from spam import _core\n");
    place.write("site/spam/_core.abi3.so", "");
    place.write("site/spam-1.0.dist-info/METADATA", "Name: spam\nVersion: 1.0\n");
    place.write("site/spam-1.0.dist-info/RECORD", "spam/_core.abi3.so,,\n");
    place.write("site/main.py", "import spam\n");
    let request = Request { flavour: Some(Flavour::Static), ..place.module("main") };
    assert_eq!(
        place.refused(&request),
        "a static program can't load compiled modules, and it needs:\n  spam._core of spam, imported at times by spam, line 2"
    );
    let request = Request { excludes: vec!["spam._*".into()], ..request };
    assert_eq!(place.freeze(&request).unwrap().report.modules.len(), 2);

    place.write(
        "site/spam/__init__.py",
        "try:\n    from spam import _core\nexcept ImportError: pass\n",
    );
    // A source beside the compiled form serves.
    place.write("site/quick.py", "");
    place.write("site/quick.abi3.so", "");
    place.write("site/main.py", "import spam, quick\n");
    let request = Request { flavour: Some(Flavour::Static), ..place.module("main") };
    let made = place.freeze(&request).unwrap();
    insta::assert_snapshot!(place.told(&made.report), @r#"
    main main
    main: is the program
    quick: imported by main, line 1
    spam: imported by main, line 1
    metadata lib/python[PYTHON]/site-packages/spam-1.0.dist-info/METADATA of spam
    metadata lib/python[PYTHON]/site-packages/spam-1.0.dist-info/RECORD of spam
    distribution spam 1.0
    compiled-form site/quick.abi3.so:0: the compiled form of `quick` is left out, and its source is taken
    compiled-module site/spam/_core.abi3.so:0: the compiled module `spam._core` is left out; it is tried by spam, line 2
    "#);
}

#[test]
fn entry_points_modules_and_packages() {
    let place = Place::new();
    place.write("site/spam/__init__.py", "");
    place.write("site/spam/cli.py", "class Main:\n    run = print\n");
    let made = place.freeze(&place.module("spam.cli:Main.run")).unwrap();
    assert_eq!(made.report.main, "_ekiben_main");
    let image = crate::support::image(&made);
    let main = image.modules().find(|module| module.name == "_ekiben_main").unwrap();
    assert_eq!(
        String::from_utf8_lossy(&image.source(&main).unwrap().read().unwrap()),
        "import sys\nfrom spam.cli import Main\nif __name__ == \"__main__\":\n    sys.exit(Main.run())\n"
    );
    assert_eq!(place.freeze(&place.module("spam.cli")).unwrap().report.main, "spam.cli");
    assert_eq!(
        place.refused(&place.module("spam")),
        "the package `spam` has no `__main__`, so it can't be run"
    );
    place.write("site/spam/__main__.py", "");
    assert_eq!(place.freeze(&place.module("spam")).unwrap().report.main, "spam.__main__");
    // Modules of the standard library are programs too.
    let made = place.freeze(&place.module("json.tool")).unwrap();
    assert_eq!((made.report.main.as_str(), made.report.modules.len()), ("json.tool", 0));
    assert_eq!(place.refused(&place.module("nothing:main")), "there is no module `nothing`");
}

#[test]
fn names_of_the_standard_library_are_its_own() {
    let place = Place::new();
    place.write("abc.py", "import json\nimport json.decoder\n");
    place.write("json.py", "");
    let made = place.freeze(&place.script("abc.py")).unwrap();
    insta::assert_snapshot!(place.told(&made.report), @r#"
    main _ekiben_main
    _ekiben_main: is the program
    shadowed json.py:0: `json` is the standard library's in the program, not the one beside the script
    "#);
}

#[test]
fn hints_plugins_includes_and_excludes() {
    let place = Place::new();
    place.write("site/main.py", "import loader, loader.late\n");
    place.write(
        "site/loader/__init__.py",
        "import importlib.metadata\nimport hidden.none\nimport made.up\n\
         importlib.metadata.entry_points(group='spam.plugins')\n__import__(name)\n",
    );
    for file in [
        "loader/late.py",
        "plugin.py",
        "hidden/__init__.py",
        "hidden/a.py",
        "hidden/b/__init__.py",
        "hidden/b/c.py",
        "extra/__init__.py",
        "extra/x.py",
        "loader/skipped.txt",
        "loader/kept.py",
    ] {
        place.write(&format!("site/{file}"), "");
    }
    place.write("site/plugin-1.dist-info/METADATA", "Name: plugin\nVersion: 1\n");
    place.write(
        "site/plugin-1.dist-info/entry_points.txt",
        "[spam.plugins]\none = plugin:main [x]\n",
    );
    place.write("site/plugin-1.dist-info/RECORD", "plugin.py,,\n");
    place.write(
        "hints/loader.toml",
        "[loader]\nwhy = 'a test'\nimports = ['hidden.*']\noptional = ['hidden.none']\n\
         virtual = ['made']\nno-data = ['loader/*.txt']\ndata = ['loader/kept.py']\n",
    );
    let request = Request {
        hints: vec![place.path("hints")],
        includes: vec!["extra.*".into()],
        excludes: vec!["loader.late".into(), "hidden.b".into()],
        ..place.module("main")
    };
    let made = place.freeze(&request).unwrap();
    insta::assert_snapshot!(place.told(&made.report), @r#"
    main main
    extra: was asked for
    extra.x: was asked for
    hidden: imported by loader, line 2
    hidden.a: named by the hints for loader
    loader: imported by main, line 1
    main: is the program
    plugin: an entry point of a group that loader, line 4 loads
    resource lib/python[PYTHON]/site-packages/loader/kept.py of loader
    metadata lib/python[PYTHON]/site-packages/plugin-1.dist-info/METADATA of plugin
    metadata lib/python[PYTHON]/site-packages/plugin-1.dist-info/entry_points.txt of plugin
    metadata lib/python[PYTHON]/site-packages/plugin-1.dist-info/RECORD of plugin
    distribution plugin 1
    "#);
    assert!(matches!(request.target, Target::Module { .. }));
}

#[test]
fn names_that_are_put_together_stand_for_all_that_fit() {
    let place = Place::new();
    place.write(
        "site/main.py",
        "import loads\nfrom importlib import import_module\nimport_module(input())\n",
    );
    place.write(
        "site/loads/__init__.py",
        "from importlib import import_module as _\nimport importlib\n\
         def a(x): return importlib.import_module(f'loads.parts._{x}')\n\
         def b(x): return importlib.import_module('loads.tongues.%s.words' % x)\n\
         def c(x): return importlib.import_module('.forms.' + x, __name__)\n\
         def d(x): return __import__('region_{}'.format(x), globals(), level=1)\n\
         def __getattr__(x): return importlib.import_module('loads.' + x)\n\
         def e(x): return importlib.import_module('absent.' + x)\n",
    );
    for module in [
        "parts/__init__",
        "parts/_one",
        "parts/_two",
        "parts/other",
        "tongues/__init__",
        "tongues/de/__init__",
        "tongues/de/words",
        "tongues/de/rest",
        "forms/__init__",
        "forms/round",
        "forms/deep/__init__",
        "forms/deep/inner",
        "region_de",
        "never",
    ] {
        place.write(&format!("site/loads/{module}.py"), "");
    }
    let made = place.freeze(&place.module("main")).unwrap();
    insta::assert_snapshot!(place.told(&made.report), @r"
    main main
    loads: imported by main, line 1
    loads.forms: tried by loads, line 5
    loads.forms.deep: tried by loads, line 5
    loads.forms.round: tried by loads, line 5
    loads.parts: tried by loads, line 3
    loads.parts._one: tried by loads, line 3
    loads.parts._two: tried by loads, line 3
    loads.region_de: tried by loads, line 6
    loads.tongues: tried by loads, line 4
    loads.tongues.de: tried by loads, line 4
    loads.tongues.de.words: tried by loads, line 4
    main: is the program
    dynamic-import site/main.py:3: what `main` imports here is only known when it runs: import_module(input())
    dynamic-import site/loads/__init__.py:7: what `loads` imports here is only known when it runs: importlib.import_module('loads.' + x)
    dynamic-import site/loads/__init__.py:8: what `loads` imports here is only known when it runs: importlib.import_module('absent.' + x)
    ");
}

#[test]
fn resources_that_are_made_paths_of_are_told() {
    let place = Place::new();
    place.write(
        "site/main.py",
        "import importlib.resources\nfrom importlib.resources import files\n\
         whole = (files('pack') / 'x.txt').read_text()\n\
         opened = open(str(importlib.resources.files('pack') / 'x.txt'))\n\
         text = str(db.files('x'))\n\
         with (files('pack') / 'x.txt').open() as it: pass\n",
    );
    place.write("site/pack/__init__.py", "");
    let made = place.freeze(&place.module("main")).unwrap();
    insta::assert_snapshot!(place.told(&made.report), @r"
    main main
    main: is the program
    pack: tried by main, line 3
    not there x: tried by main, line 5
    file-by-path site/main.py:4: `main` may read a file by path, where there is none: open(str(importlib.resources.files('pack') / 'x.txt'))
    ");
}

#[test]
fn packages_that_hold_only_data_are_data() {
    let place = Place::new();
    place.write("site/main.py", "import pack\nimport pack.own\n");
    for file in [
        "__init__.py",
        "own/__init__.py",
        "own/own.txt",
        "grammars/__init__.py",
        "grammars/common.lark",
        "grammars/more/x.txt",
        "tests/__init__.py",
        "tests/sample.txt",
        "gone/__init__.py",
        "gone/gone.txt",
    ] {
        place.write(&format!("site/pack/{file}"), "");
    }
    let request = Request { excludes: vec!["pack.gone".into()], ..place.module("main") };
    let made = place.freeze(&request).unwrap();
    insta::assert_snapshot!(place.told(&made.report), @r"
    main main
    main: is the program
    pack: imported by main, line 1
    pack.own: imported by main, line 2
    resource lib/python[PYTHON]/site-packages/pack/grammars/common.lark of pack
    resource lib/python[PYTHON]/site-packages/pack/grammars/more/x.txt of pack
    resource lib/python[PYTHON]/site-packages/pack/own/own.txt of pack.own
    ");
}

#[test]
fn hints_put_other_text_in_place_of_some() {
    let place = Place::new();
    place.write("site/main.py", "import part\nX = open(part.PATH)\n");
    place.write("site/part.py", "PATH = 1\n");
    place.write(
        "hints/main.toml",
        "[main.replace]\n'open(part.PATH)' = 'None'\n[part.replace]\n'gone' = ''\n",
    );
    let request = Request { hints: vec![place.path("hints")], ..place.module("main") };
    let cache = place.cache();
    let freeze = || program::freeze(&request, &place.base, Some(&cache)).unwrap();
    let made = freeze();
    insta::assert_snapshot!(place.told(&made.report), @r#"
    main main
    main: is the program
    part: imported by main, line 1
    hint site/part.py:0: hints for `part` replace what isn't in its source: gone
    "#);
    let image = crate::support::image(&made);
    let main = image.modules().find(|module| module.name == "main").unwrap();
    assert_eq!(&*image.source(&main).unwrap().read().unwrap(), b"import part\nX = None\n");
    freeze();
    assert_eq!(place.runs(), 1);
}

#[test]
fn what_is_only_for_some_functions_waits_for_their_names() {
    let place = Place::new();
    place.write("site/tools.py", "def big():\n    import heavy\ndef small():\n    import light\n");
    place.write("site/heavy.py", "import heavier\n");
    place.write("site/late.py", "# Not big.\nimport tools\ngetattr(tools, 'wide')\n");
    for name in ["heavier", "light", "named", "unnamed"] {
        place.write(&format!("site/{name}.py"), "");
    }
    place.write(
        "hints/tools.toml",
        "[tools]\nimports = ['named', 'unnamed']\n\
         only-for = { heavy = ['big'], named = ['wide'], unnamed = ['narrow'] }\n",
    );
    let told = |main: &str| {
        place.write("site/main.py", main);
        let request = Request { hints: vec![place.path("hints")], ..place.module("main") };
        place.told(&place.freeze(&request).unwrap().report)
    };
    insta::assert_snapshot!(told("import tools\n"), @r"
    main main
    light: imported at times by tools, line 4
    main: is the program
    tools: imported by main, line 1
    ");
    insta::assert_snapshot!(told("import late\nfrom tools import big\n"), @r"
    main main
    heavier: imported by heavy, line 1
    heavy: imported at times by tools, line 2
    late: imported by main, line 1
    light: imported at times by tools, line 4
    main: is the program
    named: named by the hints for tools
    tools: imported by main, line 2
    ");
}
