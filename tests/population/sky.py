"""Sun, Moon and horizon for arrays of times and positions, in degrees.

The formulae of `shared.simulator.site`, with the Moon's largest terms alone (about 1 degree).
"""

import numpy as np
from numpy.typing import NDArray

__all__ = ["Floats", "horizontal", "moon", "night_half", "separation", "sidereal_time", "sun"]

Floats = NDArray[np.float64]

_OBLIQUITY = np.radians(23.439)


def sidereal_time(days: Floats, longitude: Floats) -> Floats:
    """Return the local mean sidereal time; ``days`` are those since J2000."""
    degrees: Floats = (280.46062 + 360.98564737 * days + longitude) % 360.0
    return degrees


def horizontal(sidereal: Floats, latitude: Floats, ra: Floats, dec: Floats) -> tuple[Floats, Floats]:
    """Return altitude, and azimuth north over east."""
    angle, phi, delta = np.radians(sidereal - ra), np.radians(latitude), np.radians(dec)
    sine = np.sin(phi) * np.sin(delta) + np.cos(phi) * np.cos(delta) * np.cos(angle)
    east = -np.cos(delta) * np.sin(angle)
    north = np.cos(phi) * np.sin(delta) - np.sin(phi) * np.cos(delta) * np.cos(angle)
    return np.degrees(np.arcsin(np.clip(sine, -1.0, 1.0))), np.degrees(np.arctan2(east, north)) % 360.0


def separation(ra1: Floats, dec1: Floats, ra2: Floats, dec2: Floats) -> Floats:
    """Return the angle between positions."""
    a1, d1, a2, d2 = (np.radians(angle) for angle in (ra1, dec1, ra2, dec2))
    half = np.sin((d2 - d1) / 2) ** 2 + np.cos(d1) * np.cos(d2) * np.sin((a2 - a1) / 2) ** 2
    angle: Floats = np.degrees(2 * np.arcsin(np.sqrt(np.clip(half, 0.0, 1.0))))
    return angle


def sun(days: Floats) -> tuple[Floats, Floats]:
    """Return the Sun's right ascension and declination."""
    anomaly = np.radians(357.528 + 0.9856003 * days)
    return _equatorial(280.460 + 0.9856474 * days + 1.915 * np.sin(anomaly), np.zeros_like(days))


def moon(days: Floats) -> tuple[Floats, Floats]:
    """Return the Moon's right ascension and declination."""
    longitude = 218.316 + 13.176396 * days + 6.289 * np.sin(np.radians(134.963 + 13.064993 * days))
    return _equatorial(longitude, 5.128 * np.sin(np.radians(93.272 + 13.229350 * days)))


def night_half(days: Floats, latitude: Floats) -> Floats:
    """Return half the hours between sunset and sunrise."""
    _, declination = sun(days)
    cosine = np.clip(np.tan(np.radians(latitude)) * np.tan(np.radians(declination)), -1.0, 1.0)
    hours: Floats = np.degrees(np.arccos(cosine)) / 15.0
    return hours


def _equatorial(longitude: Floats, latitude: Floats) -> tuple[Floats, Floats]:
    lon, lat = np.radians(longitude), np.radians(latitude)
    x = np.cos(lat) * np.cos(lon)
    y = np.cos(_OBLIQUITY) * np.cos(lat) * np.sin(lon) - np.sin(_OBLIQUITY) * np.sin(lat)
    z = np.sin(_OBLIQUITY) * np.cos(lat) * np.sin(lon) + np.cos(_OBLIQUITY) * np.sin(lat)
    return np.degrees(np.arctan2(y, x)) % 360.0, np.degrees(np.arcsin(np.clip(z, -1.0, 1.0)))
