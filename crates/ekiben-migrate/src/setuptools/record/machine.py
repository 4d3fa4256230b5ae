"""The environment variables that are looked at, and how another system looks."""

import collections
import glob
import os
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import types

from .events import event

ORDINARY = re.compile(r"(PATH|HOME|USER|TMP|TEMP|TMPDIR|LANG|LC_.*|PYTHON.*|SOURCE_DATE_EPOCH|"
                      r"VIRTUAL_ENV|PWD|TERM|COLUMNS|SETUPTOOLS_.*|DISTUTILS_.*)$")


def record_environment(root):
    plain_type = type(os.environ)

    class Environment(plain_type):
        def __getitem__(self, key):
            caller = sys._getframe(1)
            for _ in range(3):
                if caller is None:
                    break
                if caller.f_code.co_filename.startswith(root):
                    if isinstance(key, str) and not ORDINARY.match(key):
                        event("environment", name=key)
                    break
                caller = caller.f_back
            return super().__getitem__(key)

        def __contains__(self, key):
            try:
                self[key]
            except KeyError:
                return False
            return True

    os.environ.__class__ = Environment


def pretend(system_name):
    """Makes the interpreter look as if it ran on another system, to those who only ask."""
    facts = {
        "win32": ("nt", "Windows", "win-amd64", "AMD64", "10"),
        "darwin": ("posix", "Darwin", "macosx-11.0-arm64", "arm64", "23.0.0"),
    }.get(system_name)
    if facts is None:
        return
    # Both are computed once, from files that the other system doesn't have.
    paths, values = sysconfig.get_paths(), dict(sysconfig.get_config_vars())
    sysconfig.get_paths = lambda *a, **k: dict(paths)
    sysconfig.get_config_vars = lambda *names: [values.get(n) for n in names] if names else values
    sysconfig.get_config_var = values.get
    real = types.ModuleType("os")
    real.__dict__.update(os.__dict__)
    for module in (pathlib, sys.modules.get("pathlib._local"), shutil, tempfile, glob, subprocess):
        if module is not None and hasattr(module, "os"):
            module.os = real
    os_name, name, tag, machine, release = facts
    os.name, sys.platform = os_name, system_name
    platform.system = lambda: name
    platform.machine = lambda: machine
    platform.release = lambda: release
    platform.mac_ver = lambda *a, **k: ("11.0" if system_name == "darwin" else "", ("", "", ""), machine)
    platform.platform = lambda *a, **k: name
    sysconfig.get_platform = lambda: tag
    os.uname = lambda: types.SimpleNamespace(sysname=name, release=release, machine=machine)
    if system_name == "win32":
        version = collections.namedtuple("version", "major minor build platform service_pack")
        sys.getwindowsversion = lambda: version(10, 0, 19045, 2, "")
        os.environ.setdefault("PATHEXT", ".EXE")
