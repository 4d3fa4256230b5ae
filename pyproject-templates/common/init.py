"""A mean that is computed in {{ language }}."""

from ._core import mean

__all__ = ["mean"]
