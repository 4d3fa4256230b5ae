# run:
"""Compiled modules are what they are when they are loaded, wherever they are: their names, places and
specs, what is beside them, reloading, copies, other interpreters, threads, and exceptions of C++."""

import copyreg
import importlib
import importlib.metadata
import importlib.resources
import importlib.util
import os
import pickle
import pkgutil
import sys
import threading
import zlib

import _spamtop
import spam.deep._single
import spam._cxx
import spam._zlib

ROOT = os.path.dirname(os.path.dirname(spam.__file__))


def short(path):
    return None if path is None else os.path.relpath(path, ROOT)


def show(module):
    spec = module.__spec__
    print(module.__name__, module.__package__, short(module.__file__), module.__doc__)
    print("  spec:", spec.name, short(spec.origin), spec.has_location, spec.parent, module.__loader__ is spec.loader)
    print("  path:", [short(it) for it in getattr(module, "__path__", ())], spec.loader.is_package(spec.name))
    print("  code:", spec.loader.get_code(spec.name), spec.loader.get_source(spec.name))
    print("  file:", short(spec.loader.get_filename(spec.name)), importlib.util.find_spec(spec.name) is spec)


for name in "_spamtop", "spam._multi", "spam._single", "spam.deep", "spam.deep._single", "spam._cxx", "spam._zlib":
    show(sys.modules[name])

print(spam._single.HELPER, spam.deep._single.HELPER, spam.deep.inner_value, spam._multi.helper())
print(spam._zlib.checksum(b"spam") == zlib.crc32(b"spam"))

# Beside them
print(importlib.resources.files("spam").joinpath("data.txt").read_text())
print(importlib.resources.files("spam.deep").joinpath("data.txt").read_text())
print(pkgutil.get_data("spam.deep", "data.txt"))
print(sorted((it.name, it.ispkg) for it in pkgutil.iter_modules(spam.__path__)))
print(sorted(it.name for it in pkgutil.walk_packages(spam.deep.__path__, "spam.deep.")))
print(importlib.metadata.version("spam"), sorted(str(it) for it in importlib.metadata.files("spam")))

# Importing again
print(_spamtop.count(), _spamtop.count(), importlib.reload(_spamtop) is _spamtop, _spamtop.count())
print(spam._multi.count(), importlib.reload(spam._multi) is spam._multi, spam._multi.count())
first = sys.modules.pop("spam._multi")
second = importlib.import_module("spam._multi")
print(first is second, first.count(), second.count(), second.__name__, second.Thing is first.Thing)
del sys.modules["spam._single"]
again = importlib.import_module("spam._single")
print(again.__name__, again.__spec__.name, again.Thing is spam._single.Thing)

# The order of the path
folder = os.path.join(os.environ.get("TMPDIR", "/tmp"), "spam-path-%d" % os.getpid())
os.mkdir(folder)
with open(os.path.join(folder, "_spamtop.py"), "w") as file:
    file.write("HERE = 'first'\n")
sys.path.insert(0, folder)
importlib.invalidate_caches()
del sys.modules["_spamtop"]
print(importlib.import_module("_spamtop").HERE)
sys.path.remove(folder)
os.remove(os.path.join(folder, "_spamtop.py"))
os.rmdir(folder)
del sys.modules["_spamtop"]
print(short(importlib.import_module("_spamtop").__file__))

# Pickles
for thing in spam._single.Thing(), second.Thing():
    copy = pickle.loads(pickle.dumps(thing, 0 if thing.__class__.__flags__ & 1 << 9 else 2))
    print(type(copy) is type(thing), type(copy).__module__, type(copy).__qualname__)
print(copyreg.__name__)

# C++
try:
    spam._cxx.try_it(7)
except ValueError as error:
    print("ValueError:", error)
print(spam._cxx.try_it(0), spam._cxx.of_thread(), spam._cxx.of_thread())
thread = threading.Thread(target=lambda: print("in a thread", spam._cxx.of_thread()))
thread.start()
thread.join()

# Another interpreter
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters
# One that shares nothing refuses modules that aren't made for that; the others go on.
PATH = f"import sys; sys.path[:] = {sys.path!r}\n"
CODES = (
    "import _spamtop; print(_spamtop.count())",
    "import spam._multi as it; print(it.__name__, it.count(), it.Thing.__module__)",
)
FINDS = "import importlib.util, os; print(os.path.basename(importlib.util.find_spec('_spamtop').origin))\n"
for config in ("isolated", "legacy") if sys.version_info >= (3, 13) else (True, False):
    for code in CODES:
        sys.stdout.flush()
        other = interpreters.create(config) if sys.version_info >= (3, 13) else interpreters.create(isolated=config)
        text = PATH + FINDS + code + "\nsys.stdout.flush()"
        try:
            failed = interpreters.run_string(other, text)
        except Exception as error:
            failed = error
        message = getattr(failed, "msg", None) or (failed and str(failed))
        print(config, message)
        interpreters.destroy(other)
