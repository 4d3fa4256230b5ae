/* A package whose own module is compiled; it imports a module of its own. */
#include <Python.h>

static int
execute(PyObject *module)
{
    PyObject *inner = PyImport_ImportModule("spam.deep.inner");
    PyObject *value = inner == NULL ? NULL : PyObject_GetAttrString(inner, "VALUE");
    int result = PyModule_AddObjectRef(module, "inner_value", value);
    Py_XDECREF(value);
    Py_XDECREF(inner);
    return result;
}

static PyModuleDef_Slot slots[] = {{Py_mod_exec, (void *)execute}, {0, NULL}};
static PyModuleDef definition = {PyModuleDef_HEAD_INIT, "deep", "Deep.", 0, NULL, slots, NULL, NULL, NULL};

PyMODINIT_FUNC
PyInit_deep(void)
{
    return PyModuleDef_Init(&definition);
}
