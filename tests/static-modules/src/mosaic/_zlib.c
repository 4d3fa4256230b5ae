#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <zlib.h>

static PyObject *checksum(PyObject *module, PyObject *data)
{
    (void)module;
    char *bytes;
    Py_ssize_t length;
    if (PyBytes_AsStringAndSize(data, &bytes, &length) != 0) {
        return NULL;
    }
    uLong sum = adler32(adler32(0, Z_NULL, 0), (const Bytef *)bytes, (uInt)length);
    return PyLong_FromUnsignedLong(sum);
}

static PyMethodDef methods[] = {
    {"checksum", checksum, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot slots[] = {{0, NULL}};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_zlib",
    .m_methods = methods,
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit__zlib(void)
{
    return PyModuleDef_Init(&definition);
}
