"""What the interpreter imports as `site` at its start, in place of the standard library's module,
which looks for files.

It makes imports from the image work, in each interpreter of the process, and then does what `site`
does in an environment without site-packages of its own. As soon as anybody wants more of it, it becomes
the standard library's module, which is in the image as `site`.
"""

import builtins
import sys

import _ekiben_importer

_ekiben_importer.install()


class _Late:
    """A builtin that takes its place when it is used: what `site` puts there costs an import of `os`."""

    def __init__(self, name):
        self._name = name

    def _get(self):
        _become()
        for name in ("setquit", "setcopyright", "sethelper"):
            kept = {key: getattr(builtins, key, None) for key in _NAMES}
            globals()[name]()
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


def _become():
    """Makes this the standard library's module, whose `__spec__` and `__file__` it has."""
    names = globals()
    if "__getattr__" not in names:
        return
    kept = {name: value for name, value in names.items() if name not in _OWN}
    exec(__spec__.loader.get_code(__name__), names)
    # Nobody else's packages are a program's.
    names.update({"ENABLE_USER_SITE": False, **kept})
    names.pop("__getattr__", None)


def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError("module %r has no attribute %r" % (__name__, name))
    _become()
    return getattr(sys.modules[__name__], name)


def _register():
    # The real hook takes the place of this one; before 3.13 it is a function inside that which does so.
    _become()
    globals()["enablerlcompleter"]()
    sys.__interactivehook__()


if not sys.flags.isolated:
    sys.__interactivehook__ = _register

_OWN = frozenset(globals()) | {"_OWN"}

# With folders of PYTHONPATH, which come first, there may be a `sitecustomize`.
if sys.path and not (sys.path[0] + "/").startswith(_ekiben_importer.START):
    _become()
    globals()["execsitecustomize"]()
