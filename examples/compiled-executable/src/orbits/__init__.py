"""Where planets are."""

__version__ = "0.1.0"
