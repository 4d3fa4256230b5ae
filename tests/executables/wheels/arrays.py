# run:
"""NumPy: linear algebra by its own OpenBLAS, threads, processes, files."""

import concurrent.futures
import ctypes
import importlib
import importlib.resources
import inspect
import io
import multiprocessing
import os
import sys
import tempfile
import threading

import numpy as np
from numpy._core import _multiarray_umath as core


def solved(seed):
    matrix = np.random.default_rng(seed).random((40, 40))
    return round(float(np.abs(np.linalg.inv(matrix) @ matrix - np.eye(40)).max()), 6)


def main():
    print(np.linalg.svd(np.arange(12.0).reshape(3, 4))[1].round(6))
    print(np.fft.rfft([1, 2, 3, 4]), np.random.default_rng(1).integers(10, size=5))
    print(np.float32(1) / 3, np.array(["é", "b"]), np.datetime64("2020-01-01") + 1)

    print(core.__name__, core.__file__.split("/")[-2:], core.__spec__.has_location, core.__loader__.get_source())
    print(importlib.util.find_spec("numpy.random._pcg64").origin.split("/")[-2:], inspect.getsource(np.ones)[:4])
    print(importlib.resources.files("numpy").joinpath("py.typed").is_file())
    library = ctypes.CDLL(core.__file__)
    print(hasattr(library, "PyInit__multiarray_umath"), hasattr(library, "nothing"))
    with importlib.resources.as_file(importlib.resources.files("numpy._core") / core.__file__.split("/")[-1]) as path:
        print(ctypes.CDLL(str(path))._handle == library._handle)
    for wrong in (core.__file__ + "x", "libnothing.so"):
        try:
            ctypes.CDLL(wrong)
        except OSError as error:
            print("no such library" if "cannot open" in str(error) else error)

    # Once loaded is for ever: the same object, and no descriptor is left open.
    before = len(os.listdir("/proc/self/fd"))
    name = "numpy.random._sfc64"
    first = sys.modules.pop(name, None) or importlib.import_module(name)
    sys.modules.pop(name, None)
    print(importlib.import_module(name).SFC64 is first.SFC64, len(os.listdir("/proc/self/fd")) - before)

    with np.errstate(divide="raise"):
        # Each thread has a state of its own.
        seen = []
        thread = threading.Thread(target=lambda: seen.append(np.geterr()["divide"]))
        thread.start()
        thread.join()
        print(seen)
        try:
            np.array([1.0]) / 0
        except FloatingPointError as error:
            print(error)
    with concurrent.futures.ThreadPoolExecutor(4) as threads:
        print(list(threads.map(solved, range(8))))
    for method in ("fork", "spawn", "forkserver"):
        with multiprocessing.get_context(method).Pool(2) as pool:
            print(method, pool.map(solved, range(4)))

    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "array.npy")
        np.save(path, np.arange(10))
        print(np.load(path, mmap_mode="r").sum())
    text = io.StringIO()
    np.savetxt(text, np.eye(2), fmt="%d")
    print(text.getvalue())
    if not os.fork():
        print(np.linalg.norm(np.ones(9)), flush=True)
        os._exit(0)
    os.wait()
    try:
        import numpy.nothing
    except ImportError as error:
        print(error)


if __name__ == "__main__":
    main()
