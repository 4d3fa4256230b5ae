/* orbits._dates: `days_since_2000(year, month, day)`, in the Gregorian calendar. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* Days from noon of 1 January 2000 to noon of a day, counted from a March of year 0. */
static long days_since_2000(long year, long month, long day)
{
    const long shifted = (month + 9) % 12;
    year -= shifted / 10;
    const long days = 365 * year + year / 4 - year / 100 + year / 400 + (shifted * 306 + 5) / 10;
    return days + day - 1 - 730425;
}

static PyObject *days_since_2000_(PyObject *module, PyObject *arguments)
{
    (void)module;
    long year, month, day;
    if (!PyArg_ParseTuple(arguments, "lll:days_since_2000", &year, &month, &day)) {
        return NULL;
    }
    return PyLong_FromLong(days_since_2000(year, month, day));
}

static PyMethodDef methods[] = {
    {"days_since_2000", days_since_2000_, METH_VARARGS,
     "days_since_2000(year, month, day)\n--\n\nThe days from 1 January 2000 to a day."},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot slots[] = {{0, NULL}};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "orbits._dates",
    .m_methods = methods,
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit__dates(void)
{
    return PyModuleDef_Init(&definition);
}
