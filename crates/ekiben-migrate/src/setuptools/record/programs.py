"""Programs, none of which is started, but for the interpreter on a script of the project.

Those that tell where a library is get an answer in the stand-ins' world.
"""

import io
import os
import re
import shlex
import shutil
import subprocess
import sys

from .events import event, STAND_IN


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
        as_text = any(kw.get(key) for key in
                      ("universal_newlines", "text", "encoding", "errors"))
        self.args, self.returncode, self.pid = args, 0, 0
        self._out = text if as_text else text.encode()
        self._err = "" if as_text else b""
        make = io.StringIO if as_text else io.BytesIO
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
