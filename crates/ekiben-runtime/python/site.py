"""In place of the standard library's `site`, which looks for files at start.

It makes imports from the image work, in each interpreter of the process, and then does what `site`
does in an environment without site-packages of its own. What `site` offers beyond that is there when
it is asked for, from the standard library's own module.
"""

import builtins
import sys

import _ekiben_importer

_ekiben_importer.install()

# The collector has nothing to find before the program's own code runs; main.c enables it then.
if _ekiben_importer._ekiben.setting("quiet-start") == "1":
    import gc

    gc.disable()

PREFIXES = [sys.prefix, sys.exec_prefix]
ENABLE_USER_SITE = False
USER_SITE = None
USER_BASE = None


class _Late:
    """A builtin that takes its place when it is used: what `site` puts there costs an import of `os`."""

    def __init__(self, name):
        self._name = name

    def _get(self):
        site = _load()
        for name in ("setquit", "setcopyright", "sethelper"):
            kept = {key: getattr(builtins, key, None) for key in _NAMES}
            getattr(site, name)()
            for key, value in kept.items():
                # What the program put there stays.
                if value is not None and not isinstance(value, _Late):
                    setattr(builtins, key, value)
        real = getattr(builtins, self._name)
        return (lambda *arguments, **keywords: None) if real is self else real

    def __repr__(self):
        return repr(self._get())

    def __call__(self, *arguments, **keywords):
        return self._get()(*arguments, **keywords)

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self._get(), name)


_NAMES = ("quit", "exit", "copyright", "credits", "license", "help")
for _name in _NAMES:
    setattr(builtins, _name, _Late(_name))


def _load():
    import _ekiben_site

    return _ekiben_site


def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError("module %r has no attribute %r" % (__name__, name))
    return getattr(_load(), name)


def main():
    """What `python -S` leaves to be called: nothing is left to do here."""


def _set_interactive_hook():
    def register():
        _load().register_readline()

    if hasattr(sys, "ps1") or sys.flags.interactive or sys.flags.inspect or _is_interactive():
        sys.__interactivehook__ = register


def _is_interactive():
    # Without a program of its own this is an interpreter, which may turn out to be interactive.
    return _ekiben_importer._ekiben.setting("main") is None or len(sys.orig_argv) > 1


if not sys.flags.isolated:
    _set_interactive_hook()
