#define PY_SSIZE_T_CLEAN
#include <Python.h>

static PyObject *mean(PyObject *Py_UNUSED(module), PyObject *values) {
    PyObject *items = PySequence_Fast(values, "mean() takes a sequence of numbers");
    if (items == NULL) {
        return NULL;
    }
    Py_ssize_t count = PySequence_Fast_GET_SIZE(items);
    double sum = 0.0;
    for (Py_ssize_t i = 0; i < count; i++) {
        double value = PyFloat_AsDouble(PySequence_Fast_GET_ITEM(items, i));
        if (value == -1.0 && PyErr_Occurred()) {
            Py_DECREF(items);
            return NULL;
        }
        sum += value;
    }
    Py_DECREF(items);
    if (count == 0) {
        PyErr_SetString(PyExc_ValueError, "mean() of no values");
        return NULL;
    }
    return PyFloat_FromDouble(sum / (double)count);
}

static PyMethodDef methods[] = {
    {"mean", mean, METH_O, "mean(values, /)\n--\n\nThe arithmetic mean of numbers."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT, "_core", NULL, 0, methods, NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__core(void) { return PyModuleDef_Init(&module); }
