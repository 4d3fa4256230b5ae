"""What each module that is stood in for holds besides stand-ins."""

import os
import re
import shlex
import sysconfig

from .commands import build_ext, Command, CppyBuildExt
from .compiler import CompileError, Compiler
from .cython import cythonize
from .distribution import Distribution, setup
from .events import event, STAND_IN
from .extension import Extension, Pybind11Extension
from .find import find_namespace_packages, find_packages
from .libraries import configure_extension, numpy_include, pkgconfig_parse
from .numpy_distutils import Configuration, numpy_setup
from .programs import refuse, which
from .stand_ins import StandIn


def version_key(text):
    return [int(part) if part.isdigit() else -1 for part in re.findall(r"\d+|[a-z]+", str(text))]


class LooseVersion:
    def __init__(self, text=""):
        self.vstring, self.version = str(text), version_key(text)

    def __str__(self):
        return self.vstring

    def __eq__(self, other):
        return self.version == version_key(other)

    def __lt__(self, other):
        return self.version < version_key(other)

    def __le__(self, other):
        return self.version <= version_key(other)

    def __gt__(self, other):
        return self.version > version_key(other)

    def __ge__(self, other):
        return self.version >= version_key(other)


class Logger:
    def __getattr__(self, name):
        return lambda *args, **kw: None


def given():
    """What the stand-ins for modules hold besides stand-ins."""
    log = Logger()
    core = {"setup": setup, "Extension": Extension, "Command": Command, "Distribution": Distribution,
            "find_packages": find_packages, "find_namespace_packages": find_namespace_packages,
            "PEP420PackageFinder": find_namespace_packages, "PackageFinder": find_packages,
            "__version__": "80.0.0", "setup_keywords": ()}
    sysconfig_like = {
        "get_python_inc": lambda *a, **k: sysconfig.get_paths()["include"],
        "get_python_lib": lambda *a, **k: sysconfig.get_paths()["purelib"],
        "get_config_var": sysconfig.get_config_var, "get_config_vars": sysconfig.get_config_vars,
        "customize_compiler": lambda compiler: None, "get_makefile_filename": lambda: "Makefile",
    }
    new_compiler = {"new_compiler": lambda *a, **k: Compiler(), "CCompiler": Compiler,
                    "get_default_compiler": lambda *a: Compiler().compiler_type,
                    "CompileError": CompileError}
    build_ext_module = {"build_ext": build_ext, "new_build_ext": build_ext}
    return {
        "setuptools": core,
        "setuptools.extension": {"Extension": Extension, "Library": Extension},
        "setuptools.dist": {"Distribution": Distribution},
        "setuptools.command.build_ext": build_ext_module,
        "setuptools.errors": {},
        "distutils": {"log": log, "version": StandIn("distutils.version")},
        "distutils.core": core,
        "distutils.extension": {"Extension": Extension},
        "distutils.cmd": {"Command": Command},
        "distutils.dist": {"Distribution": Distribution},
        "distutils.command.build_ext": build_ext_module,
        "distutils.errors": {"CompileError": CompileError, "CCompilerError": CompileError,
                             "DistutilsError": CompileError, "LinkError": CompileError},
        "distutils.ccompiler": new_compiler,
        "distutils.unixccompiler": {"UnixCCompiler": Compiler},
        "distutils.msvccompiler": {"MSVCCompiler": Compiler},
        "distutils._msvccompiler": {"MSVCCompiler": Compiler},
        "distutils.log": {name: (lambda *a, **k: None) for name in
                          ("debug", "info", "warn", "error", "fatal", "set_verbosity", "log")},
        "distutils.sysconfig": sysconfig_like,
        "distutils.spawn": {"find_executable": which, "spawn": refuse},
        "distutils.util": {"get_platform": sysconfig.get_platform, "strtobool": strtobool,
                           "convert_path": lambda path: path, "change_root": os.path.join,
                           "split_quoted": shlex.split},
        "distutils.version": {"LooseVersion": LooseVersion, "StrictVersion": LooseVersion},
        "distutils.dep_util": {"newer": lambda *a: True, "newer_group": lambda *a, **k: True},
        "distutils.dir_util": {"mkpath": lambda *a, **k: [], "remove_tree": lambda *a, **k: None,
                               "copy_tree": lambda *a, **k: []},
        "distutils.file_util": {"copy_file": lambda *a, **k: (a[1], 1)},
        "pkg_resources": {"parse_version": LooseVersion,
                          "DistributionNotFound": type("DistributionNotFound", (Exception,), {}),
                          "VersionConflict": type("VersionConflict", (Exception,), {})},
        "wheel.bdist_wheel": {"bdist_wheel": type("bdist_wheel", (Command,), {
            "get_tag": lambda self: ("py3", "none", "any")})},
        "Cython": {"__version__": "3.0.11"},
        "Cython.Build": {"cythonize": cythonize, "build_ext": build_ext},
        "Cython.Build.Dependencies": {"cythonize": cythonize},
        "Cython.Distutils": {"build_ext": build_ext, "Extension": Extension},
        "Cython.Distutils.old_build_ext": {"old_build_ext": build_ext, "build_ext": build_ext},
        "Cython.Distutils.build_ext": {"build_ext": build_ext, "new_build_ext": build_ext},
        "Cython.Distutils.extension": {"Extension": Extension},
        "Cython.Compiler.Main": {"default_options": {}},
        "numpy": {"get_include": numpy_include, "__version__": "2.1.0"},
        "numpy.distutils.core": {"setup": numpy_setup, "Extension": Extension},
        "numpy.distutils.misc_util": {"get_numpy_include_dirs": lambda: [numpy_include()],
                                      "Configuration": Configuration},
        "numpy.distutils.extension": {"Extension": Extension},
        "pkgconfig": {"parse": pkgconfig_parse, "exists": lambda *a: True,
                      "installed": lambda *a: True, "configure_extension": configure_extension,
                      "modversion": lambda name: "99.0.0"},
        "pybind11": {"get_include": lambda *a: STAND_IN + "/package/pybind11/include",
                     "__version__": "2.13.0"},
        "pybind11.setup_helpers": {"Pybind11Extension": Pybind11Extension, "build_ext": build_ext},
        "cppy": {"get_include": lambda: STAND_IN + "/package/cppy/include",
                 "CppyBuildExt": CppyBuildExt},
        "setuptools_scm": {"get_version": lambda *a, **k: version_of_vcs()},
    }


def version_of_vcs():
    event("vcs-version", what="setuptools_scm")
    return "0.0.0"


def strtobool(text):
    word = text.lower()
    if word in ("y", "yes", "t", "true", "on", "1"):
        return 1
    if word in ("n", "no", "f", "false", "off", "0"):
        return 0
    raise ValueError("invalid truth value %r" % (text,))
