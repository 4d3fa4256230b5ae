/* One phase: it names itself shortly, has a static type, and a helper of a name that others have too. */
#include <Python.h>

int helper(void);

int
helper(void)
{
    return 1;
}

static PyTypeObject thing = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "spam._single.Thing",
    .tp_basicsize = sizeof(PyObject),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_new = PyType_GenericNew,
};
static PyModuleDef definition = {PyModuleDef_HEAD_INIT, "_single", "Single.", -1, NULL};

PyMODINIT_FUNC
PyInit__single(void)
{
    PyObject *module = PyType_Ready(&thing) < 0 ? NULL : PyModule_Create(&definition);
    if (module == NULL || PyModule_AddObjectRef(module, "Thing", (PyObject *)&thing) < 0 ||
        PyModule_AddIntConstant(module, "HELPER", helper()) < 0)
    {
        return NULL;
    }
    return module;
}
