# run:
"""Functions by name, of the interpreter and of the C library."""

import ctypes
import os
import threading
import time

program, c, m = ctypes.CDLL(None), ctypes.CDLL("libc.so.6"), ctypes.CDLL("libm.so.6")
print(program.getpid() == os.getpid(), c.strlen(b"four"), c.abs(-3))
m.cos.restype = ctypes.c_double
m.cos.argtypes = [ctypes.c_double]
print(m.cos(0.0), ctypes.c_int.in_dll(ctypes.pythonapi, "Py_OptimizeFlag").value)
for library in program, ctypes.pythonapi:
    try:
        library.no_such_function
    except AttributeError as error:
        print(str(error).endswith("undefined symbol: no_such_function"), str(error).count("no_such_function"))
try:
    ctypes.CDLL("no-such-library.so")
except OSError as error:
    print(str(error).startswith("no-such-library.so: "))

compare = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int))
numbers = (ctypes.c_int * 4)(3, 1, 4, 1)
c.qsort(numbers, 4, ctypes.sizeof(ctypes.c_int), compare(lambda a, b: a[0] - b[0]))
print(list(numbers))

api = ctypes.pythonapi
api.PyUnicode_FromString.restype = ctypes.py_object
print(api.PyUnicode_FromString(b"made in C"), bool(api.Py_IsInitialized()))
api.PyErr_SetString.argtypes = [ctypes.py_object, ctypes.c_char_p]
try:
    api.PyErr_SetString(KeyError, b"raised in C")
except KeyError as error:
    print(error)


def wait():
    try:
        while True:
            time.sleep(0.001)
    except InterruptedError:
        print("interrupted")


thread = threading.Thread(target=wait)
thread.start()
api.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(InterruptedError))
thread.join()
