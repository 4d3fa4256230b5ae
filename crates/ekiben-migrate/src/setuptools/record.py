"""Runs a project's setup.py and tells what it asked setuptools for, without doing any of it.

Reads a request as JSON from stdin, and answers with JSON on what was stdout when this started;
whatever setup.py prints goes to stderr. setuptools, distutils and the usual helpers of setup
scripts are replaced by recorders, installed or not, so that the answer depends on the script alone.
Paths that only exist in a stand-in's world begin with STAND_IN; the reader knows what they mean.
"""

import ast
import collections
import configparser
import fnmatch
import glob
import importlib.abc
import importlib.machinery
import json
import os
import pathlib
import platform
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import tokenize
import traceback
import types

STAND_IN = "/ekiben-stand-in"

# Helpers of setup scripts that are never the installed ones.
HELPERS = {
    "Cython", "cffi", "cppy", "distutils", "numpy", "pkg_resources", "pkgconfig", "pybind11",
    "setuptools", "setuptools_scm", "wheel",
}

EVENTS = []
CALLS = []


def event(kind, **facts):
    facts["kind"] = kind
    if facts not in EVENTS:
        EVENTS.append(facts)


# ---- setuptools and distutils -------------------------------------------------------------------

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


class CompileError(Exception):
    pass


class Compiler:
    """Never compiles: a test of a flag succeeds, any other test fails, and both are told."""

    def __init__(self):
        self.compiler_type = "msvc" if sys.platform == "win32" else "unix"
        self.compiler = self.compiler_so = ["cc"]
        self.compiler_cxx = ["c++"]
        self.linker_so = ["cc", "-shared"]
        self.linker_exe = ["cc"]
        self.include_dirs, self.library_dirs, self.libraries = [], [], []
        self.macros, self.objects, self.runtime_library_dirs = [], [], []
        self.obj_extension, self.shared_lib_extension = ".o", ".so"
        self.src_extensions = [".c", ".cc", ".cpp", ".cxx", ".m"]
        self.language_map, self.language_order = {}, []
        self.initialized = True

    def initialize(self, *args):
        pass

    def has_function(self, name, *args, **kw):
        event("compiler-test", what="is there a function `%s`" % name, answer="no")
        return False

    def compile(self, sources, *args, **kw):
        flags = kw.get("extra_postargs") or kw.get("extra_preargs")
        if flags:
            event("compiler-test", what="does it take %s" % " ".join(map(str, flags)), answer="yes")
            return [os.path.splitext(str(source))[0] + ".o" for source in sources]
        event("compiler-test", what="does %s compile" % ", ".join(
            os.path.basename(str(source)) for source in sources), answer="no")
        raise CompileError("nothing is compiled")

    def preprocess(self, source, *args, **kw):
        event("compiler-test", what="can %s be preprocessed" % source, answer="no")
        raise CompileError("nothing is compiled")

    def link_executable(self, *args, **kw):
        event("compiler-test", what="does a program link", answer="no")
        raise CompileError("nothing is linked")

    link_shared_object = link_shared_lib = link = create_static_lib = link_executable

    def object_filenames(self, sources, *args, **kw):
        return [os.path.splitext(str(source))[0] + ".o" for source in sources]

    def find_library_file(self, dirs, name, *args):
        event("compiler-test", what="is there a library `%s`" % name, answer="no")
        return None

    def set_executables(self, **kw):
        self.__dict__.update(kw)

    def set_executable(self, key, value):
        setattr(self, key, value)

    def add_include_dir(self, folder):
        self.include_dirs.append(folder)

    def add_library(self, name):
        self.libraries.append(name)

    def add_library_dir(self, folder):
        self.library_dirs.append(folder)

    def set_include_dirs(self, folders):
        self.include_dirs = list(folders)

    def set_libraries(self, names):
        self.libraries = list(names)

    def set_library_dirs(self, folders):
        self.library_dirs = list(folders)

    def define_macro(self, name, value=None):
        self.macros.append((name, value))

    def undefine_macro(self, name):
        self.macros.append((name,))

    def detect_language(self, sources):
        names = [sources] if isinstance(sources, str) else sources
        cxx = (".cc", ".cpp", ".cxx")
        return "c++" if any(os.path.splitext(name)[1] in cxx for name in names) else "c"


class Command:
    user_options, boolean_options, negative_opt, sub_commands = [], [], {}, []
    description = ""

    def __init__(self, dist, **kw):
        self.distribution = dist
        self.verbose, self.force, self.finalized, self.dry_run, self.help = 0, None, 0, 0, 0
        self.initialize_options()
        self.__dict__.update(kw)

    def initialize_options(self):
        pass

    def finalize_options(self):
        pass

    def ensure_finalized(self):
        if not self.finalized:
            self.finalize_options()
        self.finalized = 1

    def run(self):
        pass

    def announce(self, *args, **kw):
        pass

    warn = debug_print = announce

    def get_finalized_command(self, name, create=1):
        command = self.distribution.get_command_obj(name)
        command.ensure_finalized()
        return command

    def run_command(self, name):
        self.distribution.run_command(name)

    reinitialize_command = get_finalized_command

    def get_sub_commands(self):
        return []

    def set_undefined_options(self, *args):
        pass

    def ensure_string_list(self, option):
        value = getattr(self, option)
        if isinstance(value, str):
            setattr(self, option, re.split(r",\s*|\s+", value))

    def get_command_name(self):
        return type(self).__name__

    def execute(self, func, args, msg=None, level=1):
        func(*args)

    def mkpath(self, name, mode=0o777):
        os.makedirs(name, exist_ok=True)

    def copy_file(self, source, target, *args, **kw):
        shutil.copy(source, target)
        return target, 1

    def copy_tree(self, *args, **kw):
        return []

    def make_file(self, *args, **kw):
        pass

    def spawn(self, command, *args, **kw):
        refuse(command)


