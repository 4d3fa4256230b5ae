/* A module of no package. */
#include <Python.h>

static PyModuleDef_Slot slots[] = {{0, NULL}};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "solo",
    .m_doc = "Alone.",
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit_solo(void)
{
    return PyModuleDef_Init(&definition);
}
