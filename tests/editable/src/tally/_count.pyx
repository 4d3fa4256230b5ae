cdef extern from "scale.h":
    int scale(int value)


def count():
    return scale(2) + 1
