"""What was recorded, as values that JSON can hold, without the place of the copy."""

import os
import sys
import sysconfig
import traceback
import types

from .commands import build_ext
from .distribution import Distribution
from .extension import Extension, EXTENSION_LISTS, EXTENSION_VALUES
from .stand_ins import StandIn

# The folder of the project's copy, as "root".
PROJECT = {}


def path_text(text):
    root = PROJECT["root"]
    if text == root:
        return "."
    return text.replace(root + "/", "")


def plain(value, depth=0):
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, str):
        return path_text(value)
    if depth > 12:
        return repr(value)
    if isinstance(value, StandIn):
        return str(value)
    if isinstance(value, os.PathLike):
        return path_text(os.fspath(value))
    if isinstance(value, Extension):
        return extension_plain(value)
    if isinstance(value, dict):
        return {str(plain(key)): plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted((plain(item, depth + 1) for item in value), key=str)
    if isinstance(value, (list, tuple, types.GeneratorType, map, filter)):
        return [plain(item, depth + 1) for item in value]
    if isinstance(value, type):
        return value.__name__
    return {"object": type(value).__name__}


def extension_plain(extension):
    facts = {"name": plain(extension.name), "class": type(extension).__name__}
    for field in ("sources",) + EXTENSION_LISTS + EXTENSION_VALUES:
        facts[field] = plain(getattr(extension, field, None))
    own = sysconfig.get_paths()
    facts["include_dirs"] = [folder for folder in facts["include_dirs"] or ()
                             if folder not in (own["include"], own["platinclude"])]
    facts["unknown"] = plain(getattr(extension, "_unknown", {}))
    return facts


def where_is(kind):
    module = sys.modules.get(kind.__module__)
    file = getattr(module, "__file__", None) or "setup.py"
    return path_text(os.path.realpath(file))


def commands_of(attrs):
    found = []
    cmdclass = attrs.get("cmdclass")
    if not isinstance(cmdclass, dict):
        return found
    for name, kind in cmdclass.items():
        if isinstance(kind, str):
            found.append({"command": name, "class": kind, "own": True})
        elif isinstance(kind, type):
            found.append({"command": name, "class": kind.__name__,
                          "own": not kind.__module__.startswith(__package__ + ".")})
        else:
            found.append({"command": name, "class": str(plain(kind)), "own": True})
    return found


def built_extensions(attrs):
    """What the project's own build_ext makes of the extensions before they would be compiled."""
    cmdclass = attrs.get("cmdclass")
    kind = cmdclass.get("build_ext") if isinstance(cmdclass, dict) else None
    if kind is None or kind is build_ext or not isinstance(kind, type):
        return None, None
    dist = (attrs.get("distclass") or Distribution)
    try:
        dist = dist(attrs)
        dist.ext_modules = list(attrs.get("ext_modules") or ())
        if not hasattr(dist, "built"):
            dist.built = []
        command = kind(dist)
        dist.command_obj["build_ext"] = command
        command.ensure_finalized()
        command.run()
        return [extension_plain(one) for one in dist.built], None
    except BaseException as error:
        return None, "%s: %s" % (type(error).__name__, error)


def problem(error, root):
    facts = {"message": "%s: %s" % (type(error).__name__, error), "module": None, "where": None}
    if isinstance(error, ModuleNotFoundError) and error.name:
        facts["module"] = error.name.partition(".")[0]
    if isinstance(error, SystemExit):
        facts["message"] = "it ended itself: %s" % (error.code,)
    frames = [frame for frame in traceback.extract_tb(error.__traceback__)
              if frame.filename.startswith(root)]
    if frames:
        facts["where"] = "%s:%d" % (path_text(frames[-1].filename), frames[-1].lineno)
    if isinstance(error, SyntaxError) and error.filename:
        facts["where"] = "%s:%s" % (path_text(error.filename), error.lineno)
    return facts
