"""Translates Cython sources in one process for the whole build.

    python -I -S worker.py --site=FOLDER… ARGUMENT…
    python -I -S worker.py --site=FOLDER… --persistent-worker

The ARGUMENTs are one request, `--key=value` each. With --persistent-worker, requests come as lines
on stdin, {"id": 1, "arguments": […]}, and answers go to stdout,
{"id": 1, "status": 0, "output": "…"}.

What comes out depends on nothing but the request and the files that were read, and names no folder
of this machine. What was read, and looked for in vain, is written to the dependency file.
"""

import contextlib
import gc
import io
import json
import os
import sys

# Syntax trees are full of cycles, but die together with their request. (0.8 of the time.)
gc.disable()

# Objects that may be left over before the collector is run between two requests.
GARBAGE = 3000000


class Failed(Exception):
    """The request can't be served; its text is for the user."""


class Watcher:
    """What the current request reads, and where it looks in vain. Files of Cython and Python are left
    out: they are part of the tool's identity."""

    def __init__(self):
        self.active = False
        self.read, self.absent = set(), set()
        self.exists = os.path.exists

    def install(self, cython, sites):
        folders = [(cython, False)] + [(site, True) for site in sites]
        folders.append((os.path.dirname(os.__file__), False))
        # Of a path the first one that fits decides: Python's library may hold the packages.
        self.folders = [(os.path.abspath(folder) + os.sep, counts) for folder, counts in folders]
        sys.addaudithook(self.audit)
        os.path.exists = self.look

    def start(self):
        self.read, self.absent = set(), set()
        self.active = True

    def audit(self, event, arguments):
        if event == "open" and self.active:
            path, mode = arguments[0], arguments[1]
            if isinstance(path, str) and mode is not None and "r" in mode:
                self.note(self.read, path)

    def look(self, path):
        """In place of `os.path.exists`, by which Cython finds files."""
        found = self.exists(path)
        if not found and self.active and isinstance(path, str):
            self.note(self.absent, path)
        return found

    def note(self, where, path):
        path = os.path.abspath(path)
        for folder, counts in self.folders:
            if path.startswith(folder):
                if counts:
                    where.add(path)
                return
        where.add(path)

    def write(self, path, outputs):
        with open(path, "w", encoding="utf-8") as file:
            for word, names in (("read", self.read), ("absent", self.absent - self.read)):
                for name in sorted(names.difference(outputs)):
                    file.write("%s %s\n" % (word, name))


WATCHER = Watcher()


class Names:
    """Names for files that are the same on every machine."""

    def __init__(self):
        self.project = os.path.abspath("") + os.sep
        self.roots = [self.project]

    def stable(self, path):
        absolute = os.path.abspath(path)
        for root in self.roots:
            if absolute.startswith(root):
                return absolute[len(root):].replace(os.sep, "/")
        return absolute


NAMES = Names()


def load(sites):
    """Imports Cython, and nothing that a translation doesn't need."""
    sys.path[:0] = sites
    sys.modules.setdefault("xml.sax.saxutils", Escaping("xml.sax.saxutils"))
    try:
        from Cython import Utils, __version__
        from Cython.Compiler import Lexicon

        if hasattr(Lexicon, "unicode_start_ch_any"):
            Lexicon.make_lexicon = Tables(Lexicon, Utils).make
        from Cython.Compiler import Main, Options, Scanning
        # What Main would import for the first file.
        from Cython.Compiler import ModuleNode, Parsing, ParseTreeTransforms, Pipeline  # noqa: F401
    except ImportError as error:
        raise Failed("Cython can't be imported from %s: %s" % (", ".join(sites), error))
    name_files(Scanning.FileSourceDescriptor)
    roots = {os.path.abspath(site) + os.sep for site in sites}
    NAMES.roots += sorted(roots, key=len, reverse=True)
    sys.path[:] = [folder for folder in sys.path if os.path.isdir(folder)]
    WATCHER.install(os.path.dirname(Utils.__file__), sites)
    gc.freeze()
    return Cython(Main, Options, Utils, __version__)


