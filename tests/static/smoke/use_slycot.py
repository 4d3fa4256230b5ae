import numpy as np
import slycot

a = np.array([[0.0, 1.0], [-6.0, -5.0]])
g = np.array([[0.0, 0.0], [0.0, 1.0]])
x = slycot.sb02md(2, a, g, np.eye(2), "C")[0]
residual = a.T @ x + x @ a + np.eye(2) - x @ g @ x
print(x.round(6), np.allclose(residual, 0))
try:
    slycot.sb02md(-1, a, g, np.eye(2), "C")
except Exception as error:
    # f2py's check of an argument, by an exception type that it keeps to itself.
    print(type(error).__name__, error)

# Fortran, C++ with NumPy's C API and Rust in one program.
import contourpy
from rpds import HashTrieMap

grid = np.arange(16.0).reshape(4, 4)
print(len(contourpy.contour_generator(z=grid).lines(7.5)), HashTrieMap({"a": 1})["a"])
