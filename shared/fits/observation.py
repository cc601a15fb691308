"""The archive's fields of one frame, from its headers and the shape of its science HDU."""

import re
from collections.abc import Mapping

from shared.fits.image_class import classify, is_frame_type, shows_sky
from shared.fits.lookup import Lookup
from shared.fits.model import Card, Hdu, ImageClass, Observation, Relation, SkyPosition
from shared.fits.moments import night, public_date, start
from shared.fits.position import angle, keyword_position
from shared.fits.tiles import image_cards
from shared.fits.values import integer, number, text
from shared.fits.wcs import CelestialWcs, celestial_wcs

__all__ = ["observe"]

_IMAGES = frozenset({"image", "compressed-image"})
_TYPE_EVIDENCE = ("CALFRAME", "ESO DPR TYPE", "ESO DPR CATG")
_MAX_BINNING = 1024
_MAX_EXPOSURE_S = 1e9
_MAX_RELATIONS = 10_000
_OPEN_WHEEL = re.compile(r"(air|open|clear\d*[sl]?|empty|free|none|blank|block|hole)$", re.IGNORECASE)
_BINNING = re.compile(r"\s*(\d{1,4})(?:\s*[x*,:\s]\s*(\d{1,4}))?\s*$", re.IGNORECASE)
_MILLISECONDS = re.compile(r"\[\s*ms\s*\]|\bmilliseconds?\b", re.IGNORECASE)
_MINUTES = re.compile(r"\[\s*min\s*\]|\bminutes?\b", re.IGNORECASE)
_OF_THE_SITE = re.compile(r"\bsite\b|sea level|\bmet(?:re|er)s?\b|\[\s*m\s*\]", re.IGNORECASE)
_RELATION = re.compile(r"L1(ID[A-Z0-9]+|(AVG|BIAS|DARK|FLAT|RAW|MASK|CAT)\d*)$")


def observe(lookup: Lookup, science: Hdu, site_longitudes: Mapping[str, float]) -> Observation:
    """Fill the archive's fields.

    Parameters
    ----------
    lookup
        The headers that describe the observation.
    science
        The science HDU. Its own header alone gives the WCS: one without pixels of its own means nothing.
    site_longitudes
        Degrees east by site, for headers that tell neither night nor longitude.
    """
    image_type, kind = _type(lookup)
    wcs = None
    if science.kind in _IMAGES and shows_sky(kind, image_type):
        wcs = celestial_wcs(image_cards(science), science.axes)
    began = start(lookup)
    site = lookup.first("site", _text)
    x_binning, y_binning = _binning(lookup)
    axes = science.axes if science.kind in _IMAGES and 0 not in science.axes else ()
    return Observation(
        site=site,
        telescope=lookup.first("telescope", _text),
        instrument=lookup.first("instrument", _text),
        image_type=image_type,
        image_class=kind,
        object_name=lookup.first("object_name", _text),
        filter_name=lookup.first("filter_name", _text) or _wheel(lookup),
        exposure_time=lookup.first("exposure_time", _exposure),
        date_obs=began[0] if began is not None else None,
        night=night(lookup, began, site, site_longitudes),
        x_binning=x_binning,
        y_binning=y_binning,
        reduction_level=lookup.first("reduction_level", _integer),
        proposal_id=lookup.first("proposal_id", _text),
        public_date=public_date(lookup),
        origin_name=lookup.first("origin_name", _text),
        request_number=lookup.first("request_number", _text),
        observation_number=lookup.first("observation_number", _text),
        position=_position(lookup, wcs),
        footprint=wcs.footprint() if wcs is not None else None,
        altitude=lookup.first("altitude", _altitude),
        azimuth=lookup.first("azimuth", _number),
        focus=lookup.first("focus", _number),
        sun_altitude=lookup.first("sun_altitude", _number),
        sun_distance=lookup.first("sun_distance", _number),
        moon_altitude=lookup.first("moon_altitude", _number),
        moon_fraction=lookup.first("moon_fraction", _number),
        moon_distance=lookup.first("moon_distance", _number),
        x_origin=lookup.first("x_origin", _integer),
        y_origin=lookup.first("y_origin", _integer),
        width=_length(axes, 0),
        height=_length(axes, 1),
        relations=_relations(lookup),
    )


def _type(lookup: Lookup) -> tuple[str | None, ImageClass]:
    """Return the header's word for the type of frame, and its class, for which other evidence may stand in."""
    word = lookup.first("image_type", _frame_type)
    kind = classify(word)
    if word is None:
        for card in (card for name in _TYPE_EVIDENCE for card in lookup.cards(name)):
            if (kind := classify(text(card.value))) is not ImageClass.OTHER:
                break
    return word, kind


def _frame_type(card: Card) -> str | None:
    word = text(card.value)
    return word if word is not None and is_frame_type(card.keyword, word) else None


def _wheel(lookup: Lookup) -> str | None:
    """Return the one filter wheel that is not open, else the first wheel."""
    words = [word for name in lookup.synonyms["filter_wheels"] for card in lookup.cards(name) if (word := _text(card))]
    return next((word for word in words if not _OPEN_WHEEL.match(word)), words[0] if words else None)


def _position(lookup: Lookup, wcs: CelestialWcs | None) -> SkyPosition | None:
    pointed = keyword_position(lookup, "position")
    if pointed is not None:
        return pointed
    centre = wcs.centre() if wcs is not None else None
    return centre or keyword_position(lookup, "requested_position")


def _binning(lookup: Lookup) -> tuple[int | None, int | None]:
    for one, other in lookup.pairs("binning"):
        match = _BINNING.match(str(one.value)[:40]) if isinstance(one.value, str) else None
        x = int(match[1]) if match else integer(one.value)
        y = int(match[2]) if match and match[2] else (integer(other.value) if other is not None else None)
        y = x if y is None else y
        if x is not None and y is not None and 0 < x <= _MAX_BINNING and 0 < y <= _MAX_BINNING:
            return x, y
    return None, None


def _exposure(card: Card) -> float | None:
    """Read an exposure time [s]; comments that speak of milliseconds or of minutes (DSS) are heeded."""
    seconds = number(card.value)
    if seconds is None:
        return None
    if _MILLISECONDS.search(card.comment):
        seconds /= 1000.0
    elif _MINUTES.search(card.comment):
        seconds *= 60.0
    return seconds if 0.0 <= seconds <= _MAX_EXPOSURE_S else None


def _altitude(card: Card) -> float | None:
    """Read the altitude above the horizon [deg]; the same keyword holds a site's height elsewhere."""
    found = angle(card, hours=False)
    if found is None or not -90.0 <= found <= 90.0 or _OF_THE_SITE.search(card.comment):
        return None
    return found


def _relations(lookup: Lookup) -> tuple[Relation, ...]:
    found = [
        Relation(keyword, name)
        for keyword in lookup.keywords()
        if _RELATION.match(keyword)
        for card in lookup.cards(keyword)
        if isinstance(card.value, str) and (name := text(card.value)) is not None
    ]
    return tuple(dict.fromkeys(found[:_MAX_RELATIONS]))


def _length(axes: tuple[int, ...], at: int) -> int | None:
    return axes[at] if len(axes) > at and axes[at] < 2**31 else None


def _text(card: Card) -> str | None:
    return text(card.value)


def _number(card: Card) -> float | None:
    return number(card.value)


def _integer(card: Card) -> int | None:
    return integer(card.value)
