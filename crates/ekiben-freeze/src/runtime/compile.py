"""Compiles modules; run by a runtime's own interpreter.

Reads a JSON list from stdin, of objects: `source` and `output` are paths, `name` is what tracebacks
call the file, and `without_last` says that its last statement is to be left away, which starts what
the module does by itself. Each output is a `.pyc` that isn't checked against its source. No order of
sets and no time gets in, so the same list gives the same bytes.
"""

import ast
import json
import marshal
import sys
from importlib.util import MAGIC_NUMBER, source_hash

# Based on a hash, not to be checked.
FLAGS = (0b01).to_bytes(4, "little")

for unit in json.load(sys.stdin):
    with open(unit["source"], "rb") as file:
        source = file.read()
    tree = source
    if unit["without_last"]:
        tree = ast.parse(source, unit["name"])
        last = tree.body.pop()
        if ast.unparse(last) != unit["without_last"]:
            sys.exit(f"{unit['name']} ends with {ast.unparse(last)!r}")
    code = compile(tree, unit["name"], "exec", dont_inherit=True, optimize=0)
    with open(unit["output"], "wb") as file:
        file.write(MAGIC_NUMBER + FLAGS + source_hash(source) + marshal.dumps(code))
