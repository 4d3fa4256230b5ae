/* Multi-phase (PEP 489), with a class that is pickled. */
#include <Python.h>

extern int count(void);

static PyObject *next(PyObject *module, PyObject *ignored)
{
    (void)module;
    (void)ignored;
    return PyLong_FromLong(count());
}

static PyMethodDef methods[] = {
    {"next", next, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot type_slots[] = {{0, NULL}};

static PyType_Spec type_spec = {
    .name = "mosaic._multi.Thing",
    .basicsize = sizeof(PyObject),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .slots = type_slots,
};

static int execute(PyObject *module)
{
    PyObject *type = PyType_FromSpec(&type_spec);
    int status = type == NULL ? -1 : PyModule_AddObjectRef(module, "Thing", type);
    Py_XDECREF(type);
    return status;
}

static PyModuleDef_Slot slots[] = {{Py_mod_exec, execute}, {0, NULL}};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_multi",
    .m_methods = methods,
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit__multi(void)
{
    return PyModuleDef_Init(&definition);
}
