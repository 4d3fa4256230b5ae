cimport numpy as cnp

cnp.import_array()


def mean(values, /):
    """The arithmetic mean of a one-dimensional array of numbers."""
    cdef cnp.ndarray array = cnp.PyArray_FROMANY(
        values, cnp.NPY_DOUBLE, 1, 1, cnp.NPY_ARRAY_CARRAY_RO
    )
    cdef const double[::1] items = array
    cdef double total = 0.0
    cdef Py_ssize_t i
    if items.shape[0] == 0:
        raise ValueError("mean() of no values")
    for i in range(items.shape[0]):
        total += items[i]
    return total / items.shape[0]
