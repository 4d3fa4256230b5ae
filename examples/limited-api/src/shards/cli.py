"""The command `shards`."""

import argparse
from pathlib import Path

from shards import overlap


def main() -> None:
    parser = argparse.ArgumentParser(description="Say how much of files is in another one.")
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path, nargs="+")
    options = parser.parse_args()
    try:
        old = options.old.read_bytes()
        for path in options.new:
            shared, total = overlap(old, path.read_bytes())
            print(f"{path}: {shared:,} of {total:,} bytes are in {options.old}")
    except OSError as error:
        parser.error(str(error))
