cdef class Base:
    cdef public int given

cdef int twice(int x) except -1
