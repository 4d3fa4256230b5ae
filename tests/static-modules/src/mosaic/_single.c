/* Single-phase, with a short name of its own. */
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

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_single",
    .m_size = -1,
    .m_methods = methods,
};

PyMODINIT_FUNC PyInit__single(void)
{
    return PyModule_Create(&definition);
}
