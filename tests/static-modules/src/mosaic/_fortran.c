#include <Python.h>

extern double norm(int n, const double *values);

static PyObject *length(PyObject *module, PyObject *values)
{
    (void)module;
    double pair[2];
    if (!PyArg_ParseTuple(values, "dd", &pair[0], &pair[1])) {
        return NULL;
    }
    return PyFloat_FromDouble(norm(2, pair));
}

static PyMethodDef methods[] = {
    {"length", length, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot slots[] = {{0, NULL}};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_fortran",
    .m_methods = methods,
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit__fortran(void)
{
    return PyModuleDef_Init(&definition);
}
