"""Calls all hooks of PEP 517 and PEP 660 on a project, and fails if one answers wrongly.

Arguments: the project, the Python that has the backend, and a folder for what the hooks make.
"""

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

from pyproject_hooks import BuildBackendHookCaller, quiet_subprocess_runner

PROJECT, PYTHON, OUT = sys.argv[1:]

QUESTIONS = [
    "get_requires_for_build_wheel",
    "get_requires_for_build_editable",
    "get_requires_for_build_sdist",
]
PREPARATIONS = ["prepare_metadata_for_build_wheel", "prepare_metadata_for_build_editable"]
BUILDS = ["build_wheel", "build_editable", "build_sdist"]

# In every form that frontends have: none, a word, several words.
SETTINGS = [None, {"jobs": "1", "defaults.debug": "true"}, {"defaults.define.WIDE": ["1"]}]


def expect(condition, *facts):
    if not condition:
        raise SystemExit(f"unexpected: {facts}")


def caller(project):
    return BuildBackendHookCaller(
        project, "ekiben", runner=quiet_subprocess_runner, python_executable=PYTHON
    )


def new_folder(name):
    folder = Path(OUT, name)
    folder.mkdir(parents=True)
    return folder


def prepare(hooks, hook, folder, settings):
    """What the hook wrote, by paths in the folder that it named."""
    name = getattr(hooks, hook)(folder, settings, _allow_fallback=False)
    expect([name] == [path.name for path in folder.iterdir()], hook, name)
    prepared = folder / name
    return prepared, {
        path.relative_to(prepared).as_posix(): path.read_bytes()
        for path in prepared.rglob("*")
        if path.is_file()
    }


def described(wheel):
    """The metadata in a wheel, by paths in its folder, and the paths of all else."""
    with zipfile.ZipFile(wheel) as archive:
        inside = {name: archive.read(name) for name in archive.namelist()}
    split = {name: name.partition(".dist-info/")[2] for name in inside}
    return {split[name]: content for name, content in inside.items() if split[name]}, {
        name for name in inside if not split[name]
    }


def check_wheel_hooks(hooks, kind, settings, folder):
    """The metadata comes first, and is what the wheel then has, if that was told of it or not."""
    prepared, metadata = prepare(
        hooks, f"prepare_metadata_for_build_{kind}", new_folder(f"{folder}/prepared"), settings
    )
    build = getattr(hooks, f"build_{kind}")
    wheels = []
    for name, known in [("told", prepared), ("untold", None)]:
        out = new_folder(f"{folder}/{name}")
        file = build(out, settings, known)
        expect([file] == [path.name for path in out.iterdir()], kind, file)
        wheels.append(out / file)
    expect(wheels[0].read_bytes() == wheels[1].read_bytes(), wheels)
    in_wheel, others = described(wheels[0])
    expect({"METADATA", "WHEEL", "entry_points.txt"} <= metadata.keys(), metadata.keys())
    del in_wheel["RECORD"]
    expect(in_wheel == metadata, kind, in_wheel, metadata)
    return wheels[0], others


def check_all(hooks):
    for hook in QUESTIONS:
        for settings in SETTINGS:
            expect(getattr(hooks, hook)(settings) == [], hook)
    first = sdist = None
    for turn, settings in enumerate(SETTINGS):
        wheel, files = check_wheel_hooks(hooks, "wheel", settings, f"{turn}/wheel")
        for file in ["__init__.py", "_fourier.", "_peaks.", "cli.py"]:
            expect(any(name.startswith(f"spectra/{file}") for name in files), file, files)
        _, files = check_wheel_hooks(hooks, "editable", settings, f"{turn}/editable")
        expect(files and all(name.endswith(".pth") for name in files), files)
        out = new_folder(f"{turn}/sdist")
        made = out / hooks.build_sdist(out, settings)
        first, sdist = first or wheel, sdist or made
        # Neither settings nor the modules that editable installs placed are part of the sources.
        expect(made.read_bytes() == sdist.read_bytes(), made, sdist)
    check_from_sdist(sdist, first)


def check_from_sdist(sdist, wheel):
    unpacked = new_folder("unpacked")
    with tarfile.open(sdist) as archive:
        archive.extractall(unpacked)
    (project,) = unpacked.iterdir()
    out = new_folder("from-sdist")
    again = out / caller(project).build_wheel(out)
    expect(again.name == wheel.name and again.read_bytes() == wheel.read_bytes(), again)


def check_refusals(hooks):
    """A setting that there isn't: every hook says so and makes nothing."""
    settings = {"defaults.debu": "true"}
    calls = [(hook, ()) for hook in QUESTIONS]
    calls += [(hook, (new_folder(f"refused/{hook}"),)) for hook in PREPARATIONS + BUILDS]
    for hook, folders in calls:
        extra = {"_allow_fallback": False} if hook in PREPARATIONS else {}
        try:
            result = getattr(hooks, hook)(*folders, settings, **extra)
        except subprocess.CalledProcessError as error:
            said = error.output.decode()
            expect("did you mean `debug`?" in said and "Traceback (" not in said, hook, said)
        else:
            raise SystemExit(f"{hook} accepts {settings}: {result}")
        for folder in folders:
            expect(not list(folder.iterdir()), hook)


hooks = caller(PROJECT)
check_all(hooks)
check_refusals(hooks)
print(f"pyproject_hooks: all {len(QUESTIONS + PREPARATIONS + BUILDS)} hooks, each in several ways")
