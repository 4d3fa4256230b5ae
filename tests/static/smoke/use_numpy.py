import io

import numpy as np
from numpy import fft, linalg, random

a = np.arange(12.0).reshape(3, 4)
u, s, v = linalg.svd(a)
print(np.allclose((u[:, :3] * s) @ v[:3], a), np.round(s[:2], 6))
print(np.allclose(fft.ifft(fft.fft(a)).real, a), fft.rfft([1, 2, 3, 4]))
rng = random.default_rng(42)
print(rng.integers(0, 100, 5), rng.normal(size=2).round(6), random.RandomState(1).rand())
file = io.BytesIO()
np.savez_compressed(file, a=a)
file.seek(0)
print(np.array_equal(np.load(file)["a"], a), np.genfromtxt(io.StringIO("1,2\n3,4"), delimiter=","))
print(np.sort(np.array([3, 1, 2], dtype="i8")), np.datetime64("2026-01-01") + np.timedelta64(1, "D"))
print(linalg.solve(np.eye(2) * 2, [2, 4]), np.einsum("ij->j", a), np.array(["b", "a"]).astype("S"))
try:
    linalg.inv(np.zeros((2, 2)))
except linalg.LinAlgError as error:
    print(error)