class build_ext(Command):
    user_options = [("inplace", "i", ""), ("debug", "g", ""), ("parallel=", "j", "")]
    sep_by = os.pathsep

    def initialize_options(self):
        self.extensions = self.compiler = self.package = self.parallel = self.plat_name = None
        self.build_lib = self.build_temp = "build"
        self.inplace = self.debug = self.user = 0
        self.include_dirs = self.libraries = self.library_dirs = self.rpath = None
        self.define = self.undef = self.link_objects = None
        self.swig, self.swig_cpp, self.swig_opts = None, None, []

    def finalize_options(self):
        self.extensions = self.distribution.ext_modules
        for field in ("include_dirs", "libraries", "library_dirs", "rpath", "link_objects"):
            if getattr(self, field) is None:
                setattr(self, field, [])

    def run(self):
        if self.extensions:
            self.compiler = Compiler()
            self.build_extensions()

    def check_extensions_list(self, extensions):
        pass

    def build_extensions(self):
        for extension in self.extensions:
            self.build_extension(extension)

    def build_extension(self, extension):
        self.distribution.built.append(extension)

    def swig_sources(self, sources, extension):
        return sources

    cython_sources = swig_sources

    def get_source_files(self):
        return [source for extension in self.extensions or () for source in extension.sources]

    def get_ext_fullname(self, name):
        return name

    def get_ext_filename(self, name):
        return name.replace(".", os.sep) + ".so"

    def get_ext_fullpath(self, name):
        return os.path.join(self.build_lib, self.get_ext_filename(name))

    def get_outputs(self):
        return []

    def get_libraries(self, extension):
        return extension.libraries

    def get_export_symbols(self, extension):
        return extension.export_symbols

    def copy_extensions_to_source(self):
        pass


class CppyBuildExt(build_ext):
    def build_extensions(self):
        for extension in self.extensions:
            extension.include_dirs.insert(0, STAND_IN + "/package/cppy/include")
            if extension.language is None:
                extension.language = "c++"
        super().build_extensions()


class Distribution:
    negative_opt, display_options, common_usage = {}, [], ""

    def __init__(self, attrs=None):
        self.ext_modules, self.cmdclass, self.packages, self.libraries = None, {}, None, None
        self.package_dir, self.py_modules, self.scripts, self.data_files = None, None, None, None
        self.package_data, self.headers, self.script_name = {}, None, "setup.py"
        self.script_args, self.command_options, self.commands = [], {}, []
        self.have_run, self.command_obj, self.verbose, self.dry_run = {}, {}, 0, 0
        self.global_options, self.command_packages, self.dist_files = [], None, []
        self.built = []
        self.metadata = self
        for key, value in (attrs or {}).items():
            if key != "distclass":
                setattr(self, key, value)

    def get_command_obj(self, name, create=1):
        if name not in self.command_obj:
            kind = self.cmdclass.get(name) or self.get_command_class(name)
            self.command_obj[name] = kind(self)
        return self.command_obj[name]

    def get_command_class(self, name):
        return build_ext if name == "build_ext" else type(name, (Command,), {})

    def get_name(self):
        return getattr(self, "name", None) or "UNKNOWN"

    def get_version(self):
        return getattr(self, "version", None) or "0.0.0"

    get_fullname = get_name

    def has_ext_modules(self):
        return bool(self.ext_modules)

    def has_c_libraries(self):
        return bool(self.libraries)

    def has_pure_modules(self):
        return bool(self.packages or self.py_modules)

    def is_pure(self):
        return not self.has_ext_modules()

    def has_scripts(self):
        return bool(self.scripts)

    def has_headers(self):
        return bool(self.headers)

    def has_data_files(self):
        return bool(self.data_files)

    def run_command(self, name):
        command = self.get_command_obj(name)
        command.ensure_finalized()
        command.run()

    def parse_command_line(self, *args, **kw):
        return False

    def get_option_dict(self, name):
        return self.command_options.setdefault(name, {})

    def parse_config_files(self, *args, **kw):
        pass

    fetch_build_eggs = finalize_options = print_commands = run_commands = announce = \
        parse_config_files


def setup(**attrs):
    # Where the call stands says which of its arguments are literal.
    frame = sys._getframe(1)
    CALLS.append((attrs, frame.f_code.co_filename, frame.f_lineno))
    kind = attrs.get("distclass") or Distribution
    try:
        return kind(attrs)
    except Exception as error:
        event("distclass", what="%s: %s" % (type(error).__name__, error))
        return Distribution(attrs)


def _packages(where, namespaces):
    for folder, folders, files in os.walk(where, followlinks=True):
        kept = []
        for name in sorted(folders):
            path = os.path.join(folder, name)
            if "." in name or not (namespaces or os.path.isfile(os.path.join(path, "__init__.py"))):
                continue
            kept.append(name)
            yield os.path.relpath(path, where).replace(os.sep, ".")
        folders[:] = kept


def _find(where, exclude, include, namespaces):
    def matches(name, patterns):
        return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)

    return [name for name in _packages(os.fspath(where), namespaces)
            if matches(name, include) and not matches(name, exclude)]


def find_packages(where=".", exclude=(), include=("*",)):
    return _find(where, exclude, include, False)


def find_namespace_packages(where=".", exclude=(), include=("*",)):
    return _find(where, exclude, include, True)


find_packages.find = find_packages


# ---- programs -----------------------------------------------------------------------------------

class Refused(FileNotFoundError):
    pass


def words(command):
    if isinstance(command, bytes):
        command = command.decode("utf-8", "replace")
    if isinstance(command, str):
        try:
            return shlex.split(command)
        except ValueError:
            return command.split()
    return [os.fsdecode(word) for word in command]


def refuse(command):
    argv = words(command)
    event("program", argv=argv[:8])
    raise Refused(2, "programs aren't run here", argv[0] if argv else "")


