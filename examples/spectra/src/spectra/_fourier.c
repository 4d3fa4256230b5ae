/* spectra._fourier: `power(samples)`, for any buffer of doubles. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <string.h>

#include "fft.h"

/* Takes a contiguous buffer of doubles, as array.array("d") and NumPy's arrays give it. */
static int get_doubles(PyObject *object, Py_buffer *view)
{
    if (PyObject_GetBuffer(object, view, PyBUF_CONTIG_RO | PyBUF_FORMAT) != 0) {
        return -1;
    }
    if (view->ndim != 1 || view->format == NULL || strcmp(view->format, "d") != 0) {
        PyBuffer_Release(view);
        PyErr_SetString(PyExc_TypeError, "samples must be doubles, in one dimension");
        return -1;
    }
    return 0;
}

static PyObject *power(PyObject *module, PyObject *samples)
{
    (void)module;
    Py_buffer view;
    if (get_doubles(samples, &view) != 0) {
        return NULL;
    }
    const size_t count = (size_t)view.len / sizeof(double);
    PyObject *result = NULL;
    double *scratch = NULL;
    if (!fft_is_size(count)) {
        PyErr_Format(PyExc_ValueError, "%zu samples: their number must be a power of two", count);
        goto done;
    }
    result = PyByteArray_FromStringAndSize(NULL, (Py_ssize_t)((count / 2 + 1) * sizeof(double)));
    scratch = PyMem_Malloc(2 * count * sizeof(double));
    if (result == NULL || scratch == NULL) {
        Py_CLEAR(result);
        PyErr_NoMemory();
        goto done;
    }
    double *bins = (double *)(void *)PyByteArray_AS_STRING(result);
    Py_BEGIN_ALLOW_THREADS
    fft_power(view.buf, count, scratch, bins);
    Py_END_ALLOW_THREADS

done:
    PyMem_Free(scratch);
    PyBuffer_Release(&view);
    return result;
}

static PyMethodDef methods[] = {
    {"power", power, METH_O,
     "power(samples)\n--\n\nThe power of each frequency, as the bytes of doubles."},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot slots[] = {{0, NULL}};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "spectra._fourier",
    .m_methods = methods,
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit__fourier(void)
{
    return PyModuleDef_Init(&definition);
}
