// Exceptions, vague linkage, a static constructor, and a variable of each thread.
#include <Python.h>

#include <map>
#include <stdexcept>
#include <string>

namespace {

std::map<std::string, int> &table()
{
    static std::map<std::string, int> entries{{"one", 1}, {"two", 2}};
    return entries;
}

struct Begun {
    Begun() { table()["begun"] = 3; }
};

const Begun begun;
thread_local int asked = 0;

int look_up(const std::string &name)
{
    ++asked;
    return table().at(name);
}

PyObject *get(PyObject *, PyObject *argument)
{
    const char *name = PyUnicode_AsUTF8(argument);
    if (name == nullptr) {
        return nullptr;
    }
    try {
        const int found = look_up(name);
        return Py_BuildValue("ii", found, asked);
    } catch (const std::out_of_range &) {
        PyErr_SetObject(PyExc_KeyError, argument);
        return nullptr;
    }
}

PyMethodDef methods[] = {
    {"get", get, METH_O, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

PyModuleDef_Slot slots[] = {{0, nullptr}};

PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_cxx", nullptr, 0, methods, slots, nullptr, nullptr, nullptr,
};

}  // namespace

PyMODINIT_FUNC PyInit__cxx(void)
{
    return PyModuleDef_Init(&definition);
}