def answer(command):
    """What a program that tells of a library would print; None for any other program."""
    argv = words(command)
    if not argv:
        return None
    program = os.path.basename(argv[0]).replace(".exe", "")
    options = [word for word in argv[1:] if word.startswith("-")]
    names = [word for word in argv[1:] if re.match(r"[A-Za-z]", word)]
    versions = any(word in ("--modversion", "--version", "--atleast-pkgconfig-version")
                   for word in options)
    if program in ("pkg-config", "pkgconf"):
        places = ["%s/uses/pkg-config:%s" % (STAND_IN, name) for name in names]
        for name in names:
            event("pkg-config", name=name)
    elif program.endswith("-config") and not program.startswith("llvm"):
        places = ["%s/tool/%s" % (STAND_IN, program)]
        event("config-tool", name=program)
    else:
        return None
    if versions:
        return "99.0.0\n"
    flags = []
    for place in places:
        flags += ["-I" + place] if any("flags" in o or "include" in o for o in options) else []
        flags += ["-L" + place] if any("lib" in o for o in options) else []
    return " ".join(flags) + "\n"


REAL = {"Popen": subprocess.Popen}


def is_script(args):
    """Whether the interpreter is to run a script that isn't an installer or another setup.py."""
    argv = words(args)
    if not argv or os.path.realpath(argv[0]) != os.path.realpath(sys.executable) or len(argv) < 2:
        return False
    script = argv[1]
    return script != "-m" and os.path.basename(script) != "setup.py" and "setup.py" not in argv


class Popen:
    def __new__(cls, args, *rest, **kw):
        if is_script(args):
            return REAL["Popen"](args, *rest, **kw)
        return super().__new__(cls)

    def __init__(self, args, *rest, **kw):
        text = answer(args)
        if text is None:
            refuse(args)
        plain = any(kw.get(key) for key in
                    ("universal_newlines", "text", "encoding", "errors"))
        self.args, self.returncode, self.pid = args, 0, 0
        self._out = text if plain else text.encode()
        self._err = "" if plain else b""
        import io
        make = io.StringIO if plain else io.BytesIO
        self.stdout, self.stderr, self.stdin = make(self._out), make(self._err), make()

    def communicate(self, *args, **kw):
        return self._out, self._err

    def wait(self, *args, **kw):
        return 0

    def poll(self):
        return 0

    def kill(self):
        pass

    terminate = kill

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        pass


def run_program(args, *rest, **kw):
    if is_script(args):
        kw.pop("check", None)
        if kw.pop("capture_output", False):
            kw["stdout"] = kw["stderr"] = subprocess.PIPE
        process = REAL["Popen"](args, *rest, **kw)
        out, err = process.communicate()
        return subprocess.CompletedProcess(args, process.returncode, out, err)
    process = Popen(args, *rest, **{k: v for k, v in kw.items() if k not in ("check", "input")})
    return subprocess.CompletedProcess(args, 0, process._out, process._err)


def check_output(args, *rest, **kw):
    if is_script(args):
        return REAL["Popen"](args, *rest, stdout=subprocess.PIPE, **kw).communicate()[0]
    return Popen(args, *rest, **kw)._out


def call_program(args, *rest, **kw):
    return Popen(args, *rest, **kw).wait()


def getstatusoutput(command, *args, **kw):
    text = answer(command)
    if text is None:
        event("program", argv=words(command)[:8])
        return 127, ""
    return 0, text.rstrip("\n")


def system(command):
    if answer(command) is not None:
        return 0
    event("program", argv=words(command)[:8])
    return 127


def which(name, *args, **kw):
    base = os.path.basename(os.fsdecode(name))
    if base == "pkg-config" or base.endswith("-config"):
        return base
    event("which", name=base)
    return None


def popen(command, *args, **kw):
    import io
    text = answer(command)
    if text is None:
        event("program", argv=words(command)[:8])
    return io.StringIO(text or "")


def stop_programs():
    subprocess.Popen = Popen
    subprocess.run = run_program
    subprocess.check_output = check_output
    subprocess.call = subprocess.check_call = call_program
    subprocess.getstatusoutput = getstatusoutput
    subprocess.getoutput = lambda command, **kw: getstatusoutput(command)[1]
    # It starts what is_script() allows without os.posix_spawn, which is refused.
    subprocess._USE_POSIX_SPAWN = False
    os.system, os.popen, shutil.which = system, popen, which
    for name in dir(os):
        if re.match(r"(exec|spawn|posix_spawn)", name) and name not in ("execve", "execv"):
            def refused(*args, _name=name, **kw):
                event("program", argv=["os." + _name])
                raise Refused(2, "programs aren't run here")
            setattr(os, name, refused)


# ---- stand-ins ----------------------------------------------------------------------------------

class StandIn:
    """What a module that isn't there is asked for: anything, which it then tells of."""

    def __init__(self, name):
        object.__setattr__(self, "_name", name)

    def __getattr__(self, name):
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        return StandIn(self._name + "." + name)

    def __setattr__(self, name, value):
        event("stand-in", what="%s.%s = …" % (self._name, name))
        object.__setattr__(self, name, value)

    def __call__(self, *args, **kw):
        event("stand-in", what=self._name + "()")
        if len(args) == 1 and not kw and isinstance(args[0], (type, types.FunctionType)):
            return args[0]
        return StandIn(self._name + "()")

    def __getitem__(self, key):
        return StandIn("%s[%r]" % (self._name, key))

    def __iter__(self):
        return iter(())

    def __len__(self):
        return 0

    def __bool__(self):
        return True

    def __contains__(self, item):
        return False

    def __str__(self):
        return STAND_IN + "/value/" + self._name

    __repr__ = __fspath__ = __str__

    def __add__(self, other):
        return other

    __radd__ = __or__ = __ror__ = __add__

    def __lt__(self, other):
        return False

    __le__ = __gt__ = __ge__ = __lt__

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        return None

    def __mro_entries__(self, bases):
        event("stand-in", what="class based on " + self._name)
        return (object,)


class Module(types.ModuleType):
    """A module of stand-ins, but for what it was given."""

    __path__ = []

    def __getattr__(self, name):
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        full = self.__name__ + "." + name
        if full in sys.modules:
            return sys.modules[full]
        if self.__name__.startswith(("setuptools.command", "distutils.command", "wheel.")):
            kind = type(name, (Command,), {"initialize_options": lambda self: None})
            setattr(self, name, kind)
            return kind
        if self.__name__ in ("distutils.errors", "setuptools.errors"):
            kind = type(name, (CompileError,), {})
            setattr(self, name, kind)
            return kind
        return StandIn(full)


