def mean(values, /):
    """The arithmetic mean of numbers."""
    cdef double total = 0.0
    cdef double value
    cdef Py_ssize_t count = 0
    for value in values:
        total += value
        count += 1
    if count == 0:
        raise ValueError("mean() of no values")
    return total / count
