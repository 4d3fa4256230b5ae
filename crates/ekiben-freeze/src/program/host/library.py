"""The standard library of the interpreter that runs this, for an image.

`python library.py REQUEST RESULT CONTENT`. The request and the result are JSON; CONTENT gets bytes, of
which the result says where they begin and end.
"""

import importlib.machinery
import json
import marshal
import os
import sys
import sysconfig
import warnings

# As in runtimes: they need files of their own, or nobody needs them in a program.
_LEFT_OUT = frozenset(
    "ensurepip idlelib lib2to3 sitecustomize test tkinter turtle turtledemo usercustomize "
    "dist-packages site-packages __pycache__ lib-dynload".split()
)
# Besides what is under the GPL or the AGPL, which would bind whoever passes a program on.
_MODULES_LEFT_OUT = frozenset("_dbm _gdbm _tkinter nis xxlimited xxlimited_35 xxsubtype".split())
_SUFFIXES = importlib.machinery.EXTENSION_SUFFIXES


def main():
    request_file, result_file, content_file = sys.argv[1:]
    warnings.simplefilter("ignore")
    with open(request_file, encoding="utf-8") as file:
        request = json.load(file)
    with open(content_file, "wb") as content:
        result = Library(request, content).described()
    with open(result_file, "w", encoding="utf-8") as file:
        json.dump(result, file)


class Library:
    def __init__(self, request, content):
        self._prefix = request["prefix"]
        self._parts = request["parts"]
        # What is changed of a file's text, by the file's name.
        self._changes = {change["file"]: change for change in request["changes"]}
        self._content = content
        self._at = 0
        self._modules = []
        self._extensions = []
        self._files = []
        self._inputs = []
        self._folders = []

    def described(self):
        folder = os.path.dirname(os.path.abspath(os.__file__))
        for name, text in sorted(self._parts.items()):
            self._module(name.removesuffix(".py"), name, text.encode(), text.encode())
        self._folder(folder, "")
        dynload = sysconfig.get_config_var("DESTSHARED") or os.path.join(folder, "lib-dynload")
        self._dynload(dynload)
        return {
            "executable": os.path.realpath(sys.executable),
            "version": "%d.%d.%d" % sys.version_info[:3],
            "odd": sorted(name for name in ("Py_DEBUG", "Py_GIL_DISABLED", "Py_STATS") if sysconfig.get_config_var(name)),
            "builtins": sorted(set(sys.builtin_module_names) - _MODULES_LEFT_OUT),
            "modules": self._modules,
            "extensions": self._extensions,
            "files": self._files,
            "inputs": self._inputs,
            "folders": self._folders,
        }

    def _folder(self, folder, inner):
        self._folders.append(folder)
        with os.scandir(folder) as entries:
            entries = sorted(entries, key=lambda entry: entry.name)
        for entry in entries:
            name = inner + entry.name
            top = name.partition("/")[0]
            if entry.name in ("test", "tests", "__pycache__") or top.partition(".")[0] in _LEFT_OUT:
                continue
            if top.startswith("config-") or entry.name.endswith((".pyc", ".so", ".a")):
                continue
            if entry.is_dir():
                self._folder(entry.path, name + "/")
                continue
            self._inputs.append(entry.path)
            if not entry.name.endswith(".py"):
                self._files.append({"path": name, "file": entry.path})
                continue
            module = name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
            if name not in self._parts:
                with open(entry.path, "rb") as file:
                    source = file.read()
                self._module(module, name, source, self._changed(name, source))

    def _changed(self, name, source):
        if name not in self._changes:
            return source
        change = self._changes[name]
        part, instead = change["part"].encode(), change["instead"].encode()
        if source.count(part) != 1 and (source.count(part) > 1 or change["always"]):
            raise SystemExit(f"{name} doesn't have once what is to be changed: {change['part']}")
        return source.replace(part, instead)

    def _module(self, module, name, source, compiled):
        path = f"{self._prefix}/{name}"
        try:
            code = compile(compiled, path, "exec", dont_inherit=True, optimize=0)
        except (SyntaxError, ValueError):
            # Templates, and examples of what can't be compiled.
            return
        is_package = name.endswith("/__init__.py")
        self._modules.append(
            {
                "name": module,
                "path": path,
                "package": is_package,
                "code": self._add(marshal.dumps(code)),
                "source": self._add(source),
            }
        )

    def _dynload(self, folder):
        if not os.path.isdir(folder):
            return
        self._folders.append(folder)
        for name in sorted(os.listdir(folder)):
            suffix = next((it for it in _SUFFIXES if name.endswith(it)), None)
            module = name.removesuffix(suffix) if suffix is not None else None
            if module is None or module in _MODULES_LEFT_OUT or module.startswith(("_test", "_ctypes_test", "_xxtest")):
                continue
            # One folder is enough in a program.
            self._extensions.append({"name": module, "path": f"{self._prefix}/{name}", "file": os.path.join(folder, name)})

    def _add(self, content):
        self._content.write(content)
        self._at += len(content)
        return [self._at - len(content), self._at]


if __name__ == "__main__":
    main()
