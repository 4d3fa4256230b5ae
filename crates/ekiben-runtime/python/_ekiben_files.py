"""Files of the image, for `importlib.resources` and `importlib.metadata`."""

import contextlib
import importlib.metadata
import importlib.resources.abc as _abc
import io
import pathlib
import posixpath
import re

import _ekiben
from _ekiben_importer import BUILTIN, NO_FILE, ROOT, START

_LIBRARY = re.compile(r"\.so(\.\d+)*$")


class Entry(_abc.Traversable):
    """A file or folder of the image: what pathlib.Path is for one of the disk."""

    def __init__(self, path):
        self._path = path

    @property
    def name(self):
        return posixpath.basename(self._path)

    def __str__(self):
        return START + self._path if self._path else ROOT

    def __repr__(self):
        return "Entry(%r)" % str(self)

    def __eq__(self, other):
        return isinstance(other, Entry) and other._path == self._path

    def __hash__(self):
        return hash(self._path)

    @property
    def parent(self):
        return Entry(posixpath.dirname(self._path))

    @property
    def suffix(self):
        return posixpath.splitext(self._path)[1]

    @property
    def stem(self):
        return posixpath.splitext(self.name)[0]

    def exists(self):
        return self.is_file() or self.is_dir() or self._is_linked()

    def _is_linked(self):
        """Whether a module seems to be there that is part of the interpreter, so that nothing can be
        read."""
        folder, name = posixpath.split(self._path)
        stem = name.partition(".")[0]
        found = _ekiben.find(folder if stem == "__init__" else posixpath.join(folder, stem))
        return found is not None and found[0] == BUILTIN and found[2] == self._path

    def is_file(self):
        return _ekiben.size(self._path) is not None

    def is_dir(self):
        return _ekiben.is_folder(self._path)

    def iterdir(self):
        if not self.is_dir():
            raise NotADirectoryError(20, "Not a folder of this program", str(self))
        return iter([self._child(name) for name, _ in _ekiben.list(self._path)])

    def _child(self, name):
        return Entry(posixpath.join(self._path, name))

    def joinpath(self, *descendants):
        path = self._path
        for descendant in descendants:
            path = posixpath.join(path, str(descendant))
        return Entry(posixpath.normpath(path) if path else "")

    __truediv__ = joinpath

    def read_bytes(self):
        data = _ekiben.read(self._path)
        if data is None:
            if self.is_dir():
                raise IsADirectoryError(21, "Is a folder of this program", str(self))
            raise FileNotFoundError(2, NO_FILE, str(self))
        return data

    def read_text(self, encoding=None, errors=None):
        with self.open("r", encoding=encoding, errors=errors) as file:
            return file.read()

    def open(self, mode="r", *arguments, **keywords):
        if "w" in mode or "a" in mode or "+" in mode or "x" in mode:
            raise OSError(30, "Files of this program can only be read", str(self))
        data = io.BytesIO(self.read_bytes())
        if "b" in mode:
            return data
        if arguments:
            # As open() has it: buffering comes first.
            arguments = arguments[1:]
        return io.TextIOWrapper(data, *arguments, **keywords)


@importlib.resources.as_file.register
@contextlib.contextmanager
def _(entry: Entry):
    """A file of the image as one of the disk. Shared objects can be loaded where they are."""
    if entry.is_file() and _LIBRARY.search(entry.name):
        yield pathlib.Path(str(entry))
    else:
        with importlib.resources.as_file.dispatch(object)(entry) as path:
            yield path


class Reader(_abc.TraversableResources):
    """The resources of one package."""

    def __init__(self, folder):
        self._folder = folder

    def files(self):
        return Entry(self._folder)

    def resource_path(self, resource):
        # There is none: `as_file` makes a temporary copy.
        raise FileNotFoundError(2, "No such file on the disk", resource)

    def is_resource(self, path):
        return Entry(posixpath.join(self._folder, path)).is_file()

    def open_resource(self, resource):
        return Entry(posixpath.join(self._folder, resource)).open("rb")

    def contents(self):
        return (entry.name for entry in self.files().iterdir())


class Distribution(importlib.metadata.Distribution):
    """A distribution by its folder of metadata."""

    def __init__(self, folder):
        self._folder = folder
        # Other code finds the metadata by this attribute, as it does those of PathDistribution.
        self._path = Entry(folder)

    def read_text(self, filename):
        data = _ekiben.read(posixpath.join(self._folder, str(filename)))
        return None if data is None else data.decode("utf-8")

    def locate_file(self, path):
        return Entry(posixpath.normpath(posixpath.join(posixpath.dirname(self._folder), str(path))))


def _normalize(name):
    return importlib.metadata.Prepared.normalize(name)


def find_distributions(context):
    """The distributions that `context` asks for, in folders of its path."""
    import sys

    name = getattr(context, "name", None)
    wanted = None if name is None else _normalize(name)
    paths = sys.path if context is None else context.path
    for path in paths:
        path = str(path)
        if path != ROOT and not path.startswith(START):
            continue
        folder = path[len(START):]
        for entry, is_folder in _ekiben.list(folder):
            if is_folder and entry.endswith((".dist-info", ".egg-info")):
                own = entry.rpartition(".")[0].partition("-")[0]
                if wanted is None or _normalize(own) == wanted:
                    yield Distribution(posixpath.join(folder, entry) if folder else entry)
