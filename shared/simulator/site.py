"""Where the telescope stands, and where Sun, Moon and targets are in its sky.

Low-precision formulae of the Astronomical Almanac (Sun 0.01 deg, Moon 0.3 deg); precession is left out.
"""

import datetime as dt
import math
from dataclasses import dataclass

__all__ = ["Horizontal", "Site", "julian_date", "moon", "moon_fraction", "separation", "sun"]

OBLIQUITY = math.radians(23.439)
J2000 = dt.datetime(2000, 1, 1, 12, tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class Horizontal:
    """Altitude and azimuth (north over east) in degrees."""

    altitude: float
    azimuth: float

    @property
    def airmass(self) -> float:
        """Airmass by Kasten and Young (1989), down to 5 degrees."""
        altitude = max(self.altitude, 5.0)
        return 1.0 / (math.sin(math.radians(altitude)) + 0.50572 * math.pow(altitude + 6.07995, -1.6364))


@dataclass(frozen=True, slots=True)
class Site:
    """An observatory with one telescope and one camera; degrees (east positive) and metres."""

    site_id: str = "vault"
    name: str = "Vault Observatory"
    telescope_id: str = "1m0a"
    telescope: str = "1m0-01"
    instrument: str = "sim01"
    latitude: float = 28.7606
    longitude: float = -17.8816
    elevation: float = 2360.0

    def noon(self, night: dt.date) -> dt.datetime:
        """Return the mean local noon in UTC before that night."""
        noon = dt.datetime.combine(night, dt.time(12), dt.UTC)
        return noon - dt.timedelta(hours=round(self.longitude / 15.0, 4))

    def sidereal_time(self, time: dt.datetime) -> float:
        """Return the local mean sidereal time in degrees."""
        return (280.46062 + 360.98564737 * (julian_date(time) - 2451545.0) + self.longitude) % 360.0

    def horizontal(self, ra: float, dec: float, time: dt.datetime) -> Horizontal:
        """Return where a position (degrees) stands."""
        hour_angle = math.radians(self.sidereal_time(time) - ra)
        latitude, declination = math.radians(self.latitude), math.radians(dec)
        sine = math.sin(latitude) * math.sin(declination)
        sine += math.cos(latitude) * math.cos(declination) * math.cos(hour_angle)
        east = -math.cos(declination) * math.sin(hour_angle)
        north = math.cos(latitude) * math.sin(declination)
        north -= math.sin(latitude) * math.cos(declination) * math.cos(hour_angle)
        return Horizontal(math.degrees(math.asin(sine)), math.degrees(math.atan2(east, north)) % 360.0)

    def sun_altitude(self, time: dt.datetime) -> float:
        """Return the Sun's altitude in degrees."""
        return self.horizontal(*sun(time), time).altitude


def julian_date(time: dt.datetime) -> float:
    """Return the Julian date (UTC)."""
    return 2451545.0 + (time - J2000).total_seconds() / 86400.0


def _equatorial(longitude: float, latitude: float) -> tuple[float, float]:
    lon, lat = math.radians(longitude), math.radians(latitude)
    x = math.cos(lat) * math.cos(lon)
    y = math.cos(OBLIQUITY) * math.cos(lat) * math.sin(lon) - math.sin(OBLIQUITY) * math.sin(lat)
    z = math.sin(OBLIQUITY) * math.cos(lat) * math.sin(lon) + math.cos(OBLIQUITY) * math.sin(lat)
    return math.degrees(math.atan2(y, x)) % 360.0, math.degrees(math.asin(z))


def sun(time: dt.datetime) -> tuple[float, float]:
    """Return the Sun's right ascension and declination in degrees."""
    days = julian_date(time) - 2451545.0
    anomaly = math.radians(357.528 + 0.9856003 * days)
    longitude = 280.460 + 0.9856474 * days + 1.915 * math.sin(anomaly) + 0.020 * math.sin(2 * anomaly)
    return _equatorial(longitude, 0.0)


def moon(time: dt.datetime) -> tuple[float, float]:
    """Return the Moon's geocentric right ascension and declination in degrees."""
    centuries = (julian_date(time) - 2451545.0) / 36525.0

    def wave(amplitude: float, phase: float, rate: float) -> float:
        return amplitude * math.sin(math.radians(phase + rate * centuries))

    longitude = 218.32 + 481267.881 * centuries
    longitude += wave(6.29, 135.0, 477198.87) - wave(1.27, 259.3, -413335.36) + wave(0.66, 235.7, 890534.22)
    longitude += wave(0.21, 269.9, 954397.74) - wave(0.19, 357.5, 35999.05) - wave(0.11, 186.5, 966404.03)
    latitude = wave(5.13, 93.3, 483202.02) + wave(0.28, 228.2, 960400.89)
    latitude -= wave(0.28, 318.3, 6003.15) + wave(0.17, 217.6, -407332.21)
    return _equatorial(longitude, latitude)


def moon_fraction(time: dt.datetime) -> float:
    """Return the illuminated fraction of the Moon, 0 to 1."""
    return (1.0 - math.cos(math.radians(separation(*sun(time), *moon(time))))) / 2.0


def separation(ra1: float, dec1: float, ra2: float, dec2: float) -> float:
    """Return the angle between two positions, all in degrees."""
    a1, d1, a2, d2 = map(math.radians, (ra1, dec1, ra2, dec2))
    half = math.sin((d2 - d1) / 2) ** 2 + math.cos(d1) * math.cos(d2) * math.sin((a2 - a1) / 2) ** 2
    return math.degrees(2 * math.asin(min(1.0, math.sqrt(half))))
