/* waves._string: `advance(now, before, courant, steps)`, in place on two buffers of doubles. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* string_motion.f90 */
void advance_string(int count, double *now, double *before, double courant, int steps);

static PyObject *advance(PyObject *module, PyObject *arguments)
{
    (void)module;
    Py_buffer now, before;
    double courant;
    int steps;
    if (!PyArg_ParseTuple(arguments, "w*w*di:advance", &now, &before, &courant, &steps)) {
        return NULL;
    }
    const Py_ssize_t count = now.len / (Py_ssize_t)sizeof(double);
    PyObject *result = NULL;
    if (count < 3 || count > 1000000 || now.len != before.len) {
        PyErr_SetString(PyExc_ValueError, "two states of 3 to 1,000,000 points are needed");
    } else if (!(courant > 0 && courant <= 1)) {
        PyErr_SetString(PyExc_ValueError, "courant must be above 0 and at most 1");
    } else {
        Py_BEGIN_ALLOW_THREADS
        advance_string((int)count, now.buf, before.buf, courant, steps);
        Py_END_ALLOW_THREADS
        Py_INCREF(Py_None);
        result = Py_None;
    }
    PyBuffer_Release(&now);
    PyBuffer_Release(&before);
    return result;
}

static PyMethodDef methods[] = {
    {"advance", advance, METH_VARARGS,
     "advance(now, before, courant, steps)\n--\n\nMove the string by `steps` steps, in place."},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot slots[] = {{0, NULL}};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "waves._string",
    .m_methods = methods,
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit__string(void)
{
    return PyModuleDef_Init(&definition);
}
