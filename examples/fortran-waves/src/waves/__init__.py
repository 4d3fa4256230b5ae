"""A plucked string."""

from array import array

from waves import _string

__all__ = ["String"]


class String:
    """A string of `points` points between two fixed ends, at rest."""

    def __init__(self, points: int, courant: float = 1.0) -> None:
        self.heights = array("d", bytes(8 * points))
        self.courant = courant
        self._before = self.heights[:]

    def pluck(self, at: int, height: float = 1.0) -> None:
        """Pull the point `at` up, and let go."""
        last = len(self.heights) - 1
        for i in range(1, last):
            self.heights[i] = height * min(i / at, (last - i) / (last - at))
        self._before = self.heights[:]

    def advance(self, steps: int) -> None:
        """Let time go on."""
        _string.advance(self.heights, self._before, self.courant, steps)
