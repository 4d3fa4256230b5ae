import bezier
import numpy as np
from bezier import _speedup

curve = bezier.Curve(np.asfortranarray([[0.0, 0.5, 1.0], [0.0, 1.0, 0.0]]), degree=2)
other = bezier.Curve(np.asfortranarray([[0.0, 1.0], [0.25, 0.5]]), degree=1)
print(curve.evaluate(0.5).ravel(), curve.length.__class__.__name__, curve.intersect(other).shape)
