import _cffi_backend
import cffi

ffi = cffi.FFI()
ffi.cdef("typedef struct { int x; double y; } point; int add(int, int);")
p = ffi.new("point *", {"x": 3, "y": 4.5})
print(p.x + p.y, ffi.sizeof("point"), _cffi_backend.__version__ == cffi.__version__)
call = ffi.callback("int(int, int)", lambda a, b: a + b)
print(call(20, 22), ffi.string(ffi.new("char[]", b"text")))
print(bytes(ffi.buffer(ffi.new("int[]", [1, 2]))))
