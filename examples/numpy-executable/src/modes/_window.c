/* Tapers arrays in place, by NumPy's C API. */
#define NPY_NO_DEPRECATED_API NPY_2_0_API_VERSION
#include <Python.h>

#include <math.h>
#include <numpy/arrayobject.h>

static PyObject *taper(PyObject *module, PyObject *argument)
{
    (void)module;
    PyArrayObject *array = (PyArrayObject *)PyArray_FROMANY(
        argument, NPY_DOUBLE, 1, 1, NPY_ARRAY_CARRAY | NPY_ARRAY_WRITEBACKIFCOPY);
    if (array == NULL)
        return NULL;
    double *values = PyArray_DATA(array);
    npy_intp length = PyArray_DIM(array, 0);
    for (npy_intp at = 0; at < length && length > 1; at++)
        values[at] *= 0.5 - 0.5 * cos(2.0 * M_PI * (double)at / (double)(length - 1));
    PyArray_ResolveWritebackIfCopy(array);
    Py_DECREF(array);
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
    {"taper", taper, METH_O, "Multiplies an array of floats by a Hann window."},
    {NULL, NULL, 0, NULL},
};

static int execute(PyObject *module)
{
    (void)module;
    return PyArray_ImportNumPyAPI();
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, execute},
    {0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "modes._window", NULL, 0, methods, slots, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__window(void)
{
    return PyModuleDef_Init(&definition);
}
