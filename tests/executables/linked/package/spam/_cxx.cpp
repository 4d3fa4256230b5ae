// C++: a constructor that runs before main, exceptions, variables of threads, and run-time types.
#include <Python.h>

#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <typeinfo>

namespace {

struct Base {
    virtual ~Base() = default;
};
struct Derived : Base {};

std::map<std::string, int> made = {{"before", 1}};
thread_local int calls = 40;

int fail(int code)
{
    if (code > 0) {
        throw std::out_of_range("code " + std::to_string(code));
    }
    return code;
}

PyObject *try_it(PyObject *, PyObject *argument)
{
    try {
        fail(static_cast<int>(PyLong_AsLong(argument)));
    } catch (const std::logic_error &error) {
        std::ostringstream text;
        Base *base = new Derived;
        text << error.what() << ' ' << made["before"] << ' ' << (dynamic_cast<Derived *>(base) != nullptr);
        delete base;
        PyErr_SetString(PyExc_ValueError, text.str().c_str());
        return nullptr;
    }
    Py_RETURN_NONE;
}

PyObject *of_thread(PyObject *, PyObject *)
{
    return PyLong_FromLong(++calls);
}

PyMethodDef methods[] = {
    {"try_it", try_it, METH_O, nullptr}, {"of_thread", of_thread, METH_NOARGS, nullptr}, {nullptr, nullptr, 0, nullptr}};
PyModuleDef_Slot slots[] = {{0, nullptr}};
PyModuleDef definition = {PyModuleDef_HEAD_INIT, "_cxx", "C++.", 0, methods, slots, nullptr, nullptr, nullptr};

} // namespace

PyMODINIT_FUNC PyInit__cxx()
{
    return PyModuleDef_Init(&definition);
}
