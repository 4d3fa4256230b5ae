"""Compiles modules; run by a runtime's own interpreter.

Reads a JSON list from stdin, of objects: `source` and `output` are paths, `name` is what tracebacks
call the file, and `instead` is a statement, by which the module starts its work by itself, with what
is to be compiled in its place. Each output is a `.pyc` that isn't checked against its source. No order of
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
    if unit["instead"]:
        statement, other = unit["instead"]
        tree = ast.parse(source, unit["name"])
        places = [at for at, it in enumerate(tree.body) if ast.unparse(it) == statement]
        if len(places) != 1:
            sys.exit(f"{unit['name']} hasn't one statement {statement!r}")
        (at,) = places
        others = ast.parse(other).body
        for it in others:
            # Where the source has what stands there.
            ast.increment_lineno(it, tree.body[at].lineno - 1)
        tree.body[at : at + 1] = others
    code = compile(tree, unit["name"], "exec", dont_inherit=True, optimize=0)
    with open(unit["output"], "wb") as file:
        file.write(MAGIC_NUMBER + FLAGS + source_hash(source) + marshal.dumps(code))
