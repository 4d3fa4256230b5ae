"""The program `orbit`."""

import argparse
import datetime
import math

from orbits import __version__, _dates, _kepler

# Of each planet: half the long axis of its orbit in astronomical units, the eccentricity, its mean
# longitude on 1 January 2000 and that of its perihelion in degrees, and how long it takes in days.
PLANETS = {
    "mercury": (0.38710, 0.20563, 252.25, 77.46, 87.969),
    "venus": (0.72333, 0.00677, 181.98, 131.56, 224.701),
    "earth": (1.00000, 0.01671, 100.46, 102.94, 365.256),
    "mars": (1.52368, 0.09339, 355.45, 336.06, 686.980),
    "jupiter": (5.20260, 0.04849, 34.40, 14.73, 4332.589),
}


def place(planet, date):
    """The distance from the sun, and the longitude in degrees."""
    axis, eccentricity, longitude, perihelion, period = PLANETS[planet]
    days = _dates.days_since_2000(date.year, date.month, date.day)
    mean = math.radians(longitude - perihelion) + 2 * math.pi * days / period
    distance, anomaly = _kepler.position(axis, eccentricity, mean)
    return distance, (math.degrees(anomaly) + perihelion) % 360


def main():
    parser = argparse.ArgumentParser(description="Says where a planet is, seen from the sun")
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    parser.add_argument("planet", choices=PLANETS)
    parser.add_argument("date", type=datetime.date.fromisoformat, help="such as 2026-11-26")
    arguments = parser.parse_args()
    distance, longitude = place(arguments.planet, arguments.date)
    print(
        f"{arguments.planet}: {distance:.4f} au from the sun, "
        f"{longitude:.1f} degrees along its orbit's plane"
    )