def version_key(text):
    return [int(part) if part.isdigit() else -1 for part in re.findall(r"\d+|[a-z]+", str(text))]


class LooseVersion:
    def __init__(self, text=""):
        self.vstring, self.version = str(text), version_key(text)

    def __str__(self):
        return self.vstring

    def __eq__(self, other):
        return self.version == version_key(other)

    def __lt__(self, other):
        return self.version < version_key(other)

    def __le__(self, other):
        return self.version <= version_key(other)

    def __gt__(self, other):
        return self.version > version_key(other)

    def __ge__(self, other):
        return self.version >= version_key(other)


def numpy_include():
    event("needs", module="numpy")
    return STAND_IN + "/uses/numpy"


def pkgconfig_parse(packages, *args, **kw):
    found = {"define_macros": [], "include_dirs": [], "library_dirs": [], "libraries": []}
    for name in re.findall(r"[A-Za-z][\w.+-]*", packages):
        event("pkg-config", name=name)
        found["include_dirs"].append("%s/uses/pkg-config:%s" % (STAND_IN, name))
    return found


def configure_extension(extension, packages, *args, **kw):
    for key, value in pkgconfig_parse(packages).items():
        getattr(extension, key).extend(value)


DISTUTILS_LINE = re.compile(r"#\s*distutils\s*:\s*(\w+)\s*=\s*(.*?)\s*$")


def cython_header(path):
    """The settings that a Cython file states for its extension in comments at its top."""
    settings = {}
    try:
        with tokenize.open(path) as file:
            for line in file:
                line = line.strip()
                if line and not line.startswith("#"):
                    break
                match = DISTUTILS_LINE.match(line)
                if match:
                    settings.setdefault(match[1], []).extend(re.split(r"[,\s]+", match[2].strip("[]")))
    except (OSError, SyntaxError, UnicodeDecodeError):
        pass
    return settings


def apply_header(extension, path):
    for key, values in cython_header(path).items():
        values = [value for value in values if value]
        if key == "language":
            extension.language = extension.language or " ".join(values)
        elif key == "define_macros":
            extension.define_macros += [tuple(v.split("=", 1)) if "=" in v else (v, None)
                                        for v in values]
        elif key == "sources":
            folder = os.path.dirname(path)
            extension.sources += [os.path.join(folder, value) for value in values
                                  if os.path.join(folder, value) not in extension.sources]
        elif key in EXTENSION_LISTS:
            getattr(extension, key).extend(values)


def module_of(path):
    parts = [os.path.splitext(os.path.basename(path))[0]]
    folder = os.path.dirname(path)
    while folder and os.path.basename(folder) not in ("", ".") and any(
            os.path.isfile(os.path.join(folder, "__init__." + suffix))
            for suffix in ("py", "pyx", "pxd")):
        parts.insert(0, os.path.basename(folder))
        folder = os.path.dirname(folder)
    return ".".join(parts)


def cythonize(modules, exclude=None, nthreads=0, aliases=None, quiet=False, force=None,
              language=None, exclude_failures=False, **options):
    event("needs", module="Cython")
    if options:
        event("cythonize", options=plain(options))
    single = isinstance(modules, (str, os.PathLike, Extension))
    result = []
    for module in [modules] if single else modules:
        if isinstance(module, Extension):
            patterns, made = module.sources, module
        else:
            patterns, made = [os.fspath(module)], None
        if made is not None and "*" not in made.name and not any("*" in s for s in made.sources):
            for source in list(made.sources):
                if source.endswith((".pyx", ".py")):
                    apply_header(made, source)
            result.append(made)
            continue
        for pattern in patterns:
            for path in sorted(glob.glob(pattern, recursive=True)):
                one = Extension(module_of(path), [path], language=language)
                if made is not None:
                    for field in EXTENSION_LISTS:
                        getattr(one, field).extend(getattr(made, field))
                    one.language = one.language or made.language
                apply_header(one, path)
                result.append(one)
    return result


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


class Logger:
    def __getattr__(self, name):
        return lambda *args, **kw: None


