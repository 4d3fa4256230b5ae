/* Needs a library that the runtime has too. */
#include <Python.h>

#include <zlib.h>

static PyObject *
checksum(PyObject *self, PyObject *argument)
{
    char *text;
    Py_ssize_t length;
    (void)self;
    if (PyBytes_AsStringAndSize(argument, &text, &length) < 0) {
        return NULL;
    }
    return PyLong_FromUnsignedLong(crc32(0, (const unsigned char *)text, (unsigned)length));
}

static PyMethodDef methods[] = {{"checksum", checksum, METH_O, NULL}, {NULL, NULL, 0, NULL}};
static PyModuleDef definition = {PyModuleDef_HEAD_INIT, "_zlib", "zlib.", 0, methods};

PyMODINIT_FUNC
PyInit__zlib(void)
{
    return PyModule_Create(&definition);
}
