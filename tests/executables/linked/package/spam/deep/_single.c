/* As its namesake of the package around, with another helper. */
#include <Python.h>

int helper(void);

int
helper(void)
{
    return 2;
}

static PyModuleDef definition = {PyModuleDef_HEAD_INIT, "_single", "Deep single.", 0, NULL};

PyMODINIT_FUNC
PyInit__single(void)
{
    PyObject *module = PyModule_Create(&definition);
    if (module == NULL || PyModule_AddIntConstant(module, "HELPER", helper()) < 0) {
        return NULL;
    }
    return module;
}
