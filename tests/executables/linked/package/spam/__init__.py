"""A package with compiled modules of all sorts."""

from spam import _multi, _single
