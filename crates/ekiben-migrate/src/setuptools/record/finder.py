"""The import of modules that are stood in for."""

import importlib.abc
import importlib.machinery
import os

from .events import event
from .stand_ins import Module


# Helpers of setup scripts that are never the installed ones.
HELPERS = {
    "Cython", "cffi", "cppy", "distutils", "numpy", "pkg_resources", "pkgconfig", "pybind11",
    "setuptools", "setuptools_scm", "wheel",
}


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def __init__(self, root, names):
        self.names = {name for name in names if not (
            os.path.isdir(os.path.join(root, name)) or os.path.isfile(os.path.join(root, name + ".py"))
        )}

    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top in self.names:
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec):
        top = spec.name.partition(".")[0]
        if top not in ("distutils", "setuptools", "pkg_resources"):
            event("needs", module=top)
        if spec.name.startswith("numpy.distutils"):
            event("needs", module="numpy")
        module = Module(spec.name)
        for name, value in self.given.get(spec.name, {}).items():
            setattr(module, name, value)
        if spec.name in ("setuptools", "distutils.core"):
            module.__all__ = [name for name in self.given[spec.name] if name[0] != "_"]
        return module

    def exec_module(self, module):
        pass
