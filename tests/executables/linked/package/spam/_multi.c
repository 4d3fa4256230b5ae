/* Multi-phase: a type on the heap, state of each interpreter's own, and an import of another. */
#include <Python.h>

typedef struct {
    PyObject *thing;
    long count;
} State;

static PyType_Slot slots_of_thing[] = {{Py_tp_doc, "A thing."}, {0, NULL}};
static PyType_Spec thing = {
    "spam._multi.Thing", sizeof(PyObject), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, slots_of_thing,
};

static PyObject *
count(PyObject *self, PyObject *nothing)
{
    State *state = PyModule_GetState(self);
    (void)nothing;
    return PyLong_FromLong(++state->count);
}

static PyObject *
helper(PyObject *self, PyObject *nothing)
{
    (void)self, (void)nothing;
    PyObject *module = PyImport_ImportModule("spam._helper");
    PyObject *value = module == NULL ? NULL : PyObject_GetAttrString(module, "VALUE");
    Py_XDECREF(module);
    return value;
}

static int
execute(PyObject *module)
{
    State *state = PyModule_GetState(module);
    state->thing = PyType_FromModuleAndSpec(module, &thing, NULL);
    state->count = 0;
    return state->thing == NULL ? -1 : PyModule_AddType(module, (PyTypeObject *)state->thing);
}

static PyMethodDef methods[] = {
    {"count", count, METH_NOARGS, NULL}, {"helper", helper, METH_NOARGS, NULL}, {NULL, NULL, 0, NULL}};
static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, (void *)execute},
#if PY_VERSION_HEX >= 0x030C0000
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
#endif
    {0, NULL},
};
static PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_multi", "Multi.", sizeof(State), methods, slots, NULL, NULL, NULL};

PyMODINIT_FUNC
PyInit__multi(void)
{
    return PyModuleDef_Init(&definition);
}
