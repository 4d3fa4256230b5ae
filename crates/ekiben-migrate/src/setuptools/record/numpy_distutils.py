"""`Configuration` and `setup()` of numpy.distutils."""

import glob
import os
import tokenize

from .distribution import setup
from .events import event
from .extension import Extension
from .libraries import numpy_include


class Configuration:
    """numpy.distutils' way of collecting a package's parts."""

    def __init__(self, package_name=None, parent_name=None, top_path=None, package_path=None, **kw):
        self.name = ".".join(part for part in (parent_name, package_name) if part)
        self.local_path = package_path or (self.name.replace(".", "/") if parent_name else ".")
        if self.name and not os.path.isdir(self.local_path):
            self.local_path = "."
        self.top_path = top_path or "."
        self.packages, self.ext_modules, self.libraries, self.data = [], [], [], []
        if self.name:
            self.packages.append(self.name)

    def _path(self, source):
        if not isinstance(source, (str, os.PathLike)):
            event("numpy-distutils", what="a source that a function generates")
            return None
        return os.path.normpath(os.path.join(self.local_path, os.fspath(source)))

    def paths(self, *names, **kw):
        flat = [n for name in names for n in (name if isinstance(name, (list, tuple)) else [name])]
        found = []
        for name in flat:
            path = self._path(name)
            found += sorted(glob.glob(path)) or [path]
        return found

    def add_extension(self, name, sources, **kw):
        full = self.name + "." + name if self.name else name
        sources = [path for path in map(self._path, sources) if path]
        for key in ("include_dirs", "depends", "library_dirs"):
            values = kw.get(key) or []
            kw[key] = [self._path(value) for value in ([values] if isinstance(values, str) else values)
                       if isinstance(value, (str, os.PathLike))]
        for key in ("extra_info", "module_dirs", "f2py_options", "extra_f77_compile_args",
                    "extra_f90_compile_args"):
            if kw.get(key):
                event("numpy-distutils", what="%s of extension %s" % (key, full))
        kw.setdefault("include_dirs", []).append(numpy_include())
        if any(source.endswith(".pyf") for source in sources):
            event("numpy-distutils", what="f2py makes extension %s from a signature file" % full)
        extension = Extension(full, sources, **kw)
        self.ext_modules.append(extension)
        return extension

    def add_library(self, name, sources, **build_info):
        self.libraries.append((name, dict(build_info, sources=self.paths(sources))))

    def add_subpackage(self, name, subpackage_path=None, standalone=False):
        folder = subpackage_path or os.path.join(self.local_path, name.replace(".", "/"))
        script = os.path.join(folder, "setup.py")
        if os.path.isfile(script):
            space = {"__name__": "setup_of_" + name, "__file__": script}
            with tokenize.open(script) as file:
                exec(compile(file.read(), script, "exec"), space)
            if "configuration" in space:
                sub = space["configuration"](self.name or "", self.top_path)
                sub = sub if isinstance(sub, Configuration) else None
                if sub is not None:
                    self.packages += sub.packages
                    self.ext_modules += sub.ext_modules
                    self.libraries += sub.libraries
                    return
        self.packages.append(self.name + "." + name if self.name else name)

    def get_subpackage(self, name, *args, **kw):
        self.add_subpackage(name)
        return []

    def add_data_files(self, *files):
        event("numpy-distutils", what="add_data_files: data in packages is installed anyway")

    add_data_dir = add_include_dirs = add_headers = add_scripts = add_data_files

    def set_options(self, **kw):
        pass

    def get_version(self, *args):
        return None

    def make_config_py(self, *args, **kw):
        event("numpy-distutils", what="make_config_py: a generated `__config__.py`")

    def get_build_temp_dir(self):
        return "build"

    def have_f77c(self):
        return True

    have_f90c = have_f77c

    def todict(self):
        return {"name": self.name, "packages": self.packages, "ext_modules": self.ext_modules,
                "libraries": self.libraries}


def numpy_setup(**attrs):
    configuration = attrs.pop("configuration", None)
    if configuration is not None:
        made = configuration() if callable(configuration) else configuration
        made = made.todict() if isinstance(made, Configuration) else dict(made)
        name = attrs.get("name")
        attrs.update(made)
        attrs["name"] = name or made.get("name")
    return setup(**attrs)
