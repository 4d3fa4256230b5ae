# run:
"""Sources by the names of their files, and a second copy of the import system."""

import contextlib
import io
import json
import linecache
import sys
import warnings

print(linecache.getline(json.__file__, 1).strip(), len(linecache.getlines(json.__file__)) > 300)
print(linecache.getline(json.__file__ + "x", 1) == "")
linecache.checkcache()
print(json.__file__ in linecache.cache)
output = io.StringIO()
with contextlib.redirect_stderr(output):
    warnings.warn_explicit("text", UserWarning, json.__file__, 1)
print(output.getvalue().splitlines()[1:])

frozen = ("_frozen_importlib", "_frozen_importlib_external")
for name in [name for name in sys.modules if name.partition(".")[0] == "importlib"]:
    del sys.modules[name]
sys.modules.update(dict.fromkeys(frozen))
import importlib

print(importlib._bootstrap.__spec__.name, importlib.import_module("json") is json)
