// spectra._peaks: `find(power, least)`, the local maxima of a spectrum, strongest first.
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <exception>
#include <vector>

namespace {

struct Peak {
    double position;
    double height;
};

// A maximum lies between bins: a parabola through the logarithms of three of them finds it, nearly
// exactly for a Hann window.
Peak refine(const std::vector<double> &power, std::size_t at)
{
    const double before = std::log(power[at - 1] + 1e-300);
    const double top = std::log(power[at] + 1e-300);
    const double after = std::log(power[at + 1] + 1e-300);
    const double curvature = before - 2 * top + after;
    const double offset = curvature < 0 ? 0.5 * (before - after) / curvature : 0;
    return {static_cast<double>(at) + offset, std::exp(top - 0.25 * (before - after) * offset)};
}

std::vector<Peak> find_peaks(const std::vector<double> &power, double least)
{
    std::vector<Peak> peaks;
    for (std::size_t i = 1; i + 1 < power.size(); i++) {
        if (power[i] >= least && power[i] > power[i - 1] && power[i] >= power[i + 1]) {
            peaks.push_back(refine(power, i));
        }
    }
    std::stable_sort(peaks.begin(), peaks.end(),
                     [](const Peak &a, const Peak &b) { return a.height > b.height; });
    return peaks;
}

PyObject *to_list(const std::vector<Peak> &peaks)
{
    PyObject *list = PyList_New(static_cast<Py_ssize_t>(peaks.size()));
    for (std::size_t i = 0; list != nullptr && i < peaks.size(); i++) {
        PyObject *pair = Py_BuildValue("(dd)", peaks[i].position, peaks[i].height);
        if (pair == nullptr) {
            Py_CLEAR(list);
        } else {
            PyList_SET_ITEM(list, static_cast<Py_ssize_t>(i), pair);
        }
    }
    return list;
}

PyObject *find(PyObject *, PyObject *arguments)
{
    Py_buffer view;
    double least;
    if (!PyArg_ParseTuple(arguments, "y*d:find", &view, &least)) {
        return nullptr;
    }
    PyObject *result = nullptr;
    try {
        std::vector<double> power(static_cast<std::size_t>(view.len) / sizeof(double));
        std::memcpy(power.data(), view.buf, power.size() * sizeof(double));
        result = to_list(find_peaks(power, least));
    } catch (const std::exception &error) {
        PyErr_SetString(PyExc_RuntimeError, error.what());
    }
    PyBuffer_Release(&view);
    return result;
}

PyMethodDef methods[] = {
    {"find", find, METH_VARARGS,
     "find(power, least)\n--\n\nPairs of a position, in bins, and a power of at least `least`."},
    {nullptr, nullptr, 0, nullptr},
};

PyModuleDef_Slot slots[] = {{0, nullptr}};

PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "spectra._peaks", nullptr, 0, methods, slots, nullptr, nullptr, nullptr,
};

}  // namespace

PyMODINIT_FUNC PyInit__peaks()
{
    return PyModuleDef_Init(&definition);
}
