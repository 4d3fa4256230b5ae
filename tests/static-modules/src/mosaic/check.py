"""The program: what its modules are and do, each of which is a part of it."""

import array
import importlib
import pickle
import pkgutil
import sys
import threading
import zlib

import mosaic
import solo
from mosaic import _cxx, _fortran, _multi, _single, _zlib, one
from mosaic.one import same
from mosaic.two import base
from mosaic.two import same as other

try:
    from mosaic import _lacking
except ImportError as error:
    LACKS = error.name
else:
    LACKS = _lacking.value

PARTS = (
    "mosaic mosaic._cxx mosaic._fortran mosaic._multi mosaic._single mosaic._utility mosaic._zlib "
    "mosaic.one mosaic.one.same mosaic.two.base mosaic.two.same solo"
).split()


def check_names():
    for name in PARTS:
        module = sys.modules[name]
        spec = module.__spec__
        package = name if hasattr(module, "__path__") else name.rpartition(".")[0]
        assert (module.__name__, spec.name, module.__package__) == (name, name, package), name
        assert importlib.import_module(name) is module, name
    for package in (mosaic, one):
        end = package.__name__.replace(".", "/")
        assert [path.endswith(end) for path in package.__path__] == [True], package.__path__
    assert not hasattr(same, "__path__")
    assert mosaic.NAME == "mosaic" and mosaic.parts()[::2] == ("mosaic", "mosaic.two.same")
    assert (same.where(), one.where(), other.where()) == ("mosaic.one.same",) * 2 + (other.__name__,)
    found = {info.name for info in pkgutil.walk_packages(mosaic.__path__, "mosaic.")}
    assert {"mosaic.one.same", "mosaic.two.base", "mosaic._multi"} <= found, found
    assert LACKS == "surely_absent" and "mosaic._lacking" not in sys.modules


def check_isolation():
    assert [same.shared(), other.shared()] == [1, 2]
    assert [_multi.next(), _single.next(), _multi.next(), _single.next()] == [1, 10, 2, 20]


def check_cython():
    point = same.Point(3)
    assert point.doubled() == 16 and isinstance(point, base.Base)
    try:
        same.Point(-1).doubled()
    except ValueError as error:
        assert str(error) == "negative"
    again = pickle.loads(pickle.dumps(point))
    assert (again.x, again.given, type(again).__module__) == (3, 5, "mosaic.one.same")
    assert type(pickle.loads(pickle.dumps(_multi.Thing()))) is _multi.Thing
    values = array.array("d", [1.5, 4.5])
    assert (same.total(values), other.biggest(values)) == (6.0, 4.5)


def check_languages():
    assert _cxx.get("begun") == (3, 1)
    try:
        _cxx.get("three")
    except KeyError as error:
        assert error.args == ("three",)
    asked = []
    thread = threading.Thread(target=lambda: asked.append(_cxx.get("two")))
    thread.start()
    thread.join()
    assert asked == [(2, 1)] and _cxx.get("two") == (2, 3)
    assert _fortran.length(3, 4) == 5.0
    assert _zlib.checksum(b"mosaic") == zlib.adler32(b"mosaic")
    assert solo.__doc__ == "Alone."


def main():
    check_names()
    check_isolation()
    check_cython()
    check_languages()
    print("all is well")
