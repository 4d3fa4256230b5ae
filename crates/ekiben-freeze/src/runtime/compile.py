"""Compiles modules; run by a runtime's own interpreter.

Reads a JSON list from stdin, of objects: `source` and `output` are paths, and `name` is what tracebacks
call the file. Each output is a `.pyc` that isn't checked against its source. No order of sets and no time
gets in, so the same list gives the same bytes.
"""

import json
import marshal
import sys
from importlib.util import MAGIC_NUMBER, source_hash

# Based on a hash, not to be checked.
FLAGS = (0b01).to_bytes(4, "little")

for unit in json.load(sys.stdin):
    with open(unit["source"], "rb") as file:
        source = file.read()
    code = compile(source, unit["name"], "exec", dont_inherit=True, optimize=0)
    with open(unit["output"], "wb") as file:
        file.write(MAGIC_NUMBER + FLAGS + source_hash(source) + marshal.dumps(code))
