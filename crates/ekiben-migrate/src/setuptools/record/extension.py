"""`Extension` of setuptools and pybind11, which only hold what they are given."""

import os

from .events import STAND_IN

EXTENSION_LISTS = (
    "include_dirs", "define_macros", "undef_macros", "library_dirs", "libraries",
    "runtime_library_dirs", "extra_objects", "extra_compile_args", "extra_link_args",
    "export_symbols", "swig_opts", "depends",
)
EXTENSION_VALUES = ("language", "optional", "py_limited_api")


class Extension:
    def __init__(self, name, sources=(), *args, **kw):
        for field, value in zip(EXTENSION_LISTS + EXTENSION_VALUES, args):
            kw.setdefault(field, value)
        self.name = name
        self.sources = [os.fspath(source) for source in sources]
        self._full_name = name
        for field in EXTENSION_LISTS:
            value = kw.pop(field, None)
            setattr(self, field, list(value) if value is not None else [])
        for field in EXTENSION_VALUES:
            setattr(self, field, kw.pop(field, None))
        self._needs_stub = False
        self._unknown = dict(kw)
        for field, value in kw.items():
            setattr(self, field, value)


class Pybind11Extension(Extension):
    def __init__(self, *args, **kw):
        standard = kw.pop("cxx_std", 0)
        kw.setdefault("language", "c++")
        super().__init__(*args, **kw)
        self.include_dirs.append(STAND_IN + "/package/pybind11/include")
        self.cxx_std = standard

    @property
    def cxx_std(self):
        return self._standard

    @cxx_std.setter
    def cxx_std(self, standard):
        self._standard = standard
        if standard:
            self.extra_compile_args.append("-std=c++%s" % standard)
