"""What kind of frame a header's own word means."""

import re

from shared.fits.model import ImageClass

__all__ = ["classify", "is_frame_type", "shows_sky"]

_WORDS: tuple[tuple[ImageClass, re.Pattern[str]], ...] = (
    (ImageClass.DARK, re.compile(r"dark ?flat|flat ?dark")),
    (ImageClass.BIAS, re.compile(r"bias|\bzero\b|offset frame")),
    (ImageClass.DARK, re.compile(r"dark")),
    (ImageClass.FLAT, re.compile(r"flat|\bff\b|twilight")),
    (ImageClass.FOCUS, re.compile(r"focus")),
    (ImageClass.SPECTRUM, re.compile(r"spectr|\barcs?\b|\bcomp\b|\bcomparison\b|\blamps?\b|\bwave\b|\bthar\b")),
    (
        ImageClass.OBJECT,
        re.compile(r"light|\bobj\b|object|expose|exposure|science|\bsci\b|standard|target|trailed|\bsky\b"),
    ),
)
_LAMP = re.compile(r"\barcs?\b|\bcomp\b|\bcomparison\b|lamp|\bwave\b|\bthar\b")
_MODES = frozenset({"IMAGING", "SPECTROSCOPIC", "SPECTROSCOPY", "SPECTROGRAPHIC", "ACQIMAGE"})


def classify(word: str | None) -> ImageClass:
    """Return the class of a word such as ``Light Frame``, ``SKYFLAT``, ``Master Dark`` or ``zero``.

    A dark of the exposure time of flats (``DARKFLAT``) is a dark. Unknown words and None are `ImageClass.OTHER`.
    """
    plain = _plain(word)
    return next((kind for kind, pattern in _WORDS if pattern.search(plain)), ImageClass.OTHER)


def is_frame_type(keyword: str, word: str) -> bool:
    """Whether a keyword's word is a frame type at all.

    FRAME is a frame type for INDI (``Light``) and a coordinate frame for Gemini (``FK5``); OBSTYPE is a mode of
    the instrument for HST (``IMAGING``).
    """
    if word.upper() in _MODES:
        return False
    return keyword != "FRAME" or classify(word) is not ImageClass.OTHER


def shows_sky(kind: ImageClass, word: str | None) -> bool:
    """Whether a WCS of such a frame means anything: not for calibrations, nor for spectra of lamps."""
    return not kind.is_calibration and not (kind is ImageClass.SPECTRUM and _LAMP.search(_plain(word)))


def _plain(word: str | None) -> str:
    return re.sub(r"[\W_]+", " ", (word or "").lower())
