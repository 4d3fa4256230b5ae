# run:
"""A program that starts sys.executable as an interpreter, in all the ways that others do."""

import json.tool
import os
import subprocess
import sys
import tempfile

if os.environ.get("STARTED"):
    sys.exit("this is the program again")

ASK = "import sys; print(6 * 7, sys.argv[1:], sys.flags.optimize, sys.flags.isolated)"
AGAIN = "import subprocess, sys; subprocess.run([sys.executable, '-V'], stdout=subprocess.DEVNULL)"


def run(*words):
    result = subprocess.run(
        [sys.executable, *words],
        input='{"a": 1}',
        capture_output=True,
        text=True,
        env={**os.environ, "STARTED": "1"},
    )
    complaint = result.stderr.splitlines()[-1:]
    # 3.14's argparse names a script that lies in a program as one in a zip file: behind the interpreter.
    print(result.returncode, result.stdout.split(), [line.rpartition("/")[2] for line in complaint])


run("-c", ASK)
run("-c", ASK, "-c", "--option")
run("-I", "-u", "-OO", "-X", "utf8", "-Xdev", "-W", "ignore", "-Wdefault", "-c", ASK)
run("-EsSBc", ASK)
run("-m", "json.tool", "--compact")
run("-Im", "json.tool", "--indent", "3")
run(json.tool.__file__, "--compact")
run(os.path.dirname(json.__file__) + "/tool.py", "--no-such-option")
run("-c", AGAIN + "; " + AGAIN.replace("'-V'", "'-c', 'pass'"))
run("-c", "import sys; sys.exit(3)")
with tempfile.TemporaryDirectory() as folder:
    script = os.path.join(folder, "script.py")
    with open(script, "w") as file:
        file.write("import beside\n" + ASK)
    with open(os.path.join(folder, "beside.py"), "w") as file:
        file.write("print('beside')")
    run(script, "one", "--two")
    run("-B", script)
