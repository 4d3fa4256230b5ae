# run:
"""Files below a module's folder that aren't there, and those that can only be read as resources."""

import json
import os
import pathlib
import traceback

FOLDER = os.path.dirname(json.__file__)
IS_PROGRAM = not os.path.exists(FOLDER)


def told(call, *arguments):
    try:
        call(*arguments)
    except FileNotFoundError as error:
        return traceback.format_exception(error)
    return []


missing = os.path.join(FOLDER, "no-such", "file.txt")
for call in (open, os.open, os.stat, os.lstat, os.listdir, os.scandir):
    arguments = (missing, os.O_RDONLY) if call is os.open else (missing,)
    lines = told(call, *arguments)
    print(call.__name__, "FileNotFoundError" in "".join(lines), IS_PROGRAM == ("program" in lines[-1]))
print(told(open, os.fsencode(missing))[-1] == told(open, missing)[-1] or not IS_PROGRAM)
print(IS_PROGRAM == ("no such file" in told(pathlib.Path(missing).read_text)[-1]))
for there in ("tool.py", "../json/tool.py", "."):
    lines = told(open, os.path.join(FOLDER, there)) if there != "." else told(os.listdir, FOLDER)
    print(there, IS_PROGRAM == ("importlib.resources" in "".join(lines)))
print(told(open, "/no-such-folder/file")[-1].strip())
try:
    open(os.path.join(os.devnull, "file"))
except NotADirectoryError:
    print("not a folder")
