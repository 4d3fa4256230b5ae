"""`find_packages()` and its like, as setuptools has them."""

import fnmatch
import os


def _packages(where, namespaces):
    for folder, folders, files in os.walk(where, followlinks=True):
        kept = []
        for name in sorted(folders):
            path = os.path.join(folder, name)
            if "." in name or not (namespaces or os.path.isfile(os.path.join(path, "__init__.py"))):
                continue
            kept.append(name)
            yield os.path.relpath(path, where).replace(os.sep, ".")
        folders[:] = kept


def _find(where, exclude, include, namespaces):
    def matches(name, patterns):
        return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)

    return [name for name in _packages(os.fspath(where), namespaces)
            if matches(name, include) and not matches(name, exclude)]


def find_packages(where=".", exclude=(), include=("*",)):
    return _find(where, exclude, include, False)


def find_namespace_packages(where=".", exclude=(), include=("*",)):
    return _find(where, exclude, include, True)


find_packages.find = find_packages
