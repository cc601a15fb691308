from pathlib import Path

import pytest

from shared.errors import BadDataError
from shared.fits.model import Card, ChecksumState
from tests.fits.builders import card, compressed, described, image, table

SCI = card("EXTNAME", "SCI")
OBSERVED = [card("DATE-OBS", "2014-01-01T00:00:00"), card("EXPTIME", 5.0), card("OBJECT", "M 31")]
EMPTY = image(axes=())


@pytest.mark.parametrize(
    ("hdus", "science"),
    [
        ([image(SCI)], 0),
        ([EMPTY, image(extension=True), image(SCI, extension=True), image(SCI, extension=True)], 2),
        ([EMPTY, compressed(card("EXTNAME", "COMPRESSED_IMAGE"))], 1),
        ([image(*OBSERVED, axes=(0, 0)), image(SCI, extension=True)], 1),
        ([EMPTY, table(), image(axes=(4, 3, 1), extension=True)], 2),
        ([image(), image(extension=True)], 0),
        ([image(*OBSERVED, axes=(100,))], 0),
        ([EMPTY, image(*OBSERVED, axes=(100,), extension=True)], 1),
        ([image(*OBSERVED, axes=()), table(card("EXTNAME", "CAT"))], 0),
        ([EMPTY, table(SCI), table(*OBSERVED)], 2),
        ([EMPTY, table()], 0),
        ([EMPTY], 0),
    ],
)
def test_the_science_hdu_is_told_by_content(tmp_path: Path, hdus: list[bytes], science: int) -> None:
    assert described(tmp_path, *hdus).science == science


def keywords(cards: tuple[Card, ...]) -> list[str]:
    return [one.keyword for one in cards]


def test_the_merged_header_has_what_only_the_primary_holds(tmp_path: Path) -> None:
    primary = image(card("OBJECT", "of the primary"), card("EXPTIME", 5.0), card("CHECKSUM", ""), "COMMENT x", axes=())
    found = described(tmp_path, primary, image(SCI, card("OBJECT", "of SCI"), extension=True)).header
    assert found == (
        *(Card("XTENSION", "IMAGE"), Card("BITPIX", 16), Card("NAXIS", 2), Card("NAXIS1", 4), Card("NAXIS2", 3)),
        *(Card("PCOUNT", 0), Card("GCOUNT", 1), Card("EXTNAME", "SCI"), Card("OBJECT", "of SCI")),
        Card("EXPTIME", 5.0),
    )


@pytest.mark.parametrize(
    "packed", [compressed(card("SITEID", "elp")), image(card("SITEID", "elp"), axes=(0, 0), extension=True)]
)
def test_the_unnamed_first_extension_of_an_fpacked_file_counts_as_its_primary(tmp_path: Path, packed: bytes) -> None:
    found = described(tmp_path, EMPTY, packed, image(SCI, extension=True))
    assert found.science == 2
    assert found.observation.site == "elp"
    assert "ZIMAGE" not in keywords(found.header)


def test_an_unnamed_image_beside_the_science_does_not_describe_it(tmp_path: Path) -> None:
    other = image(card("SITEID", "elp"), extension=True)
    assert described(tmp_path, EMPTY, other, image(SCI, extension=True)).observation.site is None


def test_a_compressed_header_is_that_of_the_image(tmp_path: Path) -> None:
    texts = [
        card("ZTENSION", "IMAGE"),
        card("ZPCOUNT", 0),
        card("ZDATASUM", "12"),
        card("DATASUM", ""),
        card("ZENITH", 1.5),
    ]
    found = described(tmp_path, EMPTY, compressed(SCI, *texts, axes=(6, 4)))
    assert keywords(found.header) == [
        *("XTENSION", "BITPIX", "NAXIS", "NAXIS1", "NAXIS2", "PCOUNT", "GCOUNT", "EXTNAME", "DATASUM", "ZENITH"),
    ]
    assert found.header[:5] == (
        Card("XTENSION", "IMAGE", "image extension"),
        Card("BITPIX", 16),
        Card("NAXIS", 2),
        Card("NAXIS1", 6),
        Card("NAXIS2", 4),
    )
    assert "TFORM1" in keywords(found.hdus[1].cards)


def test_a_lying_compressed_image_is_refused_where_it_is_the_science(tmp_path: Path) -> None:
    with pytest.raises(BadDataError, match=r"HDU 1 \(SCI\): tile 1 lies outside"):
        described(tmp_path, EMPTY, compressed(SCI, start=10**6))


def test_and_noted_elsewhere(tmp_path: Path) -> None:
    found = described(tmp_path, image(SCI), compressed(card("EXTNAME", "BPM"), start=10**6))
    assert found.notes == ("HDU 1 (BPM): tile 1 lies outside the 32 bytes of its heap",)


def test_a_failed_checksum_outweighs_the_others(tmp_path: Path) -> None:
    found = described(tmp_path, image(card("DATASUM", "0")), image(card("DATASUM", "1"), extension=True))
    assert [hdu.datasum for hdu in found.hdus] == [ChecksumState.VERIFIED, ChecksumState.FAILED]
    assert found.checksum is ChecksumState.FAILED
    assert described(tmp_path, image(card("DATASUM", "0"))).checksum is ChecksumState.VERIFIED
    assert described(tmp_path, image()).checksum is ChecksumState.ABSENT


def test_notes_are_bounded(tmp_path: Path) -> None:
    odd = image("BROKEN  : 5", axes=(), extension=True)
    found = described(tmp_path, image(), *[odd] * 80)
    assert len(found.notes) == 51
    assert found.notes[-1] == "and 30 more notes"
