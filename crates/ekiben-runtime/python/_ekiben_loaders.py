"""What `_ekiben_importer` needs for some modules only: each class would take time at every start."""

import sys

import _ekiben
import _frozen_importlib
import _frozen_importlib_external
import _imp
from _ekiben_importer import BUILTIN, EXTENSION, NO_FILE, START, FolderFinder, Loader, read, spec_of


def loader(name, kind):
    """The class that loads a module."""
    return COMPILED[kind] if kind in COMPILED else LOADERS[name]


class LinecacheLoader(Loader):
    """Loads `linecache`, which finds sources in the image as it does in files: `warnings` and `pdb` ask
    for lines of files, not of modules."""

    def exec_module(self, module):
        super().exec_module(module)
        of_files = module.updatecache

        def updatecache(filename, module_globals=None):
            data = _ekiben.read(filename[len(START):]) if filename.startswith(START) else None
            if data is None:
                return of_files(filename, module_globals)
            lines = _frozen_importlib_external.decode_source(data).splitlines(keepends=True)
            if lines and not lines[-1].endswith("\n"):
                lines[-1] += "\n"
            # Without a time of change: it stays as it is.
            module.cache[filename] = len(data), None, lines, filename
            return lines

        module.updatecache = updatecache


class TracebackLoader(Loader):
    """Loads `traceback`, which prints uncaught exceptions too: of a file that was looked for below the
    program it says how it is read, or that there is none."""

    def exec_module(self, module):
        super().exec_module(module)
        real = module.TracebackException.__init__

        def __init__(self, exc_type, exc_value, *arguments, **keywords):
            explain(exc_value)
            real(self, exc_type, exc_value, *arguments, **keywords)

        __init__.__wrapped__ = real
        module.TracebackException.__init__ = __init__


def explain(error):
    """Adds a note to the error of a call that takes a path."""
    if not isinstance(error, FileNotFoundError):
        return
    path = error.filename
    path = getattr(path, "__fspath__", lambda: path)()
    if isinstance(path, bytes):
        path = path.decode("utf-8", "surrogateescape")
    if not isinstance(path, str) or not path.startswith(START) or error.strerror == NO_FILE:
        return
    from posixpath import normpath

    inner = normpath(path[len(START):])
    if _ekiben.size(inner) is not None:
        note = "this file is in the program: read it by importlib.resources"
    elif _ekiben.is_folder(inner):
        note = "this folder is in the program: list it by importlib.resources"
    else:
        note = "no such file is in the program"
    if note not in getattr(error, "__notes__", ()):
        error.add_note(note)


class BootstrapLoader(Loader):
    """Loads a second copy of the import system, which a few tests do to test it. It checks what it knows
    of modules that the interpreter has frozen into it too."""

    def exec_module(self, module):
        for other in list(sys.modules.values()):
            spec = getattr(other, "__spec__", None)
            loader = getattr(spec, "loader", None)
            if isinstance(loader, Loader) and _imp.is_frozen(spec.name):
                as_frozen(spec, loader.path)
        super().exec_module(module)


def as_frozen(spec, path):
    """Gives a spec what that of a frozen module has."""
    spec.loader_state = type(sys.implementation)(filename=path, origname=spec.name)
    spec.has_location = False


LOADERS = {
    "importlib._bootstrap": BootstrapLoader,
    "linecache": LinecacheLoader,
    "traceback": TracebackLoader,
}


class CompiledLoader(_frozen_importlib_external.ExtensionFileLoader):
    """Loads a compiled module: what importlib.machinery.ExtensionFileLoader is for a file."""

    def __init__(self, name, stem, path):
        super().__init__(name, path)
        self._stem = stem

    def get_data(self, path):
        return read(path)

    get_resource_reader = Loader.get_resource_reader


class LinkedLoader(CompiledLoader):
    """Makes a module that is linked into the program, under its dotted name."""

    # Without a frame of ours in tracebacks.
    create_module = staticmethod(_imp.create_builtin)
    exec_module = staticmethod(_imp.exec_builtin)


class ExtensionLoader(CompiledLoader):
    """Loads a shared object from memory: main.c has a `dlopen` that knows paths of the image."""

    def create_module(self, spec):
        try:
            return super().create_module(spec)
        except ImportError:
            why = _ekiben.unloadable(self.path[len(START):])
            if why is None:
                raise
            raise ImportError(why, name=self.name, path=self.path) from None


COMPILED = {BUILTIN: LinkedLoader, EXTENSION: ExtensionLoader}


class ScriptFinder(FolderFinder):
    """Finds `__main__` as the module of a file, with which an interpreter was started as its script, and
    others beside it."""

    def __init__(self, stem, path):
        super().__init__(stem.rpartition("/")[0])
        self._stem, self.path = stem, path

    def find_spec(self, fullname, target=None):
        if fullname == "__main__":
            return spec_of(fullname, self._stem)
        return super().find_spec(fullname, target)


class Builtins:
    """In place of BuiltinImporter where modules of packages are linked in: it finds the others, without
    comparing each with what is looked for. Those of packages are found where they seem to be, so that
    the order of `sys.path` means what it always does."""

    def __init__(self, linked):
        self._names = frozenset(sys.builtin_module_names).difference(linked)

    def find_spec(self, fullname, path=None, target=None):
        if fullname in self._names:
            return _frozen_importlib.BuiltinImporter.find_spec(fullname)
        return None

    @staticmethod
    def invalidate_caches():
        """The interpreter doesn't change."""
