import io

import numpy as np
from scipy import fft, integrate, interpolate, io as files, linalg, ndimage, optimize, signal, sparse, spatial
from scipy import special, stats
from scipy.sparse import linalg as sparse_linalg

a = np.array([[4.0, 1.0, 0.0], [1.0, 3.0, 1.0], [0.0, 1.0, 2.0]])
print(linalg.eigvalsh(a).round(6), linalg.expm(a / 4).round(6)[0], linalg.schur(a)[0].diagonal().round(6))
print(fft.dct(np.arange(4.0)).round(6), fft.rfft(np.arange(6.0)).round(6))
print(integrate.quad(np.exp, 0, 1)[0].__round__(9), integrate.solve_ivp(lambda t, y: -y, (0, 1), [1.0]).success)
print(interpolate.CubicSpline([0, 1, 2, 3], [0, 1, 8, 27])(1.5).round(9), interpolate.BSpline([0, 1, 2, 3], [1, 2, 3], 0)(1.5))
print(ndimage.gaussian_filter(np.eye(5), 1).round(6)[2], ndimage.label(np.eye(3))[1])
print(optimize.minimize(optimize.rosen, [1.3, 0.7], method="L-BFGS-B").x.round(3))
print(optimize.brentq(np.cos, 0, 3).__round__(9), optimize.linprog([1, 2], A_ub=[[-1, -1]], b_ub=[-1]).x)
print(signal.butter(2, 0.3)[0].round(6), signal.find_peaks([0, 1, 0, 2, 0])[0])
matrix = sparse.csr_matrix(a)
print(sparse_linalg.spsolve(matrix, np.ones(3)).round(6), sparse_linalg.eigsh(matrix, 1)[0].round(6))
print(spatial.cKDTree([[0, 0], [1, 1], [2, 2]]).query([0.9, 1.2])[1], spatial.ConvexHull(np.eye(3)[:, :2]).volume.__round__(6))
print(spatial.transform.Rotation.from_euler("z", 90, degrees=True).as_matrix().round(6)[0])
print(special.gamma(4.5).round(9), special.jv(1, 2.5).round(9), special.erf(0.3).round(9))
print(stats.norm.cdf(1.96).round(9), stats.ttest_ind([1, 2, 3], [2, 3, 5]).pvalue.round(9))
file = io.BytesIO()
files.savemat(file, {"a": a})
print(np.array_equal(files.loadmat(file)["a"], a))
try:
    linalg.cholesky(-a)
except linalg.LinAlgError as error:
    print(type(error).__name__)
