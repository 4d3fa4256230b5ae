"""Imports from the image that this program carries.

The image holds modules and files at paths below the program's own path, as if that were a folder.
`sys.path` names folders of it, for which `hook` gives finders; so whatever is done with `sys.path`
and a package's `__path__` means what it always does.

It is imported while the interpreter starts: nothing but built-in modules may be imported here.
"""

import sys

import _ekiben
import _frozen_importlib
import _frozen_importlib_external
import _imp

ROOT = sys.prefix
START = ROOT + "/"

# What the importer's own errors say.
NO_FILE = "No such file in this program"

# Kinds of modules, as in the format.
CODE, BUILTIN, NAMESPACE, EXTENSION = range(4)

_find = _ekiben.find
_ModuleSpec = _frozen_importlib.ModuleSpec


class Loader(_frozen_importlib_external._LoaderBasics):
    """Loads one module: what importlib.machinery.SourceFileLoader is for a file."""

    def __init__(self, name, stem, path):
        self.name, self._stem, self.path = name, stem, path

    def __eq__(self, other):
        return self.__class__ == other.__class__ and self.__dict__ == other.__dict__

    def __hash__(self):
        return hash(self.name) ^ hash(self.path)

    def _check(self, name):
        # Before 3.12 linecache asks for what is run by the name that it has then.
        if name is not None and name != self.name and name != "__main__":
            raise ImportError("loader for %s cannot handle %s" % (self.name, name), name=name)

    def get_code(self, fullname=None):
        self._check(fullname)
        code = _ekiben.code(self._stem)
        # Compiled with a path that is the same on every machine.
        _imp._fix_co_filename(code, self.path)
        return code

    def get_filename(self, fullname=None):
        self._check(fullname)
        return self.path

    def get_source(self, fullname=None):
        self._check(fullname)
        data = _ekiben.read(self.path[len(START):])
        return None if data is None else _frozen_importlib_external.decode_source(data)

    def get_data(self, path):
        return read(path)

    def get_resource_reader(self, fullname=None):
        if self.is_package(fullname or self.name):
            from _ekiben_files import Reader

            return Reader(self._stem)
        return None


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


def read(path):
    """The content of a file of the image, by its whole path."""
    path = getattr(path, "__fspath__", lambda: path)()
    data = _ekiben.read(path[len(START):]) if path.startswith(START) else None
    if data is None:
        # As zipimport has it: there is no such file, so that it can be told from one that is broken.
        raise OSError(2, NO_FILE, path)
    return data


def spec_of(name, stem):
    """What to import as `name`, from where the image has `stem`; None if there is nothing."""
    found = _find(stem)
    if found is None or found[0] == NAMESPACE:
        if found is None and not _ekiben.is_folder(stem):
            return None
        # A part of a namespace package (PEP 420).
        spec = _ModuleSpec(name, None)
        spec.submodule_search_locations = [START + stem]
        return spec
    kind, is_package, path = found
    path = START + path
    loader = COMPILED[kind] if kind in COMPILED else LOADERS.get(name, Loader)
    spec = _ModuleSpec(name, loader(name, stem, path), origin=path)
    spec.has_location = True
    if is_package:
        spec.submodule_search_locations = [START + stem]
    return spec


class FolderFinder:
    """Finds modules in one folder of the image: what importlib.machinery.FileFinder is for a folder."""

    def __init__(self, folder):
        self._folder = folder
        self.path = START + folder if folder else ROOT

    def __repr__(self):
        return "FolderFinder(%r)" % self.path

    def find_spec(self, fullname, target=None):
        tail = fullname.rpartition(".")[2]
        return spec_of(fullname, self._folder + "/" + tail if self._folder else tail)

    def iter_modules(self, prefix=""):
        """For `pkgutil.iter_modules`."""
        for name, is_package in _ekiben.modules(self._folder):
            yield prefix + name, is_package

    def invalidate_caches(self):
        """The image doesn't change."""


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


def hook(path):
    """For `sys.path_hooks`."""
    if path == ROOT:
        return FolderFinder("")
    if path.startswith(START):
        inner = path[len(START):]
        if _ekiben.is_folder(inner):
            return FolderFinder(inner)
        stem = inner.removesuffix(".py")
        found = _find(stem)
        if found is not None and found[0] == CODE and found[2] == inner:
            return ScriptFinder(stem, path)
    raise ImportError("not a folder of this program", path=path)


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


