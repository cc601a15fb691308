"""Which header keywords fill which field of the archive: one table, in the order in which they are tried.

The first keyword with a value wins; null words such as ``N/A`` are no values. An observatory puts its own
keywords before these by the setting ``keyword_synonyms``, by field name. Sources: the headers surveyed for the
archive (LCO, pyobs, MaxIm DL, ACP, N.I.N.A., SGP, APT, SharpCap, Seestar, DWARF, INDI, NOIRLab, CFHT, Gemini,
SAAO, Swope, MRO, HST, ESO, LBT, Subaru, PANOPTES, DSS). TELESCOP does not fill ``telescope``: it holds a
telescope's long name, a mount driver or a serial number, where TELID is an identifier.
"""

from collections.abc import Mapping, Sequence

__all__ = ["SYNONYMS", "Synonyms", "extended"]

Synonyms = Mapping[str, tuple[str, ...]]

SYNONYMS: Synonyms = {
    "site": ("SITEID", "OBSERVAT", "SITENAME"),
    "telescope": ("TELID",),
    "instrument": ("INSTRUME", "DETECTOR", "CAM-ID", "CAMERA"),
    "image_type": ("IMAGETYP", "OBSTYPE", "EXPTYPE", "DATA-TYP", "FRAME"),
    "object_name": ("OBJECT", "TARGNAME", "FIELD", "FIELD_NAME"),
    "filter_name": ("FILTER", "FILTERS", "FILTNAM1", "FILTER01"),
    "filter_wheels": ("FILTER1", "FILTER2", "FILTER3"),
    "exposure_time": ("EXPTIME", "EXPOSURE", "EXP", "EXP_TIME", "EXP-TIME", "ITIME", "ELAPTIME"),
    "date_obs": ("DATE-OBS", "DATE_OBS", "DATEOBS", "DATE-BEG", "DATE-STA", "CAMERA-DATE-OBS", "UT-DATE", "UTDATE"),
    "time_obs": (
        *("UTSTART", "TIME-OBS", "UTC-OBS", "UT", "UT-TIME", "UTC", "UT-STR", "UTIME", "UTOPEN", "UT-OBS"),
        *("TIME-BEG", "TIME_OBS", "UT_OBS", "UTSHUT", "UT_STR"),
    ),
    "julian_date": ("MJD-OBS", "MJD_OBS", "MJD-BEG", "JD", "JD-OBS", "MJD-STR", "EXPSTART", "MJD"),
    "night": ("DAY-OBS", "DAY_OBS", "NIGHT", "OBSNIGHT", "DTCALDAT"),
    "longitude": ("LONGITUD", "LONGITUDE", "SITELONG", "SITE-LON", "LONG-OBS", "OBSGEO-L", "GEOLON", "ESO TEL GEOLON"),
    "binning": (
        *("CCDSUM", "XBINNING/YBINNING", "BINNING", "CCDXBIN/CCDYBIN", "CCDBIN1/CCDBIN2", "DET-BIN1/DET-BIN2"),
        *("BINAXIS1/BINAXIS2", "ESO DET WIN1 BINX/ESO DET WIN1 BINY", "BIN-FCT1/BIN-FCT2", "XBIN/YBIN", "BINX/BINY"),
    ),
    "reduction_level": ("RLEVEL",),
    "proposal_id": ("PROPID", "PROP-ID", "PROJID", "RUNID", "PROPOSID", "GEMPRGID", "ESO OBS PROG ID"),
    "public_date": ("L1PUBDAT", "RELEASE"),
    "origin_name": ("ORIGNAME", "FNAME", "FILENAME", "ARCFILE", "FRAMEID"),
    "request_number": ("REQNUM",),
    "observation_number": ("OBSNUM",),
    "position": (
        *("TEL-RA/TEL-DEC", "RA/DEC", "RA_TARG/DEC_TARG", "RA-MNT/DEC-MNT", "RA-D/DEC-D", "RA_OBS/DEC_OBS"),
        *("OBJCTRA/OBJCTDEC", "RA2000/DEC2000", "TELRA/TELDEC", "OBSRA/OBSDEC", "RA_MNT/DEC_MNT", "RA_DEG/DEC_DEG"),
        *("RADEG/DECDEG", "RA_APER/DEC_APER", "CENTRA/CENTDEC"),
    ),
    "requested_position": ("CAT-RA/CAT-DEC", "FIELD_RA/FIELD_DEC"),
    "altitude": ("TEL-ALT", "ALTITUDE", "TELALT", "CENTALT", "OBJCTALT", "ESO TEL ALT"),
    "azimuth": ("TEL-AZ", "AZIMUTH", "TELAZ", "CENTAZ", "OBJCTAZ", "AZ", "ESO TEL AZ"),
    "focus": ("TEL-FOCU", "FOCPOSN", "FOCUSPOS", "FOCPOS", "TELFOCUS", "FOCUS"),
    "sun_altitude": ("SUNALT",),
    "sun_distance": ("SUNDIST", "SUNANGLE"),
    "moon_altitude": ("MOONALT",),
    "moon_fraction": ("MOONFRAC", "MOON_FRACTION"),
    "moon_distance": ("MOONDIST", "MOONSEP", "MOONANGL"),
    "x_origin": ("XORGSUBF",),
    "y_origin": ("YORGSUBF",),
}
"""Field to keywords. ``A/B`` is a pair of keywords that belong together. The fields are those of `Observation`,
and besides ``binning`` (for both axes), ``time_obs`` and ``julian_date`` (where DATE-OBS has no time, or is not
there), ``longitude`` (of the site, for the night), ``filter_wheels`` (where no keyword names the filter itself)
and ``requested_position`` (where neither telescope nor WCS tell)."""


def extended(user: Mapping[str, Sequence[str]]) -> Synonyms:
    """Return the table with a user's keywords before its own.

    Parameters
    ----------
    user
        Keywords by field name; keywords in any case, HIERARCH ones without that word.

    Raises
    ------
    ValueError
        There is no such field, or a position is not a pair ``RA-KEYWORD/DEC-KEYWORD``.
    """
    if not user:
        return SYNONYMS
    unknown = sorted(set(user) - set(SYNONYMS))
    if unknown:
        raise ValueError(f"no field {unknown[0]!r}; fields are {', '.join(sorted(SYNONYMS))}")
    for field in ("position", "requested_position"):
        lone = next((name for name in user.get(field, ()) if name.count("/") != 1), None)
        if lone is not None:
            raise ValueError(f"{field} needs pairs such as 'RA/DEC', not {lone!r}")
    return {
        field: (*(" ".join(name.upper().split()) for name in user.get(field, ())), *keywords)
        for field, keywords in SYNONYMS.items()
    }