def given():
    """What the stand-ins for modules hold besides stand-ins."""
    log = Logger()
    core = {"setup": setup, "Extension": Extension, "Command": Command, "Distribution": Distribution,
            "find_packages": find_packages, "find_namespace_packages": find_namespace_packages,
            "PEP420PackageFinder": find_namespace_packages, "PackageFinder": find_packages,
            "__version__": "80.0.0", "setup_keywords": ()}
    sysconfig_like = {
        "get_python_inc": lambda *a, **k: sysconfig.get_paths()["include"],
        "get_python_lib": lambda *a, **k: sysconfig.get_paths()["purelib"],
        "get_config_var": sysconfig.get_config_var, "get_config_vars": sysconfig.get_config_vars,
        "customize_compiler": lambda compiler: None, "get_makefile_filename": lambda: "Makefile",
    }
    new_compiler = {"new_compiler": lambda *a, **k: Compiler(), "CCompiler": Compiler,
                    "get_default_compiler": lambda *a: Compiler().compiler_type,
                    "CompileError": CompileError}
    build_ext_module = {"build_ext": build_ext, "new_build_ext": build_ext}
    return {
        "setuptools": core,
        "setuptools.extension": {"Extension": Extension, "Library": Extension},
        "setuptools.dist": {"Distribution": Distribution},
        "setuptools.command.build_ext": build_ext_module,
        "setuptools.errors": {},
        "distutils": {"log": log, "version": StandIn("distutils.version")},
        "distutils.core": core,
        "distutils.extension": {"Extension": Extension},
        "distutils.cmd": {"Command": Command},
        "distutils.dist": {"Distribution": Distribution},
        "distutils.command.build_ext": build_ext_module,
        "distutils.errors": {"CompileError": CompileError, "CCompilerError": CompileError,
                             "DistutilsError": CompileError, "LinkError": CompileError},
        "distutils.ccompiler": new_compiler,
        "distutils.unixccompiler": {"UnixCCompiler": Compiler},
        "distutils.msvccompiler": {"MSVCCompiler": Compiler},
        "distutils._msvccompiler": {"MSVCCompiler": Compiler},
        "distutils.log": {name: (lambda *a, **k: None) for name in
                          ("debug", "info", "warn", "error", "fatal", "set_verbosity", "log")},
        "distutils.sysconfig": sysconfig_like,
        "distutils.spawn": {"find_executable": which, "spawn": refuse},
        "distutils.util": {"get_platform": sysconfig.get_platform, "strtobool": strtobool,
                           "convert_path": lambda path: path, "change_root": os.path.join,
                           "split_quoted": shlex.split},
        "distutils.version": {"LooseVersion": LooseVersion, "StrictVersion": LooseVersion},
        "distutils.dep_util": {"newer": lambda *a: True, "newer_group": lambda *a, **k: True},
        "distutils.dir_util": {"mkpath": lambda *a, **k: [], "remove_tree": lambda *a, **k: None,
                               "copy_tree": lambda *a, **k: []},
        "distutils.file_util": {"copy_file": lambda *a, **k: (a[1], 1)},
        "pkg_resources": {"parse_version": LooseVersion,
                          "DistributionNotFound": type("DistributionNotFound", (Exception,), {}),
                          "VersionConflict": type("VersionConflict", (Exception,), {})},
        "wheel.bdist_wheel": {"bdist_wheel": type("bdist_wheel", (Command,), {
            "get_tag": lambda self: ("py3", "none", "any")})},
        "Cython": {"__version__": "3.0.11"},
        "Cython.Build": {"cythonize": cythonize, "build_ext": build_ext},
        "Cython.Build.Dependencies": {"cythonize": cythonize},
        "Cython.Distutils": {"build_ext": build_ext, "Extension": Extension},
        "Cython.Distutils.old_build_ext": {"old_build_ext": build_ext, "build_ext": build_ext},
        "Cython.Distutils.build_ext": {"build_ext": build_ext, "new_build_ext": build_ext},
        "Cython.Distutils.extension": {"Extension": Extension},
        "Cython.Compiler.Main": {"default_options": {}},
        "numpy": {"get_include": numpy_include, "__version__": "2.1.0"},
        "numpy.distutils.core": {"setup": numpy_setup, "Extension": Extension},
        "numpy.distutils.misc_util": {"get_numpy_include_dirs": lambda: [numpy_include()],
                                      "Configuration": Configuration},
        "numpy.distutils.extension": {"Extension": Extension},
        "pkgconfig": {"parse": pkgconfig_parse, "exists": lambda *a: True,
                      "installed": lambda *a: True, "configure_extension": configure_extension,
                      "modversion": lambda name: "99.0.0"},
        "pybind11": {"get_include": lambda *a: STAND_IN + "/package/pybind11/include",
                     "__version__": "2.13.0"},
        "pybind11.setup_helpers": {"Pybind11Extension": Pybind11Extension, "build_ext": build_ext},
        "cppy": {"get_include": lambda: STAND_IN + "/package/cppy/include",
                 "CppyBuildExt": CppyBuildExt},
        "setuptools_scm": {"get_version": lambda *a, **k: version_of_vcs()},
    }


def version_of_vcs():
    event("vcs-version", what="setuptools_scm")
    return "0.0.0"


def strtobool(text):
    word = text.lower()
    if word in ("y", "yes", "t", "true", "on", "1"):
        return 1
    if word in ("n", "no", "f", "false", "off", "0"):
        return 0
    raise ValueError("invalid truth value %r" % (text,))


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def __init__(self, root, names):
        self.names = {name for name in names if not (
            os.path.isdir(os.path.join(root, name)) or os.path.isfile(os.path.join(root, name + ".py"))
        )}

    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top in self.names:
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec):
        top = spec.name.partition(".")[0]
        if top not in ("distutils", "setuptools", "pkg_resources"):
            event("needs", module=top)
        if spec.name.startswith("numpy.distutils"):
            event("needs", module="numpy")
        module = Module(spec.name)
        for name, value in self.given.get(spec.name, {}).items():
            setattr(module, name, value)
        if spec.name in ("setuptools", "distutils.core"):
            module.__all__ = [name for name in self.given[spec.name] if name[0] != "_"]
        return module

    def exec_module(self, module):
        pass


# ---- the machine --------------------------------------------------------------------------------

ORDINARY = re.compile(r"(PATH|HOME|USER|TMP|TEMP|TMPDIR|LANG|LC_.*|PYTHON.*|SOURCE_DATE_EPOCH|"
                      r"VIRTUAL_ENV|PWD|TERM|COLUMNS|SETUPTOOLS_.*|DISTUTILS_.*)$")


def record_environment(root):
    plain_type = type(os.environ)

    class Environment(plain_type):
        def __getitem__(self, key):
            caller = sys._getframe(1)
            for _ in range(3):
                if caller is None:
                    break
                if caller.f_code.co_filename.startswith(root):
                    if isinstance(key, str) and not ORDINARY.match(key):
                        event("environment", name=key)
                    break
                caller = caller.f_back
            return super().__getitem__(key)

        def __contains__(self, key):
            try:
                self[key]
            except KeyError:
                return False
            return True

    os.environ.__class__ = Environment


