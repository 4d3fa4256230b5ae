/* A top-level module, in one phase, with state that a second import must not lose. */
#include <Python.h>

static int calls;

static PyObject *
count(PyObject *self, PyObject *nothing)
{
    (void)self, (void)nothing;
    return PyLong_FromLong(++calls);
}

static PyMethodDef methods[] = {{"count", count, METH_NOARGS, NULL}, {NULL, NULL, 0, NULL}};
static PyModuleDef definition = {PyModuleDef_HEAD_INIT, "_spamtop", "Top.", -1, methods};

PyMODINIT_FUNC
PyInit__spamtop(void)
{
    return PyModule_Create(&definition);
}
