"""`python -m ekiben`: the `ekiben` program."""

import os
import sys

from ekiben import _find_program


def main() -> None:
    arguments = [_find_program(), *sys.argv[1:]]
    if os.name == "nt":
        # Windows has no exec: os.execv would return to the shell at once.
        import subprocess

        raise SystemExit(subprocess.call(arguments))
    sys.stdout.flush()
    os.execv(arguments[0], arguments)


if __name__ == "__main__":
    main()