class Escaping(type(sys)):
    """In place of `xml.sax.saxutils`, which imports what is needed to fetch files over the network.
    Cython uses one function of it."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        del sys.modules[self.__name__]
        import xml.sax.saxutils

        return getattr(xml.sax.saxutils, name)

    @staticmethod
    def escape(data, entities={}):
        data = data.replace("&", "&amp;").replace(">", "&gt;").replace("<", "&lt;")
        for character, entity in entities.items():
            data = data.replace(character, entity)
        return data


class Tables:
    """Tables for Cython's scanner. Those for all characters that Unicode allows in names take half of
    Cython's start, and few files have one that isn't ASCII: they are made when the first such file
    is opened."""

    ASCII = {
        "unicode_start_ch_any": "_",
        "unicode_start_ch_range": "AZaz",
        "unicode_continuation_ch_any": "_",
        "unicode_continuation_ch_range": "09",
    }
    # Encodings in which a file of ASCII bytes holds ASCII characters.
    COMPATIBLE = ("utf-8", "utf-8-sig", "ascii", "us-ascii", "iso-8859-1", "latin-1", "iso8859-1")

    def __init__(self, lexicon_module, utils):
        self.module, self.make_all = lexicon_module, lexicon_module.make_lexicon
        self.lexicon = None
        self.complete = False
        self.open = utils.open_source_file
        utils.open_source_file = self.open_source_file

    def make(self):
        if self.complete:
            return self.make_all()
        kept = {name: getattr(self.module, name) for name in self.ASCII}
        self.module.__dict__.update(self.ASCII)
        try:
            self.lexicon = self.make_all()
        finally:
            self.module.__dict__.update(kept)
        return self.lexicon

    def open_source_file(self, *arguments, **keywords):
        stream = self.open(*arguments, **keywords)
        if not self.complete:
            path = arguments[0] if arguments else keywords["source_filename"]
            with io.open(path, "rb") as file:
                ascii = file.read().isascii()
            encoding = getattr(stream, "encoding", None) or "utf-8"
            if not ascii or encoding.lower() not in self.COMPATIBLE:
                self.complete = True
                if self.lexicon is not None:
                    # Scanners that are at work go on with the table that they began with.
                    self.lexicon.machine = self.make_all().machine
        return stream


def name_files(descriptor):
    """Has generated code name files as `Names` does: Cython makes them relative to the working
    folder if it can, which it can't for what is installed, and spells them in full then."""
    original = descriptor.__init__

    def initialize(self, filename, path_description=None):
        original(self, filename, path_description)
        stable = NAMES.stable(self.filename)
        self.file_path = self._cmp_name = stable
        if os.path.isabs(self.path_description):
            self.path_description = stable
        self._short_path_description = os.path.normpath(self.path_description).replace(os.sep, "/")

    def describe(self):
        return self._short_path_description

    descriptor.__init__ = initialize
    descriptor.get_description = describe


class Request:
    """What to translate, and how."""

    def __init__(self, arguments):
        self.headers, self.include_path = [], []
        for argument in arguments:
            key, _, value = argument.partition("=")
            if key == "--include":
                self.include_path.append(value or ".")
            elif key == "--header":
                self.headers.append(os.path.abspath(value))
            elif key == "--settings":
                for name, setting in json.loads(value).items():
                    setattr(self, name, setting)
            elif key in ("--module", "--source", "--output", "--build", "--dependencies"):
                setattr(self, key[2:], value)
            else:
                raise Failed("unknown argument `%s`" % argument)
        self.output = os.path.abspath(self.output)


class Cython:
    def __init__(self, main, options, utils, version):
        self.main, self.options, self.utils, self.version = main, options, utils, version

    def translate(self, request):
        """Returns whether it worked."""
        arguments = {
            "compiler_directives": self.directives(request.directives),
            "cplus": request.cplus,
            "output_file": request.output,
            "include_path": request.include_path,
            "emit_linenums": request.emit_linenums,
            "annotate": request.annotate,
            "errors_to_stderr": 1,
        }
        if request.compile_time_env:
            arguments["compile_time_env"] = request.compile_time_env
        shares = request.shared_utility == request.module
        if shares:
            arguments["shared_c_file_path"] = request.output
            # As Cython's own command has it: nothing in that code relies on the GIL.
            arguments["compiler_directives"].setdefault("freethreading_compatible", True)
        elif request.shared_utility:
            arguments["shared_utility_qualified_name"] = request.shared_utility
        if request.gdb:
            arguments["gdb_debug"] = True
            arguments["output_dir"] = os.path.dirname(request.output)
        options = self.main.CompilationOptions(self.main.default_options, **arguments)
        # Files may have come since: other actions make some.
        self.utils.clear_function_caches()
        build = os.path.abspath(request.build) + os.sep
        if build not in NAMES.roots:
            NAMES.roots.append(build)
        WATCHER.start()
        try:
            with Sharing() if shares else contextlib.nullcontext():
                result = self.main.compile_single(request.source, options, request.module)
        finally:
            WATCHER.active = False
        if result.num_errors:
            return False
        complete_headers(request, result)
        if request.gdb:
            name_debugged_files(arguments["output_dir"], request.module, build)
        WATCHER.write(request.dependencies, [request.output] + request.headers)
        return True

    def directives(self, given):
        """Directives as Cython keeps them."""
        known, types = self.options.get_directive_defaults(), self.options.directive_types
        directives = {}
        for name, value in given.items():
            if name not in known:
                raise Failed(
                    "`%s` in [tool.ekiben.options.cython.directives] isn't a directive of Cython %s"
                    % (name, self.version)
                )
            if isinstance(value, str) and types.get(name) not in (None, bool, int, str, dict, list):
                # One of some words, which may have several spellings.
                try:
                    value = self.options.parse_directive_value(name, value)
                except ValueError as error:
                    raise Failed("[tool.ekiben.options.cython.directives]: %s" % error)
            directives[name] = value
        # The language of Python 3, with plain literals that are `str` and that C takes too. It is
        # what Cython 3 does by itself; 0.29 would warn, and take Python 2.
        directives["language_level"] = str(directives.get("language_level", "3str"))
        return directives


