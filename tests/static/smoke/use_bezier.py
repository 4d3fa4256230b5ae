import bezier
import bezier._curve_helpers
import bezier._speedup
import numpy as np

assert bezier._curve_helpers.evaluate_multi is bezier._speedup.evaluate_multi
one = bezier.Curve(np.asfortranarray([[0.0, 0.5, 1.0], [0.0, 1.0, 0.0]]), degree=2)
other = bezier.Curve(np.asfortranarray([[0.0, 0.25, 0.5, 0.75, 1.0], [0.0, 2.0, -2.0, 2.0, 0.0]]), degree=4)
print(one.intersect(other).round(9), one.length.__round__(9), other.evaluate(0.25).T.round(9))
triangle = bezier.Triangle(np.asfortranarray([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]), degree=1)
print(triangle.area, triangle.evaluate_barycentric(0.5, 0.25, 0.25).T)
try:
    bezier._speedup.evaluate_multi(np.zeros((2, 3)), np.zeros((2, 2)))
except Exception as error:
    print(type(error).__name__)