class Distributions:
    """On `sys.meta_path`, for `importlib.metadata`: it finds distributions, and no modules."""

    @staticmethod
    def find_spec(fullname, path=None, target=None):
        return None

    @staticmethod
    def find_distributions(context=None):
        import _ekiben_files

        return _ekiben_files.find_distributions(context)

    @staticmethod
    def invalidate_caches():
        """The image doesn't change."""


def zip_hook(path):
    """In place of `zipimport.zipimporter`, until a path is looked at that isn't of the image."""
    # Out of the way first: finders of others, such as pytest's, ask for the path again meanwhile.
    at = sys.path_hooks.index(zip_hook)
    del sys.path_hooks[at]
    from zipimport import zipimporter

    sys.path_hooks.insert(at, zipimporter)
    return zipimporter(path)


def install():
    """Has this interpreter import from the image. A second call does nothing."""
    if hook in sys.path_hooks:
        return
    time = sys.modules.get("time")
    if time is not None and not hasattr(time, "time"):
        # The empty one of main.c.
        zipimporter = sys.modules.pop("zipimport").zipimporter
        del sys.modules["time"]
        sys.path_hooks[sys.path_hooks.index(zipimporter)] = zip_hook
    sys.path_hooks.insert(0, hook)
    sys.path_importer_cache.clear()
    # What the interpreter has frozen into it comes last: it knows neither sources nor resources.
    frozen = _frozen_importlib.FrozenImporter
    sys.meta_path.remove(frozen)
    sys.meta_path += [frozen, Distributions]
    linked = _ekiben.setting("linked")
    if linked is not None:
        # Each with the size of its object.
        builtins = Builtins([line.partition("\t")[0] for line in linked.split("\n")])
        sys.meta_path[sys.meta_path.index(_frozen_importlib.BuiltinImporter)] = builtins
    library = "lib/python%d.%d/" % sys.version_info[:2]
    if sys._stdlib_dir is None:
        # In a host program; the import system tells by it what files frozen modules are of.
        sys._stdlib_dir = START + library[:-1]
    for module in list(sys.modules.values()):
        spec = getattr(module, "__spec__", None)
        if spec is not None and spec.loader is frozen:
            adopt(module, spec.name, library)
    if sys.version_info < (3, 13):
        sys.excepthook = show


def adopt(module, name, library):
    """Gives a module that came before the importer what the importer would have given it."""
    spec = spec_of(name, library + name.replace(".", "/"))
    if spec is None or spec.loader is None:
        return
    module.__spec__, module.__loader__, module.__file__ = spec, spec.loader, spec.origin
    if spec.submodule_search_locations is not None:
        module.__path__ = spec.submodule_search_locations


def show(kind, value, traceback):
    """In place of `sys.excepthook`, which before 3.13 reads sources from files only."""
    try:
        from traceback import print_exception
    except ImportError:
        sys.__excepthook__(kind, value, traceback)
    else:
        print_exception(kind, value, traceback)


def prepare_main(name):
    """Makes `__main__` what `python -m name` would make it, and returns its code."""
    parent, _, _ = name.rpartition(".")
    path = None
    if parent:
        __import__(parent)
        path = sys.modules[parent].__path__
    spec = _frozen_importlib_external.PathFinder.find_spec(name, path)
    if spec is None or spec.loader is None:
        raise ImportError("this program's main module %r isn't in it" % name, name=name)
    main = sys.modules["__main__"].__dict__
    main.update(
        __file__=spec.origin,
        __cached__=spec.cached,
        __loader__=spec.loader,
        __package__=spec.parent,
        __spec__=spec,
    )
    return spec.loader.get_code(name)


def flush_files():
    """Writes what open files still hold. Taking the interpreter apart would do it, file by file."""
    import _io as io
    import gc

    texts, others = [], []
    for it in gc.get_objects():
        # `isinstance` could run code of the object.
        kind = type(it)
        if issubclass(kind, io.TextIOWrapper):
            texts.append(it)
        elif issubclass(kind, (io.BufferedWriter, io.BufferedRandom)):
            others.append(it)
    for it in texts + others:
        try:
            if not it.closed:
                it.flush()
        except Exception:
            # As when a file is collected: there is nobody to tell.
            pass
