cdef class Base:
    def __cinit__(self, *_):
        self.given = 5


cdef int twice(int x) except -1:
    if x < 0:
        raise ValueError("negative")
    return 2 * x
