"""Modes of tables of measurements."""

import numpy as np

from modes._window import taper


def modes(table):
    """The modes of a table's columns: their shares of the variance, and their courses."""
    centred = table - table.mean(axis=0)
    courses, sizes, _ = np.linalg.svd(centred, full_matrices=False)
    return sizes**2 / np.sum(sizes**2), courses.T


def periods(course):
    """How many periods of a course's strongest frequency there are in it."""
    tapered = np.array(course, dtype=float)
    taper(tapered)
    return int(np.argmax(np.abs(np.fft.rfft(tapered)[1:])) + 1)


def spread(table, rounds=50, seed=1):
    """How much the first mode's share varies if rows are drawn anew."""
    draw = np.random.default_rng(seed)
    shares = [modes(draw.choice(table, len(table)))[0][0] for _ in range(rounds)]
    return float(np.std(shares))
