import contourpy
import numpy as np

x, y = np.meshgrid(np.linspace(-1, 1, 20), np.linspace(-1, 1, 20))
lines = contourpy.contour_generator(x, y, x * x + y * y).lines(0.5)
print(len(lines), lines[0].shape, contourpy.__version__)
try:
    contourpy.contour_generator(x, y[:3], x)
except TypeError as error:
    print(error)
