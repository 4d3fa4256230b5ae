def where():
    return __name__


cdef int helper():
    return 2


cpdef int shared():
    return helper()


def biggest(double[:] values):
    return max(values)
