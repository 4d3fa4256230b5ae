#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* In mean.f90. */
double mean_of(size_t count, const double *values);

static PyObject *mean(PyObject *Py_UNUSED(module), PyObject *values) {
    PyObject *items = PySequence_Fast(values, "mean() takes a sequence of numbers");
    if (items == NULL) {
        return NULL;
    }
    PyObject *result = NULL;
    Py_ssize_t count = PySequence_Fast_GET_SIZE(items);
    double *numbers = PyMem_New(double, count);
    if (numbers == NULL) {
        PyErr_NoMemory();
        goto done;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        numbers[i] = PyFloat_AsDouble(PySequence_Fast_GET_ITEM(items, i));
        if (numbers[i] == -1.0 && PyErr_Occurred()) {
            goto done;
        }
    }
    if (count == 0) {
        PyErr_SetString(PyExc_ValueError, "mean() of no values");
        goto done;
    }
    result = PyFloat_FromDouble(mean_of((size_t)count, numbers));
done:
    PyMem_Free(numbers);
    Py_DECREF(items);
    return result;
}

static PyMethodDef methods[] = {
    {"mean", mean, METH_O, "mean(values, /)\n--\n\nThe arithmetic mean of numbers."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT, "_core", NULL, 0, methods, NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__core(void) { return PyModuleDef_Init(&module); }
