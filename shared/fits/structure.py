"""A bounded walk over the HDUs of a plain FITS file: headers, sizes, offsets, damage."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO

from shared.errors import BadHeaderError, TruncatedError
from shared.fits.headers import BLOCK, Header, check_beginning, read_header
from shared.fits.model import CardValue, ChecksumState, Hdu
from shared.fits.values import MAX_TEXT

__all__ = ["MAX_HDUS", "Structure", "read_structure"]

MAX_HDUS = 10_000
MAX_HEADERS_BYTES = 64 << 20
"""Most bytes of all headers of one file together."""

_MAX_KIND = 32
_JUNK_LOOK = 4 << 20
_BITPIX = frozenset({8, 16, 32, 64, -32, -64})
_MAX_NAXIS = 999
_MAX_AXIS = 2**63 - 1
_KINDS = {
    "IMAGE": "image",
    "IUEIMAGE": "image",
    "BINTABLE": "table",
    "A3DTABLE": "table",
    "TABLE": "ascii-table",
}


@dataclass(frozen=True, slots=True)
class Structure:
    """What a walk found: the HDUs, oddities that were survived, and by HDU index damage of compressed images."""

    hdus: tuple[Hdu, ...]
    notes: tuple[str, ...]
    damage: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Shape:
    kind: str
    axes: tuple[int, ...]
    bitpix: int
    data_bytes: int


def read_structure(path: Path, *, verify: bool = True) -> Structure:
    """Walk over a plain FITS file without reading more of its data units than their checksums ask for.

    Without ``verify`` no data unit is read, no checksum and no table of a compressed image is looked at: such a walk
    needs no numpy.

    Memory stays bounded by `headers.MAX_HEADER_BYTES`, `MAX_HEADERS_BYTES` and `MAX_HDUS`.

    Raises
    ------
    NotFitsError
        The file is not FITS.
    TruncatedError
        It ends within a header or within data (missing padding alone is noted).
    BadHeaderError
        A header that cannot be read: no END, illegal or missing BITPIX or NAXIS, absurd sizes.
    """
    with path.open("rb") as stream:
        size = stream.seek(0, 2)
        check_beginning(stream, size)
        return _walk(stream, size, verify=verify)


def _walk(stream: BinaryIO, size: int, *, verify: bool) -> Structure:
    hdus: list[Hdu] = []
    notes: list[str] = []
    damage: dict[int, str] = {}
    offset = header_bytes = 0
    while offset < size:
        if hdus and not _is_extension(stream, offset):
            notes.append(_junk(stream, offset, size))
            break
        if len(hdus) == MAX_HDUS:
            raise BadHeaderError(f"more than {MAX_HDUS:,} HDUs")
        header = read_header(stream, offset, f"HDU {len(hdus)}")
        header_bytes += header.length
        if header_bytes > MAX_HEADERS_BYTES:
            raise BadHeaderError(f"more than {MAX_HEADERS_BYTES:,} bytes of headers, at HDU {len(hdus)}")
        notes.extend(header.notes)
        hdu = _hdu(size, header, offset, len(hdus), notes)
        if verify:
            hdu = _verified(stream, hdu, header, notes, damage)
        hdus.append(hdu)
        offset = hdu.data_offset + _padded(hdu.data_bytes)
    return Structure(tuple(hdus), tuple(notes), damage)


def _hdu(size: int, header: Header, offset: int, index: int, notes: list[str]) -> Hdu:
    name_card, version_card = header.first("EXTNAME"), header.first("EXTVER")
    name = name_card.value.strip()[:MAX_TEXT] if name_card is not None and isinstance(name_card.value, str) else ""
    place = _place(index, name)
    shape = _shape(header, index, place)
    data_offset = offset + header.length
    _check_room(shape.data_bytes, data_offset, size, place, notes)
    if index == 0 and header.cards[0].value is not True:
        notes.append("HDU 0: SIMPLE is not T")
    version = version_card.value if version_card is not None else None
    return Hdu(
        index=index,
        kind=shape.kind,
        name=name,
        version=version if isinstance(version, int) and not isinstance(version, bool) else None,
        axes=shape.axes,
        bitpix=shape.bitpix,
        header_offset=offset,
        data_offset=data_offset,
        data_bytes=shape.data_bytes,
        checksum=ChecksumState.ABSENT,
        datasum=ChecksumState.ABSENT,
        cards=header.cards,
    )


def _verified(stream: BinaryIO, hdu: Hdu, header: Header, notes: list[str], damage: dict[int, str]) -> Hdu:
    from shared.fits import verification  # noqa: PLC0415 - brings numpy, which the API does without

    place = _place(hdu.index, hdu.name)
    checksum, datasum = verification.checksum_states(stream, header, hdu.header_offset, hdu.data_bytes)
    notes.extend(
        f"{place}: {keyword} does not verify"
        for keyword, state in (("CHECKSUM", checksum), ("DATASUM", datasum))
        if state is ChecksumState.FAILED
    )
    if hdu.kind == "compressed-image" and (problem := verification.tile_damage(stream, hdu)):
        damage[hdu.index] = f"{place}: {problem}"
    return replace(hdu, checksum=checksum, datasum=datasum)


def _shape(header: Header, index: int, place: str) -> _Shape:
    first = {card.keyword: card.value for card in reversed(header.cards)}
    bitpix = _integer(first, "BITPIX", place)
    if bitpix not in _BITPIX:
        raise BadHeaderError(f"{place}: BITPIX = {bitpix}, must be one of 8, 16, 32, 64, -32, -64")
    axes = _axes(first, "NAXIS", place)
    kind = "image" if index == 0 else _extension_kind(first.get("XTENSION"))
    if index == 0 and axes and axes[0] == 0 and first.get("GROUPS") is True:
        kind = "random-groups"
    pixels = math.prod(axes[1:] if kind == "random-groups" else axes) if axes else 0
    pcount, gcount = 0, 1
    if index or kind == "random-groups":
        pcount = _integer(first, "PCOUNT", place, default=0, least=0)
        gcount = _integer(first, "GCOUNT", place, default=1, least=0)
    data_bytes = abs(bitpix) // 8 * gcount * (pcount + pixels)
    if kind == "table" and first.get("ZIMAGE") is True:
        kind, axes, bitpix = "compressed-image", _axes(first, "ZNAXIS", place), _integer(first, "ZBITPIX", place)
        if bitpix not in _BITPIX:
            raise BadHeaderError(f"{place}: ZBITPIX = {bitpix}, must be one of 8, 16, 32, 64, -32, -64")
    return _Shape(kind, axes, bitpix, data_bytes)


def _extension_kind(value: CardValue) -> str:
    word = value.strip() if isinstance(value, str) else ""
    return _KINDS.get(word.upper(), word[:_MAX_KIND] or "unknown")


def _axes(first: Mapping[str, CardValue], stem: str, place: str) -> tuple[int, ...]:
    count = _integer(first, stem, place, least=0)
    if count > _MAX_NAXIS:
        raise BadHeaderError(f"{place}: {stem} = {count:,}, the most is {_MAX_NAXIS}")
    return tuple(_integer(first, f"{stem}{n}", place, least=0) for n in range(1, count + 1))


def _integer(
    first: Mapping[str, CardValue], keyword: str, place: str, *, default: int | None = None, least: int | None = None
) -> int:
    value = first.get(keyword)
    if value is None and default is not None:
        return default
    if value is None:
        raise BadHeaderError(f"{place}: the header has no value for {keyword}")
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise BadHeaderError(f"{place}: {keyword} = {str(value)[:40]!r} is not an integer")
    if (least is not None and value < least) or abs(value) > _MAX_AXIS:
        raise BadHeaderError(f"{place}: {keyword} = {value:,} is out of range")
    return value


def _check_room(data_bytes: int, data_offset: int, size: int, place: str, notes: list[str]) -> None:
    present = max(0, size - data_offset)
    if present < data_bytes:
        raise TruncatedError(
            f"truncated: {place} needs {_count(data_bytes)} bytes of data, the file has {present:,} of them: "
            "was the upload cut off, or does NAXIS lie?"
        )
    missing = _padded(data_bytes) - present
    if missing > 0:
        notes.append(f"{place}: the last {missing:,} bytes of padding are missing; all data are there")


def _is_extension(stream: BinaryIO, offset: int) -> bool:
    stream.seek(offset)
    return stream.read(9) == b"XTENSION="


def _junk(stream: BinaryIO, offset: int, size: int) -> str:
    what = "padding"
    for chunk in _chunks(stream, offset, _JUNK_LOOK):
        if b"XTENSION= '" in chunk:
            what = "content follow the last HDU, with an extension that does not begin on a block boundary in them"
            return f"{size - offset:,} bytes of {what}"
        if chunk.strip(b"\0 "):
            what = "other content"
    return f"{size - offset:,} bytes of {what} follow the last HDU"


def _chunks(stream: BinaryIO, offset: int, most: int) -> Iterator[bytes]:
    stream.seek(offset)
    while most > 0 and (chunk := stream.read(min(most, 1 << 16))):
        most -= len(chunk)
        yield chunk


def _padded(length: int) -> int:
    return -(-length // BLOCK) * BLOCK


def _place(index: int, name: str) -> str:
    return f"HDU {index} ({name[:68]})" if name else f"HDU {index}"


def _count(number: int) -> str:
    return f"{number:,}" if number < 10**18 else f"{number:.1e}" if number < 10**300 else "more than 1e300"
