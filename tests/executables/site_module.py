# run:
"""`site`, which is imported at start, and what it puts in place."""

import contextlib
import inspect
import io
import os
import runpy
import site
import subprocess
import sys
import tempfile

print(site.__name__, site.__spec__.name, site.__file__.split("/")[-1], "site" in sys.modules)
print(hasattr(sys, "__interactivehook__"), callable(site.addsitedir), site.getuserbase() != "")
print(inspect.getdoc(site).splitlines()[0], inspect.signature(site.addsitedir))
print(repr(exit), repr(credits)[:10])
known = set(site.removeduppaths())
site.addsitedir("/no-such-folder", known)
print("/no-such-folder" in sys.path)
output = io.StringIO()
with contextlib.redirect_stdout(output):
    try:
        sys.argv[1:] = ["--user-base"]
        runpy.run_module("site", run_name="__main__", alter_sys=True)
    except SystemExit as error:
        print(error.code)
print(output.getvalue().splitlines()[0] == site.getuserbase())

with tempfile.TemporaryDirectory() as home:
    # The hook of interactive interpreters is called by one alone.
    interactive = subprocess.run(
        [sys.executable, "-q", "-i"],
        input="1 + 1\n",
        capture_output=True,
        text=True,
        env={**os.environ, "EKIBEN_PYTHON": sys.executable, "HOME": home},
    )
    print(interactive.stdout, "Failed" in interactive.stderr)
