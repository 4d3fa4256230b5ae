# run:
"""The standard library: that its modules are there and work."""

import ctypes
import importlib.metadata
import importlib.resources
import importlib.util
import inspect
import json
import linecache
import pkgutil
import sqlite3
import ssl
import sys
import traceback
import zlib

print(sorted(name for _, name, _ in pkgutil.iter_modules(json.__path__)))
print(inspect.getsource(json.dumps).splitlines()[0])
print(inspect.getsource(pkgutil.walk_packages).splitlines()[0])
print(linecache.getline(json.__file__, 1).strip())
print(json.__spec__.name, json.__spec__.parent, json.__file__.split("/")[-3:], bool(json.__cached__))
print(importlib.util.find_spec("json.decoder").origin.split("/")[-2:])
print(importlib.util.find_spec("json.nothing"), importlib.util.find_spec("nothing"))
print(pkgutil.get_data("json", "decoder.py").splitlines()[0])
files = importlib.resources.files("json")
print(files.joinpath("decoder.py").is_file(), files.is_dir(), (files / "nothing").exists())
print(sorted(entry.name for entry in files.iterdir() if entry.name.endswith(".py")))
with importlib.resources.as_file(files / "tool.py") as path:
    print(path.read_text().splitlines()[0] == (files / "tool.py").read_text().splitlines()[0])
print(sqlite3.connect(":memory:").execute("select 6 * 7").fetchone())
print(ssl.create_default_context().verify_mode, zlib.decompress(zlib.compress(b"abc")))

import bz2, curses, decimal, hashlib, lzma, unicodedata, uuid, xml.etree.ElementTree, zoneinfo

print(bz2.decompress(bz2.compress(b"x")), lzma.decompress(lzma.compress(b"y")))
print(decimal.Decimal(1) / 3, hashlib.sha3_256(b"x").hexdigest()[:8], unicodedata.name("é"))
print(ctypes.sizeof(ctypes.c_long), ctypes.string_at(ctypes.create_string_buffer(b"z")))
print(xml.etree.ElementTree.fromstring("<a b='1'/>").get("b"), "é".encode("idna"))
print(exit, type(help).__name__ != "", callable(license))
try:
    importlib.metadata.version("nothing")
except importlib.metadata.PackageNotFoundError as error:
    print(error)
try:
    import nothing.at.all
except ModuleNotFoundError as error:
    print(error, error.name)


def broken():
    raise ValueError("here")


try:
    broken()
except ValueError:
    print(traceback.format_exc().splitlines()[-1], "raise ValueError" in traceback.format_exc())
print(__name__, __spec__.name, sys.modules["__main__"].__doc__)
