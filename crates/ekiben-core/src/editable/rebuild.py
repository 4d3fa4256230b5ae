"""Builds the modules of an editable install again if a source has changed since they were built.

Written by Ekiben, since `editable.rebuild` is set. A `.pth` file imports this when Python starts. It
does nothing until a module of the project is imported; then it looks, once in a process, whether the
modules are up to date. EKIBEN_REBUILD=0 in the environment switches it off.

Imports happen with locks of the interpreter held, so this imports nothing that Python's start
hasn't, but for `fcntl` when there is something to build: `os.lockf` doesn't keep interpreters of one
process apart.
"""

import os
import sys
from _thread import RLock

#: The names that the project's modules begin with.
NAMES = frozenset(@NAMES@)
ROOT = @ROOT@
#: What the build has noted to be compared.
INPUTS = @INPUTS@
PROGRAM = @PROGRAM@
#: What the build requires, in place of the environment that the installer had made; None if it made
#: none.
PACKAGES = @PACKAGES@
#: Whether that environment was all that the build could see.
ALONE = @ALONE@
#: Where that environment was. It may be this one, which the installer hadn't made.
BUILT_IN = @BUILT_IN@
CACHE = @CACHE@
SETTINGS = @SETTINGS@
#: The environment variables that decided on something. None is one that wasn't set.
ENVIRONMENT = @ENVIRONMENT@


class Finder:
    """Stands first on `sys.meta_path` until a module of the project is imported."""

    def __init__(self):
        self.lock = RLock()
        self.is_busy = False
        self.is_done = False

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in NAMES:
            return None
        with self.lock:
            if self.is_busy:
                # The check itself imports something, in this thread.
                return None
            if not self.is_done:
                self.is_busy = True
                try:
                    bring_up_to_date(name)
                finally:
                    self.is_busy = False
                self.is_done = True
                if self in sys.meta_path:
                    sys.meta_path.remove(self)
        # Whoever walks through the list has lost a place by now: go through the rest here.
        for finder in list(sys.meta_path):
            find_spec = getattr(finder, "find_spec", None)
            spec = find_spec(name, path, target) if find_spec else None
            if spec is not None:
                return spec
        return None


def bring_up_to_date(name):
    if is_up_to_date():
        return
    folder = os.path.dirname(INPUTS)
    try:
        os.makedirs(folder, exist_ok=True)
        lock = os.open(os.path.join(folder, "lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise failure(name, f"nothing can be written to its build folder: {error}") from None
    try:
        try:
            from fcntl import LOCK_EX, flock

            flock(lock, LOCK_EX)
        except (ImportError, OSError) as error:
            raise failure(name, f"its build folder can't be locked: {error}") from None
        # Another process or interpreter may have built it while this one waited.
        if not is_up_to_date():
            build(name, folder)
    finally:
        os.close(lock)


def is_up_to_date():
    try:
        with open(INPUTS, encoding="utf-8") as file:
            lines = file.read().split("\n")
        stat = os.stat
        # After the header, and before what follows the last line's end.
        for line in lines[1:-1]:
            size, time, path = line.split(" ", 2)
            if size == "folder":
                if not is_as_listed(int(time), path.split("\0")):
                    return False
                continue
            now = stat(path)
            if now.st_mtime_ns != int(time) or now.st_size != int(size):
                return False
    except (OSError, ValueError):
        return False
    return True


def is_as_listed(time, listed):
    folder, *names = listed
    try:
        if os.stat(folder).st_mtime_ns == time:
            return True
        found = os.listdir(folder)
    except OSError:
        return not names
    return names == sorted(filter(is_relevant, found), key=os.fsencode)


def is_relevant(name):
    return not (
        name.startswith(".") or name.endswith(("~", ".pyc", ".so", ".pyd")) or name == "__pycache__"
    )


def build(name, folder):
    is_here = BUILT_IN is not None and os.path.realpath(BUILT_IN) == os.path.realpath(sys.prefix)
    packages = BUILT_IN if is_here else PACKAGES
    for needed in (PROGRAM, packages):
        if needed is not None and not os.path.exists(needed):
            raise failure(name, f"{needed} is gone", f"run `pip install -e {ROOT}` again")
    log = os.path.join(folder, "rebuild.log")
    result = os.path.join(folder, "rebuild.json")
    arguments = [PROGRAM, "pep517", "build-editable", "--project", ROOT, "--quiet"]
    arguments += ["--interpreter", interpreter(), "--cache-dir", CACHE]
    arguments += ["--config-settings", SETTINGS, "--result-file", result]
    arguments += ["--out-dir", os.path.join(folder, "wheel")]
    if packages is not None:
        arguments += ["--build-environment", packages]
    if ALONE and not is_here:
        arguments.append("--build-environment-alone")
    environment = {k: v for k, v in os.environ.items() if k not in ENVIRONMENT}
    environment.update((k, v) for k, v in ENVIRONMENT.items() if v is not None)
    # What the build starts mustn't begin another one.
    environment["EKIBEN_REBUILD"] = "0"
    try:
        if os.path.exists(result):
            os.remove(result)
        process = start(arguments, environment, log)
    except OSError as error:
        raise failure(name, f"{PROGRAM} can't be started: {error}") from None
    try:
        os.waitpid(process, 0)
    except ChildProcessError:
        # The program that imports collects its children itself. The result says how it went.
        pass
    except KeyboardInterrupt:
        # The terminal has interrupted the build too: let it stop its compilers.
        os.waitpid(process, 0)
        raise
    try:
        with open(result, encoding="utf-8") as file:
            succeeded = file.read().startswith('{"result"')
    except OSError:
        succeeded = False
    if not succeeded:
        show(log)
        raise failure(name, "building it again failed, with the errors above", "correct them")
    for finder in list(sys.path_importer_cache.values()):
        # They may remember what a folder held before.
        if hasattr(finder, "invalidate_caches"):
            finder.invalidate_caches()


def start(arguments, environment, log):
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    if hasattr(os, "posix_spawn"):
        to_log = [(os.POSIX_SPAWN_OPEN, 1, log, flags, 0o666), (os.POSIX_SPAWN_DUP2, 1, 2)]
        return os.posix_spawn(PROGRAM, arguments, environment, file_actions=to_log)
    # PyPy hasn't.
    process = os.fork()
    if process != 0:
        return process
    try:
        output = os.open(log, flags, 0o666)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.execve(PROGRAM, arguments, environment)
    except OSError as error:
        os.write(2, f"{PROGRAM} can't be started: {error}\n".encode())
    finally:
        os._exit(127)


def interpreter():
    if os.path.basename(sys.executable or "").startswith(("python", "pypy")):
        return sys.executable
    # A program that embeds Python names itself.
    version = sys.version_info
    return os.path.join(sys.prefix, "bin", f"python{version[0]}.{version[1]}")


def show(log):
    if sys.stderr is None:
        return
    try:
        with open(log, encoding="utf-8", errors="replace") as file:
            sys.stderr.write(file.read())
        sys.stderr.flush()
    except (OSError, ValueError):
        # The exception still says what is wrong.
        pass


def failure(name, why, remedy="correct that"):
    message = (
        f"`{name}` has changed since it was built, and {why}."
        f" To go on, {remedy}, or set EKIBEN_REBUILD=0 to import it as it is"
    )
    return ImportError(message, name=name)


if os.environ.get("EKIBEN_REBUILD") != "0":
    sys.meta_path.insert(0, Finder())
