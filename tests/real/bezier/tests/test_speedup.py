"""The Fortran in `_speedup` gives what bezier's own Python implementations of the same give.

The source distribution has no tests of its own.
"""

import bezier
import numpy as np
import pytest
from bezier import _speedup
from bezier.hazmat import curve_helpers, helpers, triangle_helpers

CUBIC = np.asfortranarray([[0.0, 1.0, 2.5, 3.0], [0.0, 2.0, -1.0, 1.0]])
QUADRATIC = np.asfortranarray([[0.0, 1.5, 3.0], [1.0, -1.0, 1.0]])


def random_curves(count):
    numbers = np.random.default_rng(7)
    return [np.asfortranarray(numbers.normal(size=(2, 4))) for _ in range(count)]


@pytest.mark.parametrize("nodes", [CUBIC, QUADRATIC, *random_curves(8)])
def test_evaluation(nodes):
    where = np.linspace(0.0, 1.0, 17)
    expected = curve_helpers.evaluate_multi(nodes, where)
    np.testing.assert_allclose(_speedup.evaluate_multi(nodes, where), expected, atol=1e-14)


@pytest.mark.parametrize("nodes", [CUBIC, *random_curves(4)])
def test_subdivision_and_elevation(nodes):
    for ours, theirs in zip(
        _speedup.subdivide_nodes_curve(nodes), curve_helpers.subdivide_nodes(nodes)
    ):
        np.testing.assert_allclose(ours, theirs, atol=1e-14)
    np.testing.assert_allclose(
        _speedup.elevate_nodes(nodes), curve_helpers.elevate_nodes(nodes), atol=1e-14
    )


def test_a_length_that_is_known():
    line = np.asfortranarray([[0.0, 3.0], [0.0, 4.0]])
    assert _speedup.compute_length(line) == pytest.approx(5.0)


def test_a_point_is_located():
    curve = bezier.Curve(CUBIC, degree=3)
    point = curve.evaluate(0.375)
    assert curve.locate(point) == pytest.approx(0.375)


def test_curves_intersect():
    parameters = bezier.Curve(CUBIC, degree=3).intersect(bezier.Curve(QUADRATIC, degree=2))
    assert parameters.shape[1] >= 1
    on_first, on_second = (np.ascontiguousarray(row) for row in parameters)
    first = bezier.Curve(CUBIC, degree=3).evaluate_multi(on_first)
    second = bezier.Curve(QUADRATIC, degree=2).evaluate_multi(on_second)
    np.testing.assert_allclose(first, second, atol=1e-12)


def test_triangles():
    nodes = np.asfortranarray([[0.0, 0.5, 1.0, 0.25, 0.75, 0.0], [0.0, 0.1, 0.0, 0.5, 0.5, 1.0]])
    triangle = bezier.Triangle(nodes, degree=2)
    assert triangle.is_valid
    where = np.asfortranarray([[1.0, 0.0, 0.0], [0.25, 0.25, 0.5]])
    expected = triangle_helpers.evaluate_barycentric_multi(nodes, 2, where, 2)
    ours = _speedup.evaluate_barycentric_multi(nodes, 2, where, 2)
    np.testing.assert_allclose(ours, expected, atol=1e-14)
    assert triangle.area == pytest.approx(
        triangle_helpers.compute_area([edge.nodes for edge in triangle.edges])
    )


def test_errors_of_fortran_become_exceptions():
    parallel = np.asfortranarray([[0.0, 1.0], [1.0, 2.0]])
    line = np.asfortranarray([[0.0, 1.0], [0.0, 1.0]])
    found = _speedup.curve_intersections(line, parallel)
    assert found[0].shape == (2, 0)
    assert helpers.bbox(line) == tuple(_speedup.bbox(line))
