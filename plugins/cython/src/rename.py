"""Makes a module that Cython generated ready to be linked into a program with any others.

    python -I -S rename.py NAME INPUT OUTPUT

NAME is the module's full dotted name; that of a package ends in `.__init__`. In the output

- the only global symbol is the init function, PyInit_a__b__c for a.b.c, so that modules of the same
  name in different packages are kept apart;
- the module is called by its full name even where no import machinery names it;
- a package is a package by itself: CPython's importer of built-in modules makes none.

Lines stay where they are.
"""

import io
import re
import sys

# A package needs a path, which the importer of built-in modules doesn't give it. This one is a name
# below the program's, where no file is. It is one line, so that the others stay where they are.
PACKAGE = " ".join(
    """
static int ekiben_make_package(PyObject *spec) {
    PyObject *path = PyObject_GetAttrString(spec, "submodule_search_locations");
    PyObject *program = PySys_GetObject("executable");
    PyObject *name;
    int status;
    if (!path) PyErr_Clear();
    if (path && path != Py_None) {
        Py_DECREF(path);
        return 0;
    }
    Py_XDECREF(path);
    if (program && PyUnicode_Check(program)) name = PyUnicode_FromFormat("%U/%s", program, "{folder}");
    else name = PyUnicode_FromString("{folder}");
    if (!name) return -1;
    path = PyList_New(1);
    if (!path) {
        Py_DECREF(name);
        return -1;
    }
    (void)PyList_SetItem(path, 0, name);
    status = PyObject_SetAttrString(spec, "submodule_search_locations", path);
    Py_DECREF(path);
    return status;
}
""".split()
)


def init_symbol(name):
    """The init function of a module: that of PEP 489, with the whole name in place of the last part."""
    parts = name.split(".")
    if name.isascii():
        return "PyInit_" + "__".join(parts)
    coded = (part.encode("punycode").decode().replace("-", "_") for part in parts)
    return "PyInitU_" + "__".join(coded)


def rename(text, name):
    is_package = name.endswith(".__init__")
    if is_package:
        name = name[: -len(".__init__")]
    found = re.search(r"^__Pyx_PyMODINIT_FUNC (PyInitU?_\w+)\(void\) CYTHON_SMALL_CODE;", text, re.M)
    if not found:
        raise ValueError("it has no init function")

    def replace(pattern, by):
        nonlocal text
        text, count = re.subn(pattern, by, text, flags=re.M)
        if not count:
            raise ValueError("there is no `%s` in it" % pattern)

    # A second init function of packages, for compilers of Windows that want it. It is the only name
    # that holds another's, so it goes first.
    text = re.sub(r"^__Pyx_PyMODINIT_FUNC PyInit___init__\(void\) \{.*\}$", "", text, flags=re.M)
    replace(r"\b%s\b" % found.group(1), init_symbol(name))
    # The flag of `cython --embed`.
    replace(r"^extern int __pyx_module_is_main_\w+;$", "")
    replace(r"^int (?=__pyx_module_is_main_\w+ = 0;$)", "static int ")
    replace(r'^( *PyModuleDef_HEAD_INIT,\r?\n *)"[^"]*"', lambda m: '%s"%s"' % (m.group(1), escape(name)))
    if is_package:
        create = r"^static CYTHON_SMALL_CODE PyObject\* __pyx_pymod_create\(PyObject \*spec, [^{;]*\{$"
        check = PACKAGE.replace("{folder}", escape(name.replace(".", "/")))
        replace(
            create,
            lambda m: "%s %s if (ekiben_make_package(spec) < 0) return NULL;" % (check, m.group(0)),
        )
    return text


def escape(name):
    """The content of a C string."""
    return "".join(chr(c) if c < 128 else "\\%03o" % c for c in name.encode("utf-8"))


def main(name, source, target):
    with io.open(source, encoding="utf-8", newline="") as file:
        text = file.read()
    try:
        text = rename(text, name)
    except ValueError as error:
        return "%s isn't a module as Cython writes it: %s" % (source, error)
    with io.open(target, "w", encoding="utf-8", newline="") as file:
        file.write(text)
    return None


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