class Sharing:
    """While it lasts, a translation makes the module that others take their utility code from.

    Cython's own function for this (Cython/Build/SharedModule.py) wants no source, and before 3.3 makes
    one in a temporary folder, whose name gets into the C file; its pipeline takes ours."""

    def __enter__(self):
        from Cython.Build.SharedModule import create_shared_library_pipeline
        from Cython.Compiler import Pipeline, Symtab

        self.pipeline, self.create = Pipeline, Pipeline.create_pyx_pipeline

        def create(context, options, result):
            scope = Symtab.ModuleScope("MemoryView", None, context, is_package=False)
            return create_shared_library_pipeline(context, scope, options, result)

        Pipeline.create_pyx_pipeline = create

    def __exit__(self, *_):
        self.pipeline.create_pyx_pipeline = self.create


def name_debugged_files(folder, module, build):
    """The debugger's file spells its paths in full; compilers are told to write relative ones."""
    path = os.path.join(folder, "cython_debug", "cython_debug_info_" + module)
    with open(path, encoding="utf-8") as file:
        text = file.read()
    for root, name in ((build, "build/"), (NAMES.project, "")):
        text = text.replace('="' + root, '="' + name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def complete_headers(request, result):
    """Cython makes a header only if there is something in it; the build wants what was declared."""
    for path in (result.h_file, result.api_file):
        if path and os.path.abspath(path) not in request.headers:
            raise Failed(
                "%s declares something `public` or `api`, in a way that wasn't noticed beforehand"
                % request.source
            )
    for path in request.headers:
        if not os.path.exists(path):
            with open(path, "w") as file:
                file.write("/* Nothing is declared for this file. */\n")


def serve(cython, arguments):
    """Serves one request: its status and what is to be shown."""
    shown = io.StringIO()
    streams = sys.stdout, sys.stderr
    sys.stdout = sys.stderr = shown
    try:
        status = 0 if cython.translate(Request(arguments)) else 1
    except Failed as failure:
        shown.write("error: %s\n" % failure)
        status = 1
    except Exception:
        import traceback

        traceback.print_exc(file=shown)
        status = 1
    finally:
        sys.stdout, sys.stderr = streams
    return status, shown.getvalue()


def stay(sites):
    """Serves requests until there are no more."""
    # Whatever else writes to stdout must not get among the answers.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    cython = broken = None
    try:
        cython = load(sites)
    except Failed as failure:
        broken = 1, "error: %s\n" % failure
    for line in io.open(0, encoding="utf-8"):
        request = json.loads(line)
        status, shown = broken or serve(cython, request["arguments"])
        json.dump({"id": request["id"], "status": status, "output": shown}, answers)
        answers.write("\n")
        answers.flush()
        if gc.get_count()[0] > GARBAGE:
            gc.collect()


def main(arguments):
    sites = []
    while arguments and arguments[0].startswith(("--cython=", "--site=")):
        key, _, value = arguments.pop(0).partition("=")
        if key == "--site":
            sites.append(value)
    if arguments == ["--persistent-worker"]:
        stay(sites)
        return 0
    try:
        status, shown = serve(load(sites), arguments)
    except Failed as failure:
        status, shown = 1, "error: %s\n" % failure
    sys.stderr.write(shown)
    return status


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    # Taking a million objects apart before the end is no use to anybody.
    os._exit(code)
