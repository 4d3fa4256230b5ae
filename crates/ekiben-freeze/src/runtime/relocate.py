"""Prints `_sysconfigdata` so that its paths follow the place of the interpreter.

Arguments: the file that the build wrote, the build folder's path, what to write for it, and the
prefix that the build was told.
"""

import pprint
import sys

path, build, instead, prefix = sys.argv[1:]
namespace = {}
with open(path, encoding="utf-8") as file:
    exec(file.read(), namespace)
found = namespace["build_time_vars"]
settings = {
    key: value.replace(build, instead) if isinstance(value, str) else value
    for key, value in found.items()
}
print("# system configuration, whose paths follow the place of the interpreter")
print("import sys")
print("build_time_vars =", pprint.pformat(settings, width=100))
print("for _key, _value in build_time_vars.items():")
print("    if isinstance(_value, str):")
print(f"        build_time_vars[_key] = _value.replace({prefix!r}, sys.base_prefix)")
print("del _key, _value")
