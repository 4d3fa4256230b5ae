"""The programs `heft` and `lapse`."""

import argparse
import sys
from datetime import timedelta
from importlib import resources

import humanize

from measures import __version__


def _arguments(description, what):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    parser.add_argument("number", type=float, nargs="*", help=what)
    return parser.parse_args().number


def heft():
    """Prints numbers of bytes; without any, the units that there are."""
    for number in (numbers := _arguments("Says sizes as people do", "bytes")):
        print(humanize.naturalsize(number))
    if not numbers:
        sys.stdout.write(resources.files("measures").joinpath("units.txt").read_text())


def lapse():
    """Prints spans of time."""
    for number in (numbers := _arguments("Says spans of time as people do", "seconds")):
        print(humanize.precisedelta(timedelta(seconds=number)))
    return 0 if numbers else "lapse: give numbers of seconds"
