"""Says sizes and spans of time as people do."""

from importlib.metadata import version

__version__ = version("measures")
