# run:
"""Several interpreters in one process."""

import sys

try:
    import _interpreters
except ImportError:
    import _xxsubinterpreters as _interpreters

for _ in range(3):
    interpreter = _interpreters.create()
    _interpreters.run_string(
        interpreter,
        "import gc, json, asyncio, importlib.resources as r; "
        "print(json.dumps([1]), r.files('json').joinpath('tool.py').is_file(), gc.isenabled(), flush=True)",
    )
    _interpreters.destroy(interpreter)
kept = _interpreters.create()
_interpreters.run_string(kept, "import sys; sys.stdout.write('not flushed\\n')")