def pretend(system_name):
    """Makes the interpreter look as if it ran on another system, to those who only ask."""
    facts = {
        "win32": ("nt", "Windows", "win-amd64", "AMD64", "10"),
        "darwin": ("posix", "Darwin", "macosx-11.0-arm64", "arm64", "23.0.0"),
    }.get(system_name)
    if facts is None:
        return
    # Both are computed once, from files that the other system doesn't have.
    paths, values = sysconfig.get_paths(), dict(sysconfig.get_config_vars())
    sysconfig.get_paths = lambda *a, **k: dict(paths)
    sysconfig.get_config_vars = lambda *names: [values.get(n) for n in names] if names else values
    sysconfig.get_config_var = values.get
    real = types.ModuleType("os")
    real.__dict__.update(os.__dict__)
    for module in (pathlib, sys.modules.get("pathlib._local"), shutil, tempfile, glob, subprocess):
        if module is not None and hasattr(module, "os"):
            module.os = real
    os_name, name, tag, machine, release = facts
    os.name, sys.platform = os_name, system_name
    platform.system = lambda: name
    platform.machine = lambda: machine
    platform.release = lambda: release
    platform.mac_ver = lambda *a, **k: ("11.0" if system_name == "darwin" else "", ("", "", ""), machine)
    platform.platform = lambda *a, **k: name
    sysconfig.get_platform = lambda: tag
    os.uname = lambda: types.SimpleNamespace(sysname=name, release=release, machine=machine)
    if system_name == "win32":
        version = collections.namedtuple("version", "major minor build platform service_pack")
        sys.getwindowsversion = lambda: version(10, 0, 19045, 2, "")
        os.environ.setdefault("PATHEXT", ".EXE")


# ---- setup.cfg ----------------------------------------------------------------------------------

def list_of(text, separator=","):
    parts = text.splitlines() if "\n" in text else text.split(separator)
    return [part.strip() for part in parts if part.strip()]


def lines_of(text):
    # Requirements may hold commas: a line each, or separated by semicolons (setuptools).
    parts = text.splitlines() if "\n" in text else text.split(";") if ";" in text and not re.search(
        r";\s*(python|sys_|os_|platform|extra|implementation)", text) else [text]
    return [part.strip() for part in parts if part.strip() and not part.strip().startswith("#")]


def dict_of(text):
    found = {}
    for line in list_of(text):
        key, _, value = line.partition("=")
        found[key.strip()] = value.strip()
    return found


def truth(text):
    return text.strip().lower() in ("1", "true", "yes")


def attribute(text, package_dir):
    """`attr: package.module.NAME`: read from the source if it is a literal, else by an import."""
    module, _, name = text.strip().rpartition(".")
    base = package_dir.get("", "") if package_dir else ""
    parts = module.split(".")
    if package_dir and parts[0] in package_dir:
        path = os.path.join(package_dir[parts[0]], *parts[1:])
    else:
        path = os.path.join(base, *parts)
    for file in (path + ".py", os.path.join(path, "__init__.py")):
        if not os.path.isfile(file):
            continue
        with tokenize.open(file) as source:
            tree = ast.parse(source.read())
        for node in tree.body:
            targets = node.targets if isinstance(node, ast.Assign) else (
                [node.target] if isinstance(node, ast.AnnAssign) else [])
            if any(isinstance(target, ast.Name) and target.id == name for target in targets):
                try:
                    return ast.literal_eval(node.value)
                except ValueError:
                    break
        break
    sys.path.insert(0, base or ".")
    return getattr(__import__(module, fromlist=[name]), name)


LISTS = {"classifiers", "keywords", "platforms", "provides", "obsoletes", "license_files", "scripts",
         "py_modules", "namespace_packages", "packages", "eager_resources", "dependency_links"}
REQUIREMENTS = {"install_requires", "setup_requires", "tests_require"}
TRUTHS = {"zip_safe", "include_package_data", "use_2to3"}
ALIASES = {"home_page": "url", "home-page": "url", "summary": "description", "author-email": "author_email",
           "classifier": "classifiers", "platform": "platforms", "license_file": "license_files"}


def directive(text, key, package_dir, directives):
    if isinstance(text, str) and text.startswith("file:"):
        directives[key] = text
        files = [name.strip() for name in text[5:].split(",") if name.strip()]
        parts = []
        for name in files:
            try:
                with open(name, encoding="utf-8") as file:
                    parts.append(file.read())
            except OSError:
                event("missing-file", name=name, key=key)
        return "\n".join(parts)
    if isinstance(text, str) and text.startswith("attr:"):
        directives[key] = text
        try:
            value = attribute(text[5:], package_dir)
        except Exception as error:
            event("attribute", key=key, what="%s: %s" % (type(error).__name__, error))
            return None
        return ".".join(map(str, value)) if isinstance(value, (tuple, list)) else str(value)
    return text


def with_root(package_dir, searched):
    """setuptools takes the folder in which it finds packages for the root of all."""
    if os.path.normpath(searched) == "." or "" in (package_dir or {}):
        return package_dir
    return dict(package_dir or {}, **{"": searched})


def found_packages(mode, options):
    where = options.get("where", ".")
    where = list_of(where)[0] if isinstance(where, str) and list_of(where) else where
    where = where[0] if isinstance(where, list) else where
    def patterns(key, default):
        value = options.get(key)
        return (list_of(value) if isinstance(value, str) else value) or default
    find = find_namespace_packages if mode == "find_namespace:" else find_packages
    return find(where, patterns("exclude", ()), patterns("include", ("*",)))


def read_setup_cfg(path):
    parser = configparser.RawConfigParser()
    parser.optionxform = str
    with open(path, encoding="utf-8-sig") as file:
        parser.read_file(file)
    return {section: dict(parser.items(section)) for section in parser.sections()}


