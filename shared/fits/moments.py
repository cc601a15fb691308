"""When an observation began, and to which night it belongs."""

import datetime as dt
import re
from collections.abc import Mapping

from shared.fits.dates import Moment, from_julian_date, parse_date, parse_moment, parse_time
from shared.fits.lookup import Lookup
from shared.fits.model import Card
from shared.fits.position import site_longitude

__all__ = ["night", "public_date", "start"]

_HOURS = re.compile(r"\bhours?\b|\[\s*hr?s?\s*\]", re.IGNORECASE)
_BEGINNING = re.compile(r"start|begin|expos|observ", re.IGNORECASE)
_HALF_DAY = dt.timedelta(hours=12)
_SAME_DAY = dt.timedelta(days=1)
_DEGREES_PER_HOUR = 15.0


def start(lookup: Lookup) -> tuple[dt.datetime, bool] | None:
    """Return the start of the exposure in UTC, and whether its time of day is known.

    DATE-OBS and its synonyms; where that is a date only, with the time of UTSTART, TIME-OBS and their like, or
    with that of MJD-OBS or JD of the same day unless that was rounded to the day; else MJD-OBS or JD alone;
    else DATE, if its comment says that it is the start of the exposure. TIMESYS other than UTC is not
    converted.
    """
    near = lookup.first("julian_date", lambda card: from_julian_date(card.value))
    moment = lookup.first("date_obs", lambda card: parse_moment(card.value, near))
    if moment is None and near is None:
        moment = _old_date(lookup)
    if moment is None:
        return None if near is None else (near, True)
    date, time = moment
    if time is None:
        time = lookup.first("time_obs", _time)
    midnight = dt.datetime.combine(date, dt.time())
    if time is not None:
        return midnight + time, True
    if near is not None and near.time() != dt.time() and abs(near - midnight - _HALF_DAY) <= _SAME_DAY:
        return near, True
    return midnight, False


def night(
    lookup: Lookup, began: tuple[dt.datetime, bool] | None, site: str | None, site_longitudes: Mapping[str, float]
) -> dt.date | None:
    """Return the date on which the night began: DAY-OBS, else noon to noon by the site's mean solar time.

    The longitude is the header's, else the setting's for that site, else 0, so that the UTC date is the
    night's. A start without time of day is the night's date itself.
    """
    told = lookup.first("night", lambda card: parse_date(card.value))
    if told is not None or began is None:
        return told
    moment, timed = began
    longitude = site_longitude(lookup)
    if longitude is None and site is not None:
        longitude = site_longitudes.get(site)
    if not timed or longitude is None or not -360.0 <= longitude <= 360.0:
        return moment.date()
    return (moment + dt.timedelta(hours=longitude / _DEGREES_PER_HOUR) - _HALF_DAY).date()


def public_date(lookup: Lookup) -> dt.datetime | None:
    """Return when the frame becomes public, in UTC; a date without time is its midnight."""
    moment = lookup.first("public_date", lambda card: parse_moment(card.value))
    if moment is None:
        return None
    return dt.datetime.combine(moment[0], dt.time()) + (moment[1] or dt.timedelta())


def _time(card: Card) -> dt.timedelta | None:
    moment = parse_moment(card.value) if isinstance(card.value, str) else None
    if moment is not None and moment[1] is not None:
        return moment[1]
    return parse_time(card.value, hours=bool(_HOURS.search(card.comment)))


def _old_date(lookup: Lookup) -> Moment | None:
    for card in lookup.cards("DATE"):
        if _BEGINNING.search(card.comment):
            return parse_moment(card.value)
    return None
