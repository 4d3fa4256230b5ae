"""Kepler's equation."""

from libc.math cimport M_PI, atan2, cos, fabs, fmod, sin, sqrt


cpdef (double, double) position(double semi_major, double eccentricity, double mean_anomaly):
    """The distance from the sun and the true anomaly, both angles in radians.

    >>> position(1.0, 0.0, 0.5)
    (1.0, 0.5)
    """
    cdef double mean = fmod(mean_anomaly, 2 * M_PI)
    cdef double eccentric = mean
    cdef double step = 1
    cdef int rounds = 0
    # Newton's method.
    while fabs(step) > 1e-12 and rounds < 50:
        step = (eccentric - eccentricity * sin(eccentric) - mean) / (1 - eccentricity * cos(eccentric))
        eccentric -= step
        rounds += 1
    cdef double x = cos(eccentric) - eccentricity
    cdef double y = sqrt(1 - eccentricity * eccentricity) * sin(eccentric)
    return semi_major * (1 - eccentricity * cos(eccentric)), atan2(y, x)
