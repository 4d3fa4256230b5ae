"""A package that is compiled itself."""

from .two.same import where as where_two

NAME = __name__


def parts():
    return __package__, list(__path__), where_two()
