"""The run: setup.py in its world of recorders, setup.cfg and `[tool.setuptools]`, the answer.

Reads a request as JSON from stdin, and answers with JSON on what was stdout when this started;
whatever setup.py prints goes to stderr.
"""

import builtins
import configparser
import json
import os
import platform
import sys
import tokenize

from .answer import built_extensions, commands_of, plain, problem, PROJECT
from .computed import computed_keys
from .distribution import CALLS
from .events import event, EVENTS
from .extension import Extension
from .finder import Finder, HELPERS
from .given import given
from .machine import pretend, record_environment
from .programs import stop_programs
from .setup_cfg import arguments_of_cfg, read_setup_cfg
from .tool_setuptools import arguments_of_tool


def main():
    request = json.load(sys.stdin)
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    root = PROJECT["root"] = os.path.realpath(request["root"])
    os.chdir(root)
    sys.path[:] = [root] + [entry for entry in sys.path[1:] if entry]
    for name in list(sys.modules):
        if name.partition(".")[0] in HELPERS | {"_distutils_hack"}:
            del sys.modules[name]
    sys.meta_path.insert(0, Finder(root, HELPERS | set(request["stand_ins"])))
    real_platform = platform.system()
    stop_programs()
    record_environment(root)
    pretend(request["platform"])
    Finder.given = given()
    sys.argv = ["setup.py", "build_ext"]
    sys.dont_write_bytecode = True

    result = {"python": platform.python_version(), "system": real_platform, "error": None,
              "calls": 0, "arguments": {}, "origins": {}, "computed": [], "directives": {},
              "commands": [], "built": None, "build_ext_error": None, "unknown": []}
    source = None
    script = os.path.join(root, "setup.py")
    if os.path.isfile(script):
        try:
            with tokenize.open(script) as file:
                source = file.read()
            space = {"__name__": "__main__", "__file__": script, "__builtins__": builtins}
            exec(compile(source, script, "exec"), space)
        except SystemExit as error:
            if not CALLS:
                result["error"] = problem(error, root)
        except BaseException as error:
            result["error"] = problem(error, root)
    os.chdir(root)
    attrs = {}
    result["calls"] = len(CALLS)
    if CALLS:
        attrs, file, line = CALLS[0]
        computed = computed_keys(source, attrs, line) if os.path.realpath(file) == script \
            else sorted(attrs)
        result["computed"] = computed
    directives = {}
    try:
        late = arguments_of_tool(request["tool_setuptools"], directives)
    except Exception as error:
        late = {}
        event("tool-setuptools", what="%s: %s" % (type(error).__name__, error))
    early = {}
    if os.path.isfile(os.path.join(root, "setup.cfg")):
        try:
            early = arguments_of_cfg(read_setup_cfg(os.path.join(root, "setup.cfg")), directives,
                                     result["unknown"])
        except (configparser.Error, UnicodeDecodeError) as error:
            event("setup-cfg", what=str(error))
    merged, origins = {}, {}
    # What setup.py gives stays, unless it is empty (setuptools); pyproject.toml wins over both.
    for origin, values in (("setup.py", attrs), ("setup.cfg", early), ("pyproject.toml", late)):
        for key, value in values.items():
            if origin == "setup.cfg" and merged.get(key):
                continue
            merged[key], origins[key] = value, origin
            if origin != "setup.py" and key in result["computed"]:
                result["computed"].remove(key)
    result["directives"] = {key: value for key, value in directives.items()
                            if origins.get(key, "setup.py") != "setup.py"}
    result["commands"] = commands_of(attrs)
    before = [plain(one) for one in merged.get("ext_modules") or ()
              if isinstance(one, Extension)]
    result["extensions"] = before
    result["strange_extensions"] = [str(plain(one)) for one in merged.get("ext_modules") or ()
                                    if not isinstance(one, Extension)]
    result["built"], result["build_ext_error"] = built_extensions(attrs)
    arguments = {key: plain(value) for key, value in merged.items()
                 if key not in ("ext_modules", "cmdclass", "distclass")}
    result["arguments"], result["origins"] = arguments, origins
    result["has_distclass"] = "distclass" in attrs
    result["events"] = EVENTS
    json.dump(result, channel)
    channel.close()
    sys.stderr.flush()
    # Threads and exit handlers of setup.py have nothing left to do.
    os._exit(0)
