"""The header of one HDU in a file: found, bounded, and refused in words that help."""

import re
from dataclasses import dataclass
from typing import BinaryIO

from shared.errors import BadHeaderError, NotFitsError, TruncatedError
from shared.fits.cards import CARD_LENGTH, parse_cards
from shared.fits.model import Card

__all__ = ["BLOCK", "MAX_HEADER_BYTES", "Header", "check_beginning", "read_header"]

BLOCK = 2880
MAX_HEADER_BYTES = 8 << 20
"""Most bytes of one header: 100,000 cards. The longest header of the survey had 1,300."""

_END = re.compile(rb"END[ \0]{77}")
_FOREIGN = (
    (re.compile(rb"\s*(<!DOCTYPE\s+html|<html)", re.IGNORECASE), " (an HTML page?)"),
    (re.compile(rb"\s*<"), " (XML or HTML?)"),
    (re.compile(rb"version https://git-lfs"), " (a git-lfs pointer, not the file itself)"),
    (re.compile(rb"\x1f\x8b"), " (gzip inside the outer stream: packed twice?)"),
    (re.compile(rb"BZh\d"), " (bzip2 inside the outer stream: packed twice?)"),
    (re.compile(rb"PK\x03\x04"), " (a zip file?)"),
    (re.compile(rb"\xfd7zXZ"), " (an xz stream: only gzip, bzip2 and tile compression are unpacked)"),
    (re.compile(rb"\x28\xb5\x2f\xfd"), " (a zstd stream: only gzip, bzip2 and tile compression are unpacked)"),
    (re.compile(rb"\x1f\x9d"), " (a compress stream: only gzip, bzip2 and tile compression are unpacked)"),
    (re.compile(rb"\x89PNG|\xff\xd8\xff|GIF8|II\*\0|MM\0\*"), " (a picture?)"),
    (re.compile(rb"%PDF"), " (a PDF?)"),
    (re.compile(rb"\x89HDF"), " (an HDF5 file?)"),
    (re.compile(rb"\s*[{\[]"), " (JSON?)"),
    (re.compile(rb"\0{9}"), " (zero bytes: a file that was allocated and never written?)"),
    (re.compile(rb"[\x20-\x7e/]{1,4096}\n?$"), " (a short text: the target of a symbolic link, or a message?)"),
)


@dataclass(frozen=True, slots=True)
class Header:
    """One header: its cards, its length in bytes with padding, and what is odd about it."""

    cards: tuple[Card, ...]
    length: int
    notes: tuple[str, ...] = ()

    def first(self, keyword: str) -> Card | None:
        """Return the first card of that keyword."""
        return next((card for card in self.cards if card.keyword == keyword), None)


def check_beginning(stream: BinaryIO, size: int) -> None:
    """Refuse a file that does not begin as FITS, and say what it looks like instead.

    Raises
    ------
    NotFitsError
        The file is empty or begins otherwise.
    """
    if size == 0:
        raise NotFitsError("empty: 0 bytes")
    stream.seek(0)
    head = stream.read(BLOCK)
    if re.match(rb"SIMPLE {0,2} ?=", head):
        return
    if re.match(rb"\s{0,8}(SIMPLE|XTENSION)", head):
        raise NotFitsError(
            f"not FITS: begins with {_quoted(head)}; a FITS file begins with 'SIMPLE  =' "
            "at its first byte, so its start was lost or shifted"
        )
    guess = next((words for pattern, words in _FOREIGN if pattern.match(head)), "")
    raise NotFitsError(f"not FITS: begins with {_quoted(head)}{guess}; a FITS file begins with 'SIMPLE  ='")


def read_header(stream: BinaryIO, offset: int, place: str) -> Header:
    """Read the header that begins at byte ``offset`` of a file.

    Parameters
    ----------
    place
        How messages name the HDU, for instance ``HDU 1``.

    Raises
    ------
    TruncatedError
        The file ends before the END card.
    BadHeaderError
        There is no END card at a card's place within `MAX_HEADER_BYTES`, or cards are shifted.
    """
    stream.seek(offset)
    raw = bytearray()
    while (end := _end_of(raw)) is None:
        if len(raw) >= MAX_HEADER_BYTES:
            raise BadHeaderError(f"{place}: no END card in the first {len(raw):,} bytes of its header")
        block = stream.read(BLOCK)
        if not block:
            raise _without_end(bytes(raw), place)
        raw += block
    records = (bytes(raw[at : at + CARD_LENGTH]) for at in range(0, end, CARD_LENGTH))
    cards, odd = parse_cards(records)
    length = -(-(end + CARD_LENGTH) // BLOCK) * BLOCK
    return Header(cards, length, tuple(_oddities(bytes(raw), end, odd, place)))


def _end_of(raw: bytearray) -> int | None:
    """Return where END stands in the last block read, if it does."""
    start = max(0, (len(raw) - 1) // BLOCK * BLOCK)
    for at in range(start, len(raw), CARD_LENGTH):
        if raw[at : at + 3] == b"END" and not raw[at + 3 : at + CARD_LENGTH].strip(b" \0"):
            return at
    return None


def _without_end(raw: bytes, place: str) -> BadHeaderError | TruncatedError:
    if match := _END.search(raw):
        shift = match.start() % CARD_LENGTH
        wrong = f"{CARD_LENGTH - shift} too short or {shift} too long"
        return BadHeaderError(
            f"{place}: its END card stands at byte {match.start():,} of the header, not at a multiple of "
            f"{CARD_LENGTH}: the cards before it are in sum {wrong} (edited or transferred as text?)"
        )
    if b"\n" in raw[:BLOCK]:
        return BadHeaderError(f"{place}: no END card, and line breaks in the header (edited or transferred as text?)")
    return TruncatedError(f"{place}: the file ends after {len(raw):,} bytes of its header, before the END card")


def _oddities(raw: bytes, end: int, odd: int, place: str) -> list[str]:
    notes = []
    if odd:
        notes.append(f"{place}: {odd} header card{'s' * (odd != 1)} without a legal value, kept as text")
    used = raw[:end]
    if b"\0" in used:
        notes.append(f"{place}: NUL bytes in the header")
    if not used.isascii():
        notes.append(f"{place}: header bytes outside ASCII")
    return notes


def _quoted(head: bytes) -> str:
    text = head[:14].decode("ascii", "backslashreplace")
    return "'" + "".join(char if char.isprintable() else repr(char)[1:-1] for char in text) + "'"
