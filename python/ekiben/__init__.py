"""The PEP 517 and PEP 660 hooks of Ekiben: each runs the `ekiben` program and returns what it says.

The program's result comes through a pipe of its own (a file on Windows), so that whatever a
compiler prints can't be taken for it. A failed build ends the process instead of raising: the
program has said what is wrong, and a traceback of this file would bury it.

Only `os` and `sys` are imported at the top: they are there anyway, and frontends start one
interpreter for every hook.
"""

import os
import sys

__all__ = [
    "build_editable",
    "build_sdist",
    "build_wheel",
    "get_requires_for_build_editable",
    "get_requires_for_build_sdist",
    "get_requires_for_build_wheel",
    "prepare_metadata_for_build_editable",
    "prepare_metadata_for_build_wheel",
]

_HERE = os.path.dirname(os.path.abspath(__file__))

# Type checkers take this for true; importing `typing` costs more than all the rest.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Optional, Union

    Settings = Optional[dict[str, Union[str, list[str]]]]


def build_wheel(
    wheel_directory: str,
    config_settings: "Settings" = None,
    metadata_directory: "Optional[str]" = None,
) -> str:
    return str(_run_hook("build-wheel", config_settings, wheel_directory))


def build_editable(
    wheel_directory: str,
    config_settings: "Settings" = None,
    metadata_directory: "Optional[str]" = None,
) -> str:
    return str(_run_hook("build-editable", config_settings, wheel_directory))


def build_sdist(sdist_directory: str, config_settings: "Settings" = None) -> str:
    return str(_run_hook("build-sdist", config_settings, sdist_directory))


def prepare_metadata_for_build_wheel(
    metadata_directory: str, config_settings: "Settings" = None
) -> str:
    return str(_run_hook("prepare-metadata", config_settings, metadata_directory))


def prepare_metadata_for_build_editable(
    metadata_directory: str, config_settings: "Settings" = None
) -> str:
    return str(_run_hook("prepare-editable-metadata", config_settings, metadata_directory))


def get_requires_for_build_wheel(config_settings: "Settings" = None) -> "list[str]":
    return list(_run_hook("get-requires-for-build-wheel", config_settings))


def get_requires_for_build_editable(config_settings: "Settings" = None) -> "list[str]":
    return list(_run_hook("get-requires-for-build-editable", config_settings))


def get_requires_for_build_sdist(config_settings: "Settings" = None) -> "list[str]":
    return list(_run_hook("get-requires-for-build-sdist", config_settings))


def _run_hook(hook: str, config_settings: "Settings", out_dir: "Optional[str]" = None) -> "Any":
    arguments = [_find_program(), "pep517", hook, "--interpreter", sys.executable]
    if out_dir is not None:
        arguments += ["--out-dir", out_dir]
    build_environment = _find_build_environment()
    if build_environment is not None:
        arguments += ["--build-environment", build_environment]
    if config_settings:
        import json

        arguments += ["--config-settings", json.dumps(config_settings)]
    sys.stdout.flush()
    sys.stderr.flush()
    run = _run_with_pipe if hasattr(os, "posix_spawn") else _run_with_file
    status, result = run(arguments)
    if status != 0:
        if status < 0:
            sys.stderr.write(f"ekiben was ended by signal {-status}\n")
        raise SystemExit(1)
    import json

    return json.loads(result)["result"]


def _run_with_pipe(arguments: "list[str]") -> "tuple[int, bytes]":
    reader, writer = os.pipe()
    os.set_inheritable(writer, True)
    try:
        process = os.posix_spawn(
            arguments[0], [*arguments, "--result-fd", str(writer)], os.environ
        )
    finally:
        os.close(writer)
    try:
        chunks = iter(lambda: os.read(reader, 65536), b"")
        result = b"".join(chunks)
        status = os.waitpid(process, 0)[1]
    except KeyboardInterrupt:
        # The terminal has interrupted the program too: let it stop its compilers and clean up.
        os.waitpid(process, 0)
        raise
    finally:
        os.close(reader)
    return os.waitstatus_to_exitcode(status), result


def _run_with_file(arguments: "list[str]") -> "tuple[int, bytes]":
    import subprocess
    import tempfile

    with tempfile.TemporaryDirectory(prefix="ekiben-") as folder:
        path = os.path.join(folder, "result.json")
        process = subprocess.Popen([*arguments, "--result-file", path])
        try:
            status = process.wait()
        except KeyboardInterrupt:
            process.wait()
            raise
        if status != 0:
            return abs(status), b""
        with open(path, "rb") as file:
            return 0, file.read()


def _find_program() -> str:
    """The program that was installed with this package; else the one on the search path."""
    name = "ekiben.exe" if os.name == "nt" else "ekiben"
    scripts = "Scripts" if os.name == "nt" else "bin"
    folders = [
        # lib/python3.x/site-packages/ekiben: prefixes, virtual environments, the user's packages.
        os.path.join(_HERE, "..", "..", "..", "..", scripts),
        # What `pip install --target` makes.
        os.path.join(_HERE, "..", "bin"),
    ]
    if os.name == "nt":
        # Lib\site-packages\ekiben, and Python3x\site-packages\ekiben of the user's packages.
        folders.insert(0, os.path.join(_HERE, "..", "..", "..", scripts))
        folders.insert(1, os.path.join(_HERE, "..", "..", scripts))
    folders += filter(None, os.environ.get("PATH", os.defpath).split(os.pathsep))
    for folder in folders:
        path = os.path.normpath(os.path.join(folder, name))
        if os.access(path, os.X_OK) and not os.path.isdir(path):
            return path
    sys.stderr.write(
        f"error: the program `{name}` isn't there: it was installed neither beside the package"
        f" `{_HERE}` nor on PATH\nhelp: install the package again: pip install"
        " --force-reinstall ekiben\n"
    )
    raise SystemExit(1)


def _find_build_environment() -> "Optional[str]":
    """The prefix that the frontend made for this build, if it did: another one each time."""
    before, marker, after = _HERE.partition(os.sep + "pip-build-env-")
    if marker:
        # The folder's own name, and `overlay`: the interpreter's layout lies below.
        return before + marker + os.sep.join(after.split(os.sep, 2)[:2])
    if sys.prefix != sys.base_prefix and _HERE.startswith(sys.prefix + os.sep):
        return sys.prefix
    return None
