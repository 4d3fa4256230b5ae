"""A package of all kinds of sources, for the tests of editable installs."""

from tally._count import count

__all__ = ["count"]
