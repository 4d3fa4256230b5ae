"""Imports from the image that this program carries.

The image holds modules and files at paths below the program's own path, as if that were a folder.
`sys.path` names folders of it, for which `hook` gives finders; so whatever is done with `sys.path`
and a package's `__path__` means what it always does.

It is imported while the interpreter starts: nothing but built-in modules may be imported here. Each
class takes time at every start, so those that small programs don't need are in `_ekiben_loaders`.
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

# What the collector has to know of if it knows all that the program has made: set by main.c.
witness = None

# Modules of the standard library with loaders of their own.
SPECIAL = frozenset(("importlib._bootstrap", "linecache", "traceback"))

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
    loader = Loader
    if kind != CODE or name in SPECIAL:
        import _ekiben_loaders

        loader = _ekiben_loaders.loader(name, kind)
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
            from _ekiben_loaders import ScriptFinder

            return ScriptFinder(stem, path)
    raise ImportError("not a folder of this program", path=path)


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
    zipimport = sys.modules.get("zipimport")
    if zipimport is not None and not hasattr(zipimport, "zipimporter"):
        # The empty one of main.c.
        del sys.modules["zipimport"]
        sys.path_hooks.insert(0, zip_hook)
    sys.path_hooks.insert(0, hook)
    sys.path_importer_cache.clear()
    # What the interpreter has frozen into it comes last: it knows neither sources nor resources.
    frozen = _frozen_importlib.FrozenImporter
    sys.meta_path.remove(frozen)
    sys.meta_path += [frozen, Distributions]
    linked = _ekiben.setting("linked")
    if linked is not None:
        from _ekiben_loaders import Builtins

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
    import gc

    files, is_whole = open_files(gc.get_objects())
    if not is_whole:
        # The program has called `gc.freeze()`, which hides all that was there.
        gc.unfreeze()
        files, _ = open_files(gc.get_objects())
    for it in files:
        try:
            if not it.closed:
                it.flush()
        except Exception:
            # As when a file is collected: there is nobody to tell.
            pass


def open_files(objects):
    """Files among objects, those that write to others first, and whether the objects are all there are."""
    import _io as io

    texts, others, is_whole = [], [], False
    for it in objects:
        # `isinstance` could run code of the object.
        kind = type(it)
        if issubclass(kind, io.TextIOWrapper):
            texts.append(it)
        elif issubclass(kind, (io.BufferedWriter, io.BufferedRandom)):
            others.append(it)
        elif it is witness:
            is_whole = True
    return texts + others, is_whole