def arguments_of_cfg(sections, directives, unknown):
    arguments = {}
    options = {k.replace("-", "_"): v for k, v in sections.get("options", {}).items()}
    package_dir = dict_of(options["package_dir"]) if "package_dir" in options else None
    if options.get("packages", "").strip() in ("find:", "find_namespace:"):
        where = list_of(sections.get("options.packages.find", {}).get("where", "")) or ["."]
        package_dir = with_root(package_dir, where[0])
    for section in ("metadata", "options"):
        for key, text in sections.get(section, {}).items():
            key = ALIASES.get(key, key.replace("-", "_"))
            key = ALIASES.get(key, key)
            text = text.strip()
            if key == "packages" and text in ("find:", "find_namespace:"):
                directives[key] = text
                arguments[key] = found_packages(text, sections.get("options.packages.find", {}))
                continue
            value = directive(text, key, package_dir, directives)
            if value is None:
                continue
            if key in REQUIREMENTS:
                arguments[key] = lines_of(value)
            elif key in LISTS:
                arguments[key] = list_of(value)
            elif key in TRUTHS:
                arguments[key] = truth(value)
            elif key in ("project_urls", "package_dir"):
                arguments[key] = dict_of(value)
            elif key == "cmdclass":
                arguments[key] = dict_of(value)
            elif key == "entry_points":
                arguments[key] = value
            elif key in KNOWN:
                arguments[key] = value
            else:
                unknown.append("%s.%s" % (section, key))
    for name, entries in sections.items():
        if name == "options.extras_require":
            arguments["extras_require"] = {
                key: lines_of(directive(value.strip(), key, None, directives) or "")
                for key, value in entries.items()}
        elif name == "options.entry_points":
            arguments["entry_points"] = {key: lines_of(value) for key, value in entries.items()}
        elif name in ("options.package_data", "options.exclude_package_data"):
            arguments[name[8:]] = {("" if key == "*" else key): list_of(value)
                                   for key, value in entries.items()}
        elif name == "options.data_files":
            arguments["data_files"] = [[key, list_of(value)] for key, value in entries.items()]
        elif name.startswith("options.") and name != "options.packages.find":
            unknown.append(name)
    if package_dir:
        arguments["package_dir"] = package_dir
    return arguments


KNOWN = {
    "name", "version", "description", "long_description", "long_description_content_type", "author",
    "author_email", "maintainer", "maintainer_email", "url", "download_url", "project_urls",
    "license", "license_expression", "python_requires", "requires", "test_suite", "test_loader",
}


def arguments_of_tool(table, directives):
    """`[tool.setuptools]` in the words of setup()."""
    arguments = {}
    package_dir = table.get("package-dir")
    searched = "."
    if isinstance(table.get("packages"), dict):
        searched = table["packages"].get("find", {}).get("where", ["."])[0]
    package_dir = with_root(package_dir, searched)
    for key, value in table.items():
        name = key.replace("-", "_")
        if name == "packages" and isinstance(value, dict):
            options = value.get("find", {})
            mode = "find_namespace:" if options.get("namespaces", True) else "find:"
            directives[name] = mode
            arguments[name] = found_packages(mode, options)
        elif name == "ext_modules":
            arguments[name] = [Extension(**{k.replace("-", "_"): v for k, v in one.items()})
                               for one in value]
        elif name == "data_files":
            arguments[name] = [[folder, files] for folder, files in value.items()]
        elif name == "script_files":
            arguments["scripts"] = value
        elif name == "dynamic":
            for field, source in value.items():
                if not isinstance(source, dict):
                    continue
                if "attr" in source:
                    text = "attr: " + source["attr"]
                else:
                    files = source.get("file", [])
                    text = "file: " + ", ".join([files] if isinstance(files, str) else files)
                to = {"readme": "long_description", "dependencies": "install_requires",
                      "requires_python": "python_requires"}.get(field.replace("-", "_"), field)
                found = directive(text, to, package_dir, directives)
                if found is not None:
                    arguments[to] = lines_of(found) if to == "install_requires" else found.strip()
                if "content-type" in source:
                    arguments["long_description_content_type"] = source["content-type"]
        elif name in ("package_data", "exclude_package_data"):
            arguments[name] = {("" if k == "*" else k): v for k, v in value.items()}
        else:
            arguments[name] = value
    if package_dir:
        arguments["package_dir"] = package_dir
    return arguments


# ---- the answer ---------------------------------------------------------------------------------

ROOT = ""


def path_text(text):
    if text == ROOT:
        return "."
    return text.replace(ROOT + "/", "")


def plain(value, depth=0):
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, str):
        return path_text(value)
    if depth > 12:
        return repr(value)
    if isinstance(value, StandIn):
        return str(value)
    if isinstance(value, os.PathLike):
        return path_text(os.fspath(value))
    if isinstance(value, Extension):
        return extension_plain(value)
    if isinstance(value, dict):
        return {str(plain(key)): plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted((plain(item, depth + 1) for item in value), key=str)
    if isinstance(value, (list, tuple, types.GeneratorType, map, filter)):
        return [plain(item, depth + 1) for item in value]
    if isinstance(value, type):
        return value.__name__
    return {"object": type(value).__name__}


def extension_plain(extension):
    facts = {"name": plain(extension.name), "class": type(extension).__name__}
    for field in ("sources",) + EXTENSION_LISTS + EXTENSION_VALUES:
        facts[field] = plain(getattr(extension, field, None))
    own = sysconfig.get_paths()
    facts["include_dirs"] = [folder for folder in facts["include_dirs"] or ()
                             if folder not in (own["include"], own["platinclude"])]
    facts["unknown"] = plain(getattr(extension, "_unknown", {}))
    return facts


def literal_names(tree):
    """Names that the script's top level binds once, to a literal."""
    bound, literal = {}, set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, (ast.Store, ast.Del)):
            bound[node.id] = bound.get(node.id, 0) + 1
    for node in tree.body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(
                node.targets[0], ast.Name) and is_literal(node.value, literal):
            literal.add(node.targets[0].id)
    return {name for name in literal if bound.get(name) == 1}


FINDERS = ("find_packages", "find_namespace_packages", "Extension", "cythonize")


def is_literal(node, names):
    if isinstance(node, ast.Name):
        return node.id in names
    if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
        return all(is_literal(item, names) for item in node.elts)
    if isinstance(node, ast.Dict):
        return all(key is not None and is_literal(key, names) for key in node.keys) and all(
            is_literal(value, names) for value in node.values)
    if isinstance(node, ast.Call):
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(
            node.func, "id", "")
        return called in FINDERS and all(is_literal(arg, names) for arg in node.args) and all(
            keyword.arg and is_literal(keyword.value, names) for keyword in node.keywords)
    try:
        ast.literal_eval(node)
        return True
    except ValueError:
        return False


