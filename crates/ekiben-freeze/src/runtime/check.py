"""Imports modules and says which can't be; run by every interpreter of a runtime.

Reads a JSON object from stdin: `modules`, the names to import; `elsewhere`, modules that exist on
other systems or were left out: a module may fail for want of one. The last line on stdout is a JSON
object of names and what was wrong with them, with how many were imported in all.
"""

import importlib
import json
import os
import sys
import warnings

warnings.simplefilter("ignore")
task = json.load(sys.stdin)
elsewhere = frozenset(task["elsewhere"])
answer = os.fdopen(os.dup(1), "w")
# What modules print goes nowhere.
nowhere = os.open(os.devnull, os.O_WRONLY)
os.dup2(nowhere, 1)
failed = {}
imported = 0
for name in task["modules"]:
    try:
        importlib.import_module(name)
        imported += 1
    except ImportError as error:
        if error.name not in elsewhere:
            failed[name] = repr(error)
    except Exception as error:
        failed[name] = repr(error)
json.dump({"failed": failed, "imported": imported, "version": sys.version.split()[0]}, answer)
answer.write("\n")
answer.close()
# No module's work at exit has a part in this.
os._exit(0)
