"""The command `waves`."""

import argparse

from waves import String


def draw(string: String, rows: int = 9) -> "list[str]":
    """The string as lines of text."""
    middle = rows // 2
    canvas = [[" "] * len(string.heights) for _ in range(rows)]
    for column, height in enumerate(string.heights):
        row = middle - round(height * middle)
        canvas[min(max(row, 0), rows - 1)][column] = "*"
    return ["".join(line).rstrip() for line in canvas]


def main() -> None:
    parser = argparse.ArgumentParser(description="Draw a plucked string.")
    parser.add_argument("--frames", type=int, default=3)
    parser.add_argument("--points", type=int, default=61)
    options = parser.parse_args()
    string = String(options.points)
    string.pluck(options.points // 4)
    for frame in range(options.frames):
        print(f"frame {frame}", *draw(string), sep="\n")
        string.advance(options.points // 2)