def computed_keys(source, attrs, line):
    """Which arguments of setup() the script computes rather than states."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return sorted(attrs)
    names = literal_names(tree)
    best = None
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(
                node.func, "id", "")
            if called == "setup" and node.lineno <= line <= getattr(node, "end_lineno", line):
                best = node
    if best is None:
        return sorted(attrs)
    stated = {keyword.arg for keyword in best.keywords
              if keyword.arg and is_literal(keyword.value, names)}
    return sorted(key for key in attrs if key not in stated)


def where_is(kind):
    module = sys.modules.get(kind.__module__)
    file = getattr(module, "__file__", None) or "setup.py"
    return path_text(os.path.realpath(file))


def commands_of(attrs):
    found = []
    cmdclass = attrs.get("cmdclass")
    if not isinstance(cmdclass, dict):
        return found
    for name, kind in cmdclass.items():
        if isinstance(kind, str):
            found.append({"command": name, "class": kind, "own": True})
        elif isinstance(kind, type):
            found.append({"command": name, "class": kind.__name__,
                          "own": kind.__module__ not in ("__ekiben__", __name__) and kind is not build_ext
                          and kind is not CppyBuildExt})
        else:
            found.append({"command": name, "class": str(plain(kind)), "own": True})
    return found


def built_extensions(attrs):
    """What the project's own build_ext makes of the extensions before they would be compiled."""
    cmdclass = attrs.get("cmdclass")
    kind = cmdclass.get("build_ext") if isinstance(cmdclass, dict) else None
    if kind is None or kind is build_ext or not isinstance(kind, type):
        return None, None
    dist = (attrs.get("distclass") or Distribution)
    try:
        dist = dist(attrs)
        dist.ext_modules = list(attrs.get("ext_modules") or ())
        if not hasattr(dist, "built"):
            dist.built = []
        command = kind(dist)
        dist.command_obj["build_ext"] = command
        command.ensure_finalized()
        command.run()
        return [extension_plain(one) for one in dist.built], None
    except BaseException as error:
        return None, "%s: %s" % (type(error).__name__, error)


def problem(error, root):
    facts = {"message": "%s: %s" % (type(error).__name__, error), "module": None, "where": None}
    if isinstance(error, ModuleNotFoundError) and error.name:
        facts["module"] = error.name.partition(".")[0]
    if isinstance(error, SystemExit):
        facts["message"] = "it ended itself: %s" % (error.code,)
    frames = [frame for frame in traceback.extract_tb(error.__traceback__)
              if frame.filename.startswith(root)]
    if frames:
        facts["where"] = "%s:%d" % (path_text(frames[-1].filename), frames[-1].lineno)
    if isinstance(error, SyntaxError) and error.filename:
        facts["where"] = "%s:%s" % (path_text(error.filename), error.lineno)
    return facts


def main():
    global ROOT
    request = json.load(sys.stdin)
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    ROOT = root = os.path.realpath(request["root"])
    os.chdir(root)
    sys.path[:] = [root] + [entry for entry in sys.path[1:] if entry]
    for name in list(sys.modules):
        if name.partition(".")[0] in HELPERS | {"_distutils_hack"}:
            del sys.modules[name]
    sys.meta_path.insert(0, Finder(root, HELPERS | set(request["stand_ins"])))
    real_platform = platform.system()
    stop_programs()
    record_environment(root)
    pretend(request["platform"])
    Finder.given = given()
    sys.argv = ["setup.py", "build_ext"]
    sys.dont_write_bytecode = True

    result = {"python": platform.python_version(), "system": real_platform, "error": None,
              "calls": 0, "arguments": {}, "origins": {}, "computed": [], "directives": {},
              "commands": [], "built": None, "build_ext_error": None, "unknown": []}
    source = None
    script = os.path.join(root, "setup.py")
    if os.path.isfile(script):
        try:
            with tokenize.open(script) as file:
                source = file.read()
            space = {"__name__": "__main__", "__file__": script, "__builtins__": __builtins__}
            exec(compile(source, script, "exec"), space)
        except SystemExit as error:
            if not CALLS:
                result["error"] = problem(error, root)
        except BaseException as error:
            result["error"] = problem(error, root)
    os.chdir(root)
    attrs = {}
    result["calls"] = len(CALLS)
    if CALLS:
        attrs, file, line = CALLS[0]
        computed = computed_keys(source, attrs, line) if os.path.realpath(file) == script \
            else sorted(attrs)
        result["computed"] = computed
    directives = {}
    try:
        late = arguments_of_tool(request["tool_setuptools"], directives)
    except Exception as error:
        late = {}
        event("tool-setuptools", what="%s: %s" % (type(error).__name__, error))
    early = {}
    if os.path.isfile(os.path.join(root, "setup.cfg")):
        try:
            early = arguments_of_cfg(read_setup_cfg(os.path.join(root, "setup.cfg")), directives,
                                     result["unknown"])
        except (configparser.Error, UnicodeDecodeError) as error:
            event("setup-cfg", what=str(error))
    merged, origins = {}, {}
    # What setup.py gives stays, unless it is empty (setuptools); pyproject.toml wins over both.
    for origin, values in (("setup.py", attrs), ("setup.cfg", early), ("pyproject.toml", late)):
        for key, value in values.items():
            if origin == "setup.cfg" and merged.get(key):
                continue
            merged[key], origins[key] = value, origin
            if origin != "setup.py" and key in result["computed"]:
                result["computed"].remove(key)
    result["directives"] = {key: value for key, value in directives.items()
                            if origins.get(key, "setup.py") != "setup.py"}
    result["commands"] = commands_of(attrs)
    before = [plain(one) for one in merged.get("ext_modules") or ()
              if isinstance(one, Extension)]
    result["extensions"] = before
    result["strange_extensions"] = [str(plain(one)) for one in merged.get("ext_modules") or ()
                                    if not isinstance(one, Extension)]
    result["built"], result["build_ext_error"] = built_extensions(attrs)
    arguments = {key: plain(value) for key, value in merged.items()
                 if key not in ("ext_modules", "cmdclass", "distclass")}
    result["arguments"], result["origins"] = arguments, origins
    result["has_distclass"] = "distclass" in attrs
    result["events"] = EVENTS
    json.dump(result, channel)
    channel.close()
    sys.stderr.flush()
    # Threads and exit handlers of setup.py have nothing left to do.
    os._exit(0)


main()
