"""Where modules are: as the import system would look for them in a list of folders, but each folder
is read once, and remembered for who has to know what the answer depended on.
"""

import importlib.machinery
import os
import sys

EXTENSION_SUFFIXES = importlib.machinery.EXTENSION_SUFFIXES


class Folders:
    """What is in folders."""

    def __init__(self):
        self._known = {}

    def list(self, folder):
        """Names in a folder, each with whether it is a folder itself; nothing if there is none."""
        found = self._known.get(folder)
        if found is None:
            found = {}
            try:
                with os.scandir(folder) as entries:
                    for entry in entries:
                        if entry.name != "__pycache__":
                            found[entry.name] = entry.is_dir()
            except OSError:
                pass
            self._known[folder] = found
        return found

    def all(self):
        """The folders that were asked for."""
        return sorted(self._known)


class Found:
    """A module that is there."""

    __slots__ = ("name", "kind", "is_package", "file", "folders", "compiled", "linked")

    def __init__(self, name, kind, is_package, file, folders=(), compiled=None, linked=None):
        self.name = name
        # "code", "namespace", "extension" or "static".
        self.kind = kind
        self.is_package = is_package
        self.file = file
        # Where its submodules are.
        self.folders = list(folders)
        # The compiled form of a module of which the source is there too.
        self.compiled = compiled
        # What a static wheel says of it.
        self.linked = linked

    @property
    def path(self):
        """Where it lies below the folder of all modules; of a namespace package the folder."""
        base = self.name.replace(".", "/")
        if self.kind == "namespace":
            return base
        if self.kind in ("extension", "static"):
            base += "/__init__" if self.is_package else ""
            file = self.file if self.linked is None else self.linked.file
            return base + "." + os.path.basename(file).partition(".")[2]
        return base + ("/__init__.py" if self.is_package else ".py")


class Places:
    """Modules in search folders."""

    def __init__(self, roots, folders, given=(), linked=None, compiled=frozenset()):
        self.roots = list(roots)
        self._folders = folders
        self._known = {module.name: module for module in given}
        self._given = frozenset(self._known)
        # Modules of static wheels, by paths without suffixes.
        self._linked = linked or {}
        # Modules whose source does nothing by itself.
        self._compiled = compiled

    def is_given(self, name):
        """Whether a module was named by its file, wherever that lies."""
        return name in self._given

    def find(self, name):
        """The module of a dotted name, or None."""
        if name in self._known:
            return self._known[name]
        parent, _, last = name.rpartition(".")
        found = None
        if last:
            if parent:
                package = self.find(parent)
                folders = package.folders if package is not None else []
            else:
                folders = self.roots
            found = self._find_in(folders, name, last)
        self._known[name] = found
        return found

    def _find_in(self, folders, name, last):
        portions = []
        for folder in folders:
            listing = self._folders.list(folder)
            if listing.get(last):
                inside = os.path.join(folder, last)
                found = self._module(inside, name, "__init__", True)
                if found is not None:
                    return found
                portions.append(inside)
            found = self._module(folder, name, last, False)
            if found is not None:
                return found
        return Found(name, "namespace", True, None, portions) if portions else None

    def _module(self, folder, name, stem, is_package):
        listing = self._folders.list(folder)
        inside = [folder] if is_package else []
        linked = self._linked.get(os.path.join(folder, stem))
        if linked is not None:
            return Found(name, "static", is_package, linked.object, inside, None, linked)
        source = stem + ".py"
        has_source = listing.get(source) is False
        for suffix in EXTENSION_SUFFIXES:
            if listing.get(stem + suffix) is False:
                compiled = os.path.join(folder, stem + suffix)
                if has_source and name not in self._compiled:
                    file = os.path.join(folder, source)
                    return Found(name, "code", is_package, file, inside, compiled)
                return Found(name, "extension", is_package, compiled, inside)
        if has_source:
            return Found(name, "code", is_package, os.path.join(folder, source), inside)
        return None

    def top(self, root):
        """Names of what may be modules directly in a search folder."""
        for entry, is_folder in self._folders.list(root).items():
            stem = entry if is_folder else self._stem(root, entry)
            if stem and stem != "__init__" and stem.isidentifier():
                yield stem

    def _stem(self, folder, file):
        """The name of the module that a file is; None if it is none."""
        stem = file.partition(".")[0]
        is_linked = file.endswith(".o") and os.path.join(folder, stem) in self._linked
        return stem if is_linked else _stem(file)

    def below(self, name):
        """Names of all modules below a package, in order."""
        package = self.find(name)
        names = set()
        for folder in package.folders if package is not None else []:
            for entry, is_folder in self._folders.list(folder).items():
                stem = entry if is_folder else self._stem(folder, entry)
                if stem and stem != "__init__" and (not is_folder or stem.isidentifier()):
                    names.add(f"{name}.{stem}")
        for child in sorted(names):
            found = self.find(child)
            # A folder of data looks like a namespace package.
            if found is None or found.kind == "namespace" and not any(self.below(child)):
                continue
            yield child
            if found.is_package:
                yield from self.below(child)


def _stem(file):
    for suffix in (".py", *EXTENSION_SUFFIXES):
        if file.endswith(suffix):
            return file[: -len(suffix)]
    return None


def search_folders(roots, folders, inputs):
    """The folders, and those that `.pth` files in them name; the files become inputs."""
    found = []
    for root in roots:
        found.append(root)
        for name in sorted(folders.list(root)):
            if name.endswith(".pth"):
                inputs.append(os.path.join(root, name))
                with open(inputs[-1], encoding="utf-8", errors="replace") as file:
                    lines = [line.strip() for line in file]
                for line in lines:
                    path = os.path.join(root, line)
                    if line and not line.startswith(("#", "import ", "import\t")) and os.path.isdir(path):
                        found.append(os.path.abspath(path))
    return list(dict.fromkeys(found))


# What every interpreter has, whether it is listed or not.
_IN_EVERY = frozenset(("_frozen_importlib", "_frozen_importlib_external"))


class StandardLibrary:
    """The modules of Python that the program has by itself."""

    def __init__(self, folders, names):
        self.folder = os.path.dirname(os.path.abspath(os.__file__))
        # Names of top-level modules.
        self.top = _IN_EVERY.union(names)
        self.places = Places([self.folder, os.path.join(self.folder, "lib-dynload")], folders)

    def has(self, name):
        """Whether a dotted name is one of the standard library's."""
        return name.partition(".")[0] in self.top

    def lacks(self, name):
        """Whether a dotted name is Python's, and not in the program's standard library."""
        return not self.has(name) and name.partition(".")[0] in sys.stdlib_module_names

    def absent(self, name):
        """That there is no such module, for people."""
        where = " in the program's standard library" if self.lacks(name) else ""
        return f"there is no module `{name}`{where}"
