"""One exposure: what the camera saw, and the header that the telescope wrote."""

import datetime as dt
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.simulator.camera import Camera
from shared.simulator.fields import FIELD_DEGREES, Field, stars_of
from shared.simulator.optics import Pointing, paint_galaxy, paint_stars, star_magnitudes
from shared.simulator.site import Site, julian_date, moon, moon_fraction, separation, sun
from shared.simulator.writing import Cards

__all__ = ["LETTERS", "Catalog", "Exposure"]

Floats = NDArray[np.floating]

LETTERS = {"object": "e", "bias": "b", "dark": "d", "skyflat": "f", "focus": "x"}
ZERO_POINTS = {"B": 24.4, "V": 24.7, "R": 24.8}
SKY_MAGNITUDES = {"B": 22.3, "V": 21.4, "R": 20.7}
EXTINCTION = {"B": 0.24, "V": 0.13, "R": 0.09}
SEEING = 1.5
FLAT_LEVEL = 26_000.0
BINNING = 2
FULL_SCALE = 1.2
"""Arcsec per pixel above which light is dimmed, so that the large pixels of small frames do not saturate."""


@dataclass(frozen=True, slots=True)
class Catalog:
    """Stars of one image: FITS pixel positions, ICRS degrees, flux in electrons, and its error."""

    x: Floats
    y: Floats
    ra: Floats
    dec: Floats
    flux: Floats
    error: Floats
    peak: Floats
    fwhm: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """What is to be exposed; all that follows is decided by it, the seed included."""

    site: Site
    night: dt.date
    number: int
    start: dt.datetime
    image_type: str
    field: Field | None
    filter_name: str
    seconds: float
    shape: tuple[int, int]
    overscan: int
    seed: int
    request: int | None = None
    defocus: float = 0.0

    @property
    def generator(self) -> np.random.Generator:
        """The exposure's own randomness."""
        return np.random.default_rng([self.seed, self.night.toordinal(), self.number])

    @property
    def camera(self) -> Camera:
        """The camera."""
        return Camera(self.site.instrument, self.shape, self.overscan)

    @property
    def basename(self) -> str:
        """The raw frame's file name without extension, as Las Cumbres Observatory has them."""
        letter = LETTERS.get(self.image_type, "e")
        telescope = f"{self.site.site_id}{self.site.telescope.split('-')[0]}"
        return f"{telescope}-{self.site.instrument}-{self.night:%Y%m%d}-{self.number:04d}-{letter}00"

    @property
    def pointing(self) -> Pointing:
        """Where the camera looks: some arcseconds beside the target, or at the zenith without one."""
        if self.field is None:
            return Pointing(self.site.sidereal_time(self.start), self.site.latitude, 0.0, self.shape)
        east, north = np.random.default_rng([self.seed, self.number]).normal(0, 6 / 3600, 2)
        ra = (self.field.ra + east / math.cos(math.radians(self.field.dec))) % 360.0
        return Pointing(ra, self.field.dec + north, 0.7, self.shape)

    @property
    def fwhm(self) -> float:
        """Width of a star in pixels: the seeing at that airmass, and never below the sampling."""
        pointing = self.pointing
        airmass = self.site.horizontal(pointing.ra, pointing.dec, self.start).airmass
        return max(SEEING * math.pow(airmass, 0.6) / (pointing.scale * 3600.0), 1.7)

    def raw(self) -> NDArray[np.uint16]:
        """Return the pixels that the camera gave."""
        generator = self.generator
        if self.image_type == "skyflat":
            slope = np.linspace(-0.004, 0.004, self.shape[1])
            light: Floats | None = FLAT_LEVEL * generator.uniform(0.8, 1.2) * (1 + slope) * np.ones(self.shape)
        elif self.field is None or self.image_type in ("bias", "dark"):
            light = None
        else:
            light = self._sky_light(self.field)
        return self.camera.expose(light, self.filter_name, self.seconds, generator)

    def _sky_light(self, field: Field) -> Floats:
        pointing = self.pointing
        pixel = (pointing.scale * 3600.0) ** 2
        background = self._electrons(SKY_MAGNITUDES.get(self.filter_name, 21.0), extinct=False) * pixel
        image = np.full(self.shape, background * (1.0 + 2.5 * self._moonlight()))
        image *= 1.0 + 0.004 * np.linspace(-1, 1, self.shape[0])[:, np.newaxis]
        if field.galaxy is not None:
            x, y = pointing.pixels(np.array([field.ra]), np.array([field.dec]))
            flux = self._electrons(field.galaxy.magnitude)
            paint_galaxy(image, field.galaxy, float(x[0]), float(y[0]), pointing, flux, self.filter_name)
        stars = stars_of(field)
        x, y = pointing.pixels(stars.ra, stars.dec)
        paint_stars(image, x, y, self._electrons(star_magnitudes(stars, self.filter_name)), self.fwhm, self.defocus)
        return image

    def catalog(self) -> Catalog:
        """Return the stars that a source extraction would find: on the image and ten times above its noise."""
        if self.field is None:
            nothing = np.zeros(0)
            return Catalog(nothing, nothing, nothing, nothing, nothing, nothing, nothing, self.fwhm)
        stars, pointing = stars_of(self.field), self.pointing
        x, y = pointing.pixels(stars.ra, stars.dec)
        flux = self._electrons(star_magnitudes(stars, self.filter_name))
        pixel = (pointing.scale * 3600.0) ** 2
        background = self._electrons(SKY_MAGNITUDES.get(self.filter_name, 21.0), extinct=False) * pixel
        error = np.sqrt(flux + 3.0 * self.fwhm**2 * (background + self.camera.read_noise**2))
        rows, columns = self.shape
        seen = (flux > 10 * error) & (x > 1) & (x < columns) & (y > 1) & (y < rows)
        order = np.flatnonzero(seen)[np.argsort(-flux[seen], kind="stable")]
        x, y, flux, error = x[order], y[order], flux[order], error[order]
        measured = np.random.default_rng([self.seed, self.number, 1]).normal(flux, error)
        return Catalog(x, y, stars.ra[order], stars.dec[order], measured, error, flux * 0.6 / self.fwhm**2, self.fwhm)

    def _electrons(self, magnitude: Any, *, extinct: bool = True) -> Any:
        """Return the electrons in the whole exposure from a source of that magnitude."""
        pointing = self.pointing
        airmass = self.site.horizontal(pointing.ra, pointing.dec, self.start).airmass
        dimming = EXTINCTION.get(self.filter_name, 0.1) * airmass if extinct else 0.0
        aperture = min(1.0, (FULL_SCALE / (pointing.scale * 3600.0)) ** 2)
        brightness = 10.0 ** (-0.4 * (magnitude + dimming - ZERO_POINTS.get(self.filter_name, 24.5)))
        return self.seconds * aperture * brightness

    def _moonlight(self) -> float:
        up = self.site.horizontal(*moon(self.start), self.start).altitude > 0
        return moon_fraction(self.start) ** 2 if up else 0.0

    def cards(self) -> Cards:
        """Return the header of the raw frame."""
        cards = {**self._identity(), **self._telescope(), **self._surroundings(), **self._detector()}
        if self.field is not None and self.image_type not in ("bias", "dark", "skyflat"):
            cards |= self._wcs()
        return cards

    def _identity(self) -> dict[str, Any]:
        site, name = self.site, f"{self.basename}.fits.fz"
        calibration = self.image_type in ("bias", "dark", "skyflat")
        cards: dict[str, Any] = {
            "SITEID": (site.site_id, "ID of the observatory"),
            "SITE": (site.name, "Name of the observatory"),
            "TELID": (site.telescope_id, "ID of the telescope"),
            "TELESCOP": (site.telescope, "Name of the telescope"),
            "INSTRUME": (site.instrument, "Name of the instrument"),
            "IMAGETYP": (self.image_type, "Type of the image"),
            "OBJECT": (self.field.name if self.field else self.image_type, "Name of the object"),
            "FILTER": (self.filter_name, "Filter in the light path"),
            "EXPTIME": (round(self.seconds, 3), "[s] Exposure time"),
            "DATE-OBS": (f"{self.start:%Y-%m-%dT%H:%M:%S.%f}", "[UTC] Start of the exposure"),
            "DAY-OBS": (f"{self.night:%Y-%m-%d}", "Night of the observation"),
            "MJD-OBS": (round(julian_date(self.start) - 2400000.5, 8), "[d] Start of the exposure"),
            "FNAME": (name, "File name of this frame"),
            "ORIGNAME": (name, "File name as written by the camera"),
            "FRAMENUM": (self.number, "Number of the frame in its night"),
            "ORIGIN": ("fitsvault simulator", "Simulated data, not observed"),
            "PROPID": ("calibrate" if calibration else "SIM2026B-001", "Proposal ID"),
        }
        if self.request is not None:
            cards["REQNUM"] = (f"{self.request:010d}", "Number of the request")
            cards["OBSNUM"] = (f"{self.request % 1000:04d}", "Number of the observation")
        return cards

    def _telescope(self) -> dict[str, Any]:
        pointing = self.pointing
        place = self.site.horizontal(pointing.ra, pointing.dec, self.start)
        focus = 42.35 + 0.02 * math.sin(self.number) + 0.05 * self.defocus
        return {
            "RA": (_sexagesimal(pointing.ra / 15.0, 3), "[hh:mm:ss] Right ascension of the telescope"),
            "DEC": (_sexagesimal(pointing.dec, 2, signed=True), "[dd:mm:ss] Declination of the telescope"),
            "TEL-RA": (round(pointing.ra, 7), "[deg] Right ascension of the telescope"),
            "TEL-DEC": (round(pointing.dec, 7), "[deg] Declination of the telescope"),
            "TEL-ALT": (round(place.altitude, 5), "[deg] Altitude of the telescope"),
            "TEL-AZ": (round(place.azimuth, 5), "[deg] Azimuth of the telescope, north over east"),
            "TEL-FOCU": (round(focus, 4), "[mm] Focus of the telescope"),
            "AIRMASS": (round(place.airmass, 4), "Airmass at the start of the exposure"),
        }

    def _surroundings(self) -> dict[str, Any]:
        pointing, site, time = self.pointing, self.site, self.start
        return {
            "LATITUDE": (site.latitude, "[deg] Latitude of the telescope, north positive"),
            "LONGITUD": (site.longitude, "[deg] Longitude of the telescope, east positive"),
            "HEIGHT": (site.elevation, "[m] Height of the telescope above the sea"),
            "SUNALT": (round(site.sun_altitude(time), 4), "[deg] Altitude of the Sun"),
            "SUNDIST": (round(separation(pointing.ra, pointing.dec, *sun(time)), 4), "[deg] Distance from the Sun"),
            "MOONALT": (round(site.horizontal(*moon(time), time).altitude, 4), "[deg] Altitude of the Moon"),
            "MOONFRAC": (round(moon_fraction(time), 4), "Illuminated fraction of the Moon"),
            "MOONDIST": (round(separation(pointing.ra, pointing.dec, *moon(time)), 4), "[deg] Distance from the Moon"),
        }

    def _detector(self) -> dict[str, Any]:
        (rows, columns), camera = self.shape, self.camera
        cards = {
            "XBINNING": (BINNING, "Binning along x"),
            "YBINNING": (BINNING, "Binning along y"),
            "CCDSUM": (f"{BINNING} {BINNING}", "Binning along x and y"),
            "XORGSUBF": (0, "[pixel] Left column of the window"),
            "YORGSUBF": (0, "[pixel] Bottom row of the window"),
            "GAIN": (camera.gain, "[electron/adu] Gain"),
            "RDNOISE": (camera.read_noise, "[electron] Read noise"),
            "SATURATE": (65535, "[adu] Saturation level"),
            "DET-TEMP": (-100.0, "[degC] Temperature of the detector"),
            "BUNIT": ("adu", "Unit of the pixels"),
        }
        if self.overscan:
            cards["DATASEC"] = (f"[1:{columns},1:{rows}]", "Columns and rows that see light")
            cards["TRIMSEC"] = (f"[1:{columns},1:{rows}]", "Columns and rows to keep")
            cards["BIASSEC"] = (f"[{columns + 1}:{columns + self.overscan},1:{rows}]", "Overscan")
        return cards

    def _wcs(self) -> dict[str, Any]:
        pointing = self.pointing
        (cd11, cd12), (cd21, cd22) = pointing.matrix
        x, y = pointing.reference_pixel
        return {
            "WCSAXES": (2, "Number of WCS axes"),
            "CTYPE1": ("RA---TAN", "Gnomonic projection"),
            "CTYPE2": ("DEC--TAN", "Gnomonic projection"),
            "CRVAL1": (pointing.ra, "[deg] Right ascension at the reference pixel"),
            "CRVAL2": (pointing.dec, "[deg] Declination at the reference pixel"),
            "CRPIX1": (x, "[pixel] Reference pixel along x"),
            "CRPIX2": (y, "[pixel] Reference pixel along y"),
            "CUNIT1": ("deg", "Unit of axis 1"),
            "CUNIT2": ("deg", "Unit of axis 2"),
            "CD1_1": (cd11, "[deg/pixel]"),
            "CD1_2": (cd12, "[deg/pixel]"),
            "CD2_1": (cd21, "[deg/pixel]"),
            "CD2_2": (cd22, "[deg/pixel]"),
            "RADESYS": ("ICRS", "Reference frame"),
            "PIXSCALE": (round(FIELD_DEGREES * 3600.0 / max(self.shape), 5), "[arcsec/pixel] Pixel scale"),
        }


def _sexagesimal(value: float, digits: int, *, signed: bool = False) -> str:
    """Write hours or degrees as ``hh:mm:ss.sss``."""
    units = round(abs(value) * 3600 * 10**digits)
    whole, fraction = divmod(units, 10**digits)
    sign = ("-" if value < 0 else "+") if signed else ""
    return f"{sign}{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}.{fraction:0{digits}d}"
