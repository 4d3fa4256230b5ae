"""From a program's main module to all that it may import."""

import ast
import fnmatch
import marshal
import os
import re
from collections import deque
from functools import partial

from compiled import Names
from places import Found
from scan import GUARDED, IMPORT, LAZY, Scan, first_imports

# Reasons besides imports.
MAIN, INCLUDE, TRACE, HINT, ENTRY_POINT = "main", "include", "trace", "hint", "entry-point"
COMPILED = "compiled"

# Reasons of which somebody asked for the module itself.
_STARTS = frozenset((MAIN, INCLUDE, ENTRY_POINT))


# Modules of Python that no Linux has.
_OF_OTHER_SYSTEMS = frozenset("_msi _overlapped _scproxy _winapi _wmi msilib msvcrt nt winreg winsound".split())


class Unusable(Exception):
    """What was asked for can't become a program; for the user to read."""


class Uncompilable(Unusable):
    """The main module, which isn't a program by its own fault."""


class Taken:
    """A module of the program, and why it is one."""

    def __init__(self, found, by, line, how):
        self.found = found
        self.by = by
        self.line = line
        self.how = how
        self.source = None
        # What is in the file, from which the source may differ by hints.
        self.original = None
        self.code = None


class Walk:
    """The modules of a program, as they are found."""

    def __init__(self, request, places, standard, distributions):
        self._request = request
        self._places = places
        self.standard_library = standard
        self._distributions = distributions
        self._hints = request["hints"]
        self._virtual = {"__main__"}.union(name for hint in self._hints.values() for name in hint.get("virtual", ()))
        self._silent = {name for name, hint in self._hints.items() if hint.get("reads-files") is False}
        self._queue = deque()
        self._groups = {}
        # Imports that wait for another module to name what they are for: words, who imports, and how
        # to go on.
        self._waiting = []
        self._words = {
            word
            for hint in self._hints.values()
            for words in hint.get("only-for", {}).values()
            for word in words
        }
        # Words with the modules that have named them.
        self._mentions = {word: set() for word in self._words}
        self.optional = {name for hint in self._hints.values() for name in hint.get("optional", ())}
        self.taken = {}
        # Modules of the standard library: why they are needed.
        self.standard = {}
        # Why a module that isn't there was looked for.
        self.missing = {}
        # Modules with what they import, and how.
        self._edges = {}
        # Modules with what they may import when they are imported.
        self._first = {}
        self.metadata = set()
        self.warnings = []

    def run(self, main, generated):
        """Takes the main module, and everything from there."""
        self._generated = generated
        self._main = main
        if not self._take(main, None, 0, MAIN):
            raise Unusable(self.standard_library.absent(main))
        for pattern in self._request["includes"]:
            if not self._take_pattern(pattern, None, INCLUDE):
                raise Unusable(f"`{pattern}`, which is to be included, fits no module")
        for name in self._request["whole"]:
            # If there is none, those who know why it was named say so.
            self._take_pattern(f"{name}.*", None, INCLUDE)
        for name in self._request["traced"]:
            # What was there in the run may have been made by it.
            self._take(name, None, 0, TRACE)
        for name in self._request["standard"]:
            self._take_pattern(name, None, MAIN)
        while self._queue or self._wake():
            name, is_standard = self._queue.popleft()
            if is_standard:
                self._scan_standard(name)
            else:
                self._scan(name)

    def needed(self):
        """Names of the modules without which the program stops, at the latest in some function."""
        return self._reach(frozenset((*_STARTS, IMPORT, LAZY)))

    def at_start(self):
        """Names of the modules that are imported whatever the program does."""
        return self._reach(frozenset((*_STARTS, IMPORT)))

    def standard_at_start(self):
        """Names of modules of the standard library that are imported as the program starts. It is a guess,
        by which they lie at hand or packed: conditions are taken to hold."""
        queue = deque([self._main])
        found = set()
        while queue:
            for name in _with_parents(queue.popleft()):
                if name not in found:
                    found.add(name)
                    first = self._first.get(name)
                    queue.extend(self._first_of_standard(name) if first is None else first)
        return [name for name in found if self.standard_library.has(name) and name not in self.taken]

    def _first_of_standard(self, name):
        """What a module of the standard library imports by statements that begin a line: to find these takes
        a tenth of the time of looking at all of it."""
        found = self.standard_library.places.find(name) if self.standard_library.has(name) else None
        if found is None or found.kind != "code":
            return
        package = _package(name, found.is_package)
        with open(found.file, "rb") as file:
            for module, level in first_imports(file.read()):
                base = _resolve(package, module, level)
                if base:
                    yield base

    def _reach(self, hows):
        found = {name for name, it in self.taken.items() if it.how in _STARTS}
        queue = deque(sorted(found))
        while queue:
            by = queue.popleft()
            for name, how in self._edges.get(by, ()):
                # A program begins with a function of its main module, as a rule.
                counts = how in hows or by == self._main and how == LAZY
                if counts and name not in found:
                    found.add(name)
                    queue.append(name)
        return found

    # Taking

    def is_excluded(self, name):
        """Whether a module isn't to be taken, or a package around it."""
        for pattern in self._request["excludes"]:
            parts = name.split(".")
            if any(fnmatch.fnmatchcase(".".join(parts[: n + 1]), pattern) for n in range(len(parts))):
                return True
        return False

    def _take(self, name, by, line, how):
        """Takes a module and the packages around it; whether it is there."""
        if self.standard_library.has(name) and not self._places.is_given(name):
            self._take_standard(name, by, line, how)
            return True
        parts = name.split(".")
        for number in range(len(parts)):
            prefix = ".".join(parts[: number + 1])
            if prefix in self._virtual:
                return True
            if self.is_excluded(prefix):
                return False
            found = self._places.find(prefix)
            if found is None:
                if how not in (HINT, TRACE) and prefix not in self.optional and not self._is_elsewhere(prefix, by):
                    self.missing.setdefault(prefix, []).append((by, line, how))
                return False
            self._edges.setdefault(by, []).append((prefix, how))
            if prefix not in self.taken:
                self.taken[prefix] = Taken(found, by, line, how)
                self._queue.append((prefix, False))
        return True

    def _is_elsewhere(self, name, by):
        """Whether nobody misses a module: it is of Python on other systems, or only other modules of
        Python import it, which do without."""
        return self.standard_library.lacks(name) and (name in _OF_OTHER_SYSTEMS or by in self.standard)

    def _take_standard(self, name, by, line, how):
        parts = name.split(".")
        for number in range(len(parts)):
            prefix = ".".join(parts[: number + 1])
            if self._request["follow-standard"] and self.is_excluded(prefix) and prefix not in self._request["standard"]:
                # Of a library that isn't pruned, all is there.
                return
            if prefix not in self.standard:
                self.standard[prefix] = (by, line, how)
                if self._request["follow-standard"]:
                    self._queue.append((prefix, True))

    def _take_pattern(self, pattern, by, how):
        """Takes what a name, or `package.*` for all below it, stands for; whether there is any."""
        package = pattern.removesuffix(".*")
        if package == pattern:
            return self._take(pattern, by, 0, how)
        is_standard = self.standard_library.has(package)
        places = self.standard_library.places if is_standard else self._places
        if places.find(package) is None:
            return False
        for name in places.below(package):
            self._take(name, by, 0, how)
        return True

    def _take_fitting(self, pattern, level, by, is_package, line):
        """Takes what a name may be that is put together when the program runs, of which some is known: `*` is
        the rest, or a part of it. Whether there is any."""
        pattern = _resolve(_package(by, is_package), pattern, level)
        package = pattern.partition("*")[0].rpartition(".")[0] if pattern else ""
        if not package or self._places.find(package) is None:
            return False
        fits = re.compile(re.escape(pattern).replace(r"\*", "[^.]+"))
        names = [it for it in self._places.below(package) if fits.fullmatch(it)]
        for name in names:
            self._take(name, by, line, GUARDED)
        return bool(names)

    # Waiting

    def _when_wanted(self, name, module, go_on):
        """Goes on with an import of `module` by `name`; where hints say what it is for, once another
        module has named that."""
        words = self._hints.get(name, {}).get("only-for", {}).get(module)
        if words is None:
            go_on()
        else:
            self._waiting.append((words, name, go_on))

    def _wake(self):
        """Goes on with what has waited long enough; whether there is more to scan."""
        waiting, self._waiting = self._waiting, []
        for words, name, go_on in waiting:
            if any(self._mentions[word] - {name} for word in words):
                go_on()
            else:
                self._waiting.append((words, name, go_on))
        return bool(self._queue)

    def _mention(self, name, words):
        for word in words:
            self._mentions[word].add(name)

    # Scanning

    def _scan(self, name):
        taken = self.taken[name]
        found = taken.found
        if found.kind == "code":
            self._compile(name, taken)
        elif found.kind in ("extension", "static"):
            self._look_into(name, found)
        self._apply_hint(name)

    def _look_into(self, name, found):
        """Takes modules that are named in a compiled one: it imports without a statement to see."""
        with open(found.file, "rb") as file:
            names = Names(file.read())
        self._mention(name, (word for word in self._words if names.may_have(word)))
        # A script's neighbours have names that are words of all sorts of texts.
        roots = [root for root in self._places.roots if root != self._request["script-folder"]]
        tops = {top for root in roots for top in self._places.top(root)}
        tops.add(name.partition(".")[0])
        if self._request["follow-standard"]:
            tops |= self.standard_library.top
        wanted = {top for top in tops if names.has(top)}
        for text in names.below(tops):
            top, _, rest = text.partition(".")
            wanted.update(self._named(top, rest))
        package = _package(name, found.is_package)
        if package:
            beside = (f"{package}.{it}" for folder in self._places.find(package).folders for it in self._places.top(folder))
            wanted.update(it for it in beside if names.may_have(it.rpartition(".")[2]))
        for module in sorted(wanted):
            if self._is_there(module):
                self._take(module, name, 0, COMPILED)

    def _named(self, package, text):
        """Modules below a package that a text begins with the name of: something may follow."""
        is_standard = self.standard_library.has(package)
        places = self.standard_library.places if is_standard else self._places
        found = places.find(package)
        first, _, rest = text.partition(".")
        for folder in found.folders if found is not None else ():
            for name in places.top(folder):
                if first.startswith(name):
                    yield f"{package}.{name}"
                if first == name:
                    yield from self._named(f"{package}.{name}", rest)

    def _is_there(self, name):
        if self.standard_library.has(name):
            return self.standard_library.places.find(name) is not None
        found = self._places.find(name)
        # Any folder looks like a namespace package.
        return found is not None and found.kind != "namespace"

    def _compile(self, name, taken):
        found = taken.found
        source = self._generated.get(name)
        if source is None:
            with open(found.file, "rb") as file:
                source = file.read()
            taken.original = source
            source = self._replaced(name, source)
        path = f"{self._request['prefix']}/{found.path}"
        try:
            tree = ast.parse(source)
            scan = Scan(source, tree, name == self._main, self._words)
            code = compile(tree, path, "exec", dont_inherit=True, optimize=self._request["optimize"])
        except (SyntaxError, ValueError, RecursionError) as error:
            line = getattr(error, "lineno", None) or 0
            why = getattr(error, "msg", None) or error
            if name == self._main:
                place = f"{found.file}:{line}" if line else found.file
                raise Uncompilable(f"{place}: {why}") from None
            text = f"`{name}` can't be compiled, and is left out: {why}"
            self._warn("syntax-error", text, found.file, line)
            del self.taken[name]
            return
        taken.source = source
        taken.code = marshal.dumps(code)
        if found.compiled is not None:
            text = f"the compiled form of `{name}` is left out, and its source is taken"
            self._warn("compiled-form", text, found.compiled, 0)
        silent = any(name == it or name.startswith(it + ".") for it in self._silent)
        for line, text in scan.by_path if not silent else ():
            text = f"`{name}` may read a file by path, where there is none: {text}"
            self._warn("file-by-path", text, found.file, line)
        has_hint = any("imports" in self._hints.get(it, ()) for it in _with_parents(name))
        for pattern, level, line, text in scan.dynamic if not has_hint else ():
            if pattern and self._take_fitting(pattern, level, name, found.is_package, line):
                continue
            text = f"what `{name}` imports here is only known when it runs: {text}"
            self._warn("dynamic-import", text, found.file, line)
        self._follow(name, found.is_package, scan, False)

    def _replaced(self, name, source):
        """The source with what hints put in place of parts of it."""
        for old, new in sorted(self._hints.get(name, {}).get("replace", {}).items()):
            if old.encode() not in source:
                text = f"hints for `{name}` replace what isn't in its source: {old}"
                self._warn("hint", text, self.taken[name].found.file, 0)
            source = source.replace(old.encode(), new.encode())
        return source

    def _scan_standard(self, name):
        found = self.standard_library.places.find(name)
        source = self._request["scan"].get(name, "").encode()
        if not source and found is not None and found.kind == "code":
            with open(found.file, "rb") as file:
                source = file.read()
        if source:
            is_package = found is not None and found.is_package
            scan = Scan(source, ast.parse(source), False, self._words)
            self._follow(name, is_package, scan, True)
        self._apply_hint(name)

    def _follow(self, name, is_package, scan, is_standard):
        places = self.standard_library.places if is_standard else self._places
        package = _package(name, is_package)
        first = self._first[name] = []
        unused = self._hints.get(name, {}).get("unused", ())
        self._mention(name, scan.mentioned)
        for module, names, level, line, how, is_first in scan.imports:
            base = _resolve(package, module, level)
            if base is None:
                continue
            if is_first:
                first += [base, *(f"{base}.{it}" for it in names or ())]
            if base not in unused:
                self._when_wanted(name, base, partial(self._import, places, name, base, names, line, how))
        if is_standard:
            return
        for line, group in scan.groups:
            self._take_group(group, name, line)
        self.metadata.update(it or name.partition(".")[0] for it in scan.metadata)

    def _import(self, places, by, base, names, line, how):
        """Takes what an import statement asks for: a module, and modules below it that are among the
        names."""
        if not self._take(base, by, line, how):
            return
        within = self.standard_library.places if self.standard_library.has(base) else places
        found = within.find(base) if names else None
        if found is None or not found.is_package:
            return
        for wanted in names:
            for it in self._all(base, found) if wanted == "*" else (wanted,):
                if within.find(f"{base}.{it}") is not None:
                    self._take(f"{base}.{it}", by, line, how)

    def _all(self, name, found):
        """What a star import takes from a package, as far as its source says so."""
        if found.kind != "code":
            return ()
        source = self._generated.get(name)
        if source is None:
            with open(found.file, "rb") as file:
                source = file.read()
        if b"__all__" not in source:
            return ()
        try:
            return Scan(b"", ast.parse(source), False).all
        except SyntaxError:
            return ()

    def _take_group(self, group, by, line):
        if group in self._groups or group in ("console_scripts", "gui_scripts"):
            return
        self._groups[group] = by
        for module in self._distributions.entry_points(group):
            self._take(module, by, line, ENTRY_POINT)

    def _apply_hint(self, name):
        hint = self._hints.get(name)
        if hint is None:
            return
        for pattern in hint.get("imports", ()):
            self._when_wanted(name, pattern, partial(self._take_pattern, pattern, name, HINT))
        for group in hint.get("entry-points", ()):
            self._take_group(group, name, 0)
        self.metadata.update(hint.get("metadata", ()))

    def _warn(self, code, text, file, line):
        self.warnings.append({"code": code, "message": text, "file": file, "line": line})


def _with_parents(name):
    parts = name.split(".")
    return [".".join(parts[: number + 1]) for number in range(len(parts))]


def _package(name, is_package):
    """Where the relative imports of a module begin."""
    return name if is_package else name.rpartition(".")[0]


def _resolve(package, module, level):
    """The absolute name of what a module in `package` imports."""
    if level == 0:
        return module
    parts = package.split(".") if package else []
    if level > len(parts):
        return None
    parts = parts[: len(parts) - level + 1]
    return ".".join([*parts, module] if module else parts)


def script(name, path):
    """A script as a module."""
    return Found(name, "code", False, os.path.abspath(path))
