"""What belongs to modules: data files, and the metadata of the distributions they are from."""

import configparser
import contextlib
import csv
import email.parser
import fnmatch
import io
import json
import os
import re

from places import EXTENSION_SUFFIXES

# A shared object that isn't a module, as far as names tell.
_LIBRARY = re.compile(r"(?!.*\.(cpython-|pypy|abi3\.))[^/]+\.so(\.\d+)*")
_NO_DATA = (".py", ".pyc", ".pyo", ".pyi", ".so", ".pyd", *EXTENSION_SUFFIXES)
_LICENCE = re.compile(r"(licen[cs]e|copying|notice|authors)", re.IGNORECASE)
# What an installer writes of where and how it installed.
_INSTALLATION = frozenset(
    ("INSTALLER", "RECORD", "REQUESTED", "direct_url.json", "uv_build.json", "uv_cache.json")
)


# What people and their tools leave in folders of code.
_LEFTOVERS = (".DS_Store", ".env*", "*~")
# Packages that nothing but a test run imports.
_TESTS = frozenset(("test", "tests"))
_VERSION_CONTROL = frozenset((".git", ".hg", ".svn"))


def normalized(name):
    """The name of a distribution as it is compared (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


class Distribution:
    """What is installed of one project."""

    def __init__(self, root, folder, folders):
        self.root = root
        # Of its metadata, below the root.
        self.folder = folder
        self._folders = folders
        self.is_egg = folder.endswith(".egg-info")
        text = self.read("PKG-INFO" if self.is_egg else "METADATA")
        headers = email.parser.HeaderParser().parsestr(text)
        self.name = headers.get("Name") or folder.rpartition(".")[0].partition("-")[0]
        self.version = headers.get("Version") or ""
        self.licence = headers.get("License-Expression") or headers.get("License") or ""
        if "\n" in self.licence or len(self.licence) > 80:
            self.licence = ""
        self.record = list(csv.reader(io.StringIO(self.read("RECORD"))))

    def read(self, name):
        """The text of a file of the metadata; empty if there is none."""
        try:
            path = os.path.join(self.root, self.folder, name)
            with open(path, encoding="utf-8", errors="replace", newline="") as file:
                return file.read()
        except OSError:
            return ""

    def entry_points(self):
        """Groups, with the modules of their entry points."""
        parser = configparser.ConfigParser(delimiters=("=",), strict=False, interpolation=None)
        parser.optionxform = str
        try:
            parser.read_string(self.read("entry_points.txt"))
        except configparser.Error:
            return {}
        return {
            group: [value.partition("[")[0].partition(":")[0].strip() for _, value in parser.items(group)]
            for group in parser.sections()
        }

    def loader(self):
        """The `.pth` file whose code finds the modules of an editable installation; None if there is no
        such file."""
        try:
            about = json.loads(self.read("direct_url.json"))
            is_editable = about["dir_info"]["editable"]
        except (ValueError, TypeError, KeyError):
            return None
        for path in self.owned() if is_editable else ():
            if path.endswith(".pth"):
                file = os.path.join(self.root, path)
                with contextlib.suppress(OSError), open(file, encoding="utf-8", errors="replace") as lines:
                    if any(line.startswith(("import ", "import\t")) for line in lines):
                        return file
        return None

    def owned(self):
        """Paths of its files, below the root."""
        if not self.is_egg:
            return [os.path.normpath(row[0]) for row in self.record if row]
        tops = self.read("top_level.txt").split()
        return [path for top in tops for path in (f"{top}.py", f"{top}/__init__.py")]


class Distributions:
    """All that is installed in some folders."""

    def __init__(self, roots, folders):
        self._folders = folders
        self._all = [
            Distribution(root, name, folders)
            for root in roots
            for name, is_folder in sorted(folders.list(root).items())
            if is_folder and name.endswith((".dist-info", ".egg-info"))
        ]
        self._owners = {}
        for distribution in self._all:
            for path in distribution.owned():
                self._owners.setdefault(os.path.join(distribution.root, path), distribution)
        self._groups = {}
        for distribution in self._all:
            for group, modules in distribution.entry_points().items():
                self._groups.setdefault(group, []).extend(modules)

    def inputs(self):
        """Files whose content counts, whether they are part of the program or not."""
        names = ("METADATA", "PKG-INFO", "RECORD", "entry_points.txt", "top_level.txt")
        for it in self._all:
            inside = os.path.join(it.root, it.folder)
            yield from (os.path.join(inside, name) for name in names if name in self._folders.list(inside))

    def entry_points(self, group):
        """Modules with entry points of a group."""
        return self._groups.get(group, [])

    def owner(self, file):
        """The distribution that brought a file, or None."""
        return self._owners.get(file)

    def owns_below(self, folder):
        """Whether a distribution has brought something in a folder."""
        inside = os.path.join(folder, "")
        return any(file.startswith(inside) for file in self._owners)

    def editable(self):
        """Distributions whose modules only code can find, which isn't run: what to say of them, and the
        file with that code."""
        for it in self._all:
            file = it.loader()
            if file is not None:
                yield f"the modules of `{it.name}`, an editable installation, are found by code that isn't run", file

    def of_metadata(self, root, folder):
        """The distribution with its metadata in a folder, or None."""
        return next((it for it in self._all if (it.root, it.folder) == (root, folder)), None)

    def named(self, name):
        """The distribution of a name, or None."""
        wanted = normalized(name)
        return next((it for it in self._all if normalized(it.name) == wanted), None)


def _is_leftover(name, is_folder):
    if is_folder:
        return name in _VERSION_CONTROL
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in _LEFTOVERS)


class Files:
    """The files of a program that aren't modules."""

    def __init__(self, folders, hints, no_data, distributions, is_excluded):
        self._folders = folders
        # Of names of modules.
        self._is_excluded = is_excluded
        self._distributions = distributions
        # Files by their whole paths.
        self._no_data = no_data
        self._without = [it for hint in hints.values() for it in hint.get("no-data", ())]
        self._with = [it for hint in hints.values() for it in hint.get("data", ())]
        # By path.
        self.found = {}

    def of_package(self, found):
        """Takes the data of a package, and of those in it that aren't taken themselves, but for tests: they
        may be there to hold data only."""
        base = found.name.replace(".", "/")
        for folder in found.folders:
            self._data(folder, base, found.name, found.kind != "namespace")

    def _data(self, folder, base, owner, goes_down, is_leftover=False):
        """Takes what is in a folder; of what was left there, only what a distribution has brought."""
        within = is_leftover
        for name, is_folder in sorted(self._folders.list(folder).items()):
            path, file = f"{base}/{name}", os.path.join(folder, name)
            is_leftover = within or _is_leftover(name, is_folder)
            brought = self._distributions.owns_below if is_folder else self._distributions.owner
            if is_leftover and not brought(file):
                continue
            if is_folder:
                listing = self._folders.list(file)
                is_package = any(it.partition(".")[0] == "__init__" for it in listing)
                is_unwanted = is_package and (name in _TESTS or self._is_excluded(path.replace("/", ".")))
                if goes_down and not is_unwanted:
                    self._data(file, path, owner, True, is_leftover)
                continue
            kind = self._kind(path, name)
            if kind is not None and file not in self._no_data:
                self.found.setdefault(path, {"path": path, "file": file, "kind": kind, "owner": owner})

    def _kind(self, path, name):
        """What a file of a package is to a program; None if it is no part of one."""
        if any(fnmatch.fnmatchcase(path, pattern) for pattern in self._without):
            return None
        if any(fnmatch.fnmatchcase(path, pattern) for pattern in self._with):
            return "resource"
        if _LIBRARY.fullmatch(name):
            return "library"
        return None if name.endswith(_NO_DATA) or ".so." in name else "resource"

    def of_distribution(self, distribution):
        """Takes the metadata of a distribution, all but its list of files."""
        self._metadata(distribution, os.path.join(distribution.root, distribution.folder), distribution.folder)

    def _metadata(self, distribution, folder, base):
        for name, is_folder in sorted(self._folders.list(folder).items()):
            path, file = f"{base}/{name}", os.path.join(folder, name)
            if is_folder:
                self._metadata(distribution, file, path)
            elif name not in _INSTALLATION and file not in self._no_data:
                is_licence = "/licenses/" in path or _LICENCE.match(name)
                kind = "licence" if is_licence else "metadata"
                self.found.setdefault(path, {"path": path, "file": file, "kind": kind, "owner": distribution.name})


def record(distribution, paths, linked):
    """The list of a distribution's files, of which only some are in the program. In place of what is
    linked in are the files that ordinary wheels have."""
    path = f"{distribution.folder}/RECORD"
    rows = [row for row in distribution.record if row and os.path.normpath(row[0]) in paths]
    own = (linked.get(os.path.join(distribution.root, row[0])) for row in distribution.record if row)
    rows.extend([it.file, "", ""] for it in own if it is not None and it.file in paths)
    rows.append([path, "", ""])
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(sorted(rows))
    return path, text.getvalue().encode()
