"""Modules, functions and values that stand in for whatever a setup script imports."""

import sys
import types

from .commands import Command
from .compiler import CompileError
from .events import event, STAND_IN


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
