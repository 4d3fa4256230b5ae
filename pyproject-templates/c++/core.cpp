#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <numeric>
#include <vector>

static PyObject *mean(PyObject *, PyObject *values) {
    PyObject *items = PySequence_Fast(values, "mean() takes a sequence of numbers");
    if (items == nullptr) {
        return nullptr;
    }
    std::vector<double> numbers;
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(items); i++) {
        double value = PyFloat_AsDouble(PySequence_Fast_GET_ITEM(items, i));
        if (value == -1.0 && PyErr_Occurred()) {
            Py_DECREF(items);
            return nullptr;
        }
        numbers.push_back(value);
    }
    Py_DECREF(items);
    if (numbers.empty()) {
        PyErr_SetString(PyExc_ValueError, "mean() of no values");
        return nullptr;
    }
    double sum = std::accumulate(numbers.begin(), numbers.end(), 0.0);
    return PyFloat_FromDouble(sum / static_cast<double>(numbers.size()));
}

static PyMethodDef methods[] = {
    {"mean", mean, METH_O, "mean(values, /)\n--\n\nThe arithmetic mean of numbers."},
    {nullptr, nullptr, 0, nullptr},
};

static PyModuleDef module = {
    PyModuleDef_HEAD_INIT, "_core", nullptr, 0, methods, nullptr, nullptr, nullptr, nullptr,
};

PyMODINIT_FUNC PyInit__core() { return PyModuleDef_Init(&module); }
