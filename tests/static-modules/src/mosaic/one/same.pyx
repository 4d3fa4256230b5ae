from mosaic.two.base cimport Base, twice

from ..two cimport base


def where():
    return __name__


cdef class Point(Base):
    cdef public int x

    def __init__(self, x):
        self.x = x

    def doubled(self):
        return twice(self.x) + base.twice(self.given)

    def __reduce__(self):
        return Point, (self.x,)


cdef int helper():
    return 1


cpdef int shared():
    return helper()


def total(double[:] values):
    cdef double sum = 0
    for value in values:
        sum += value
    return sum
