import os
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.errors import BadHeaderError, FitsError, NotFitsError, TruncatedError
from shared.fits.container import unpacked
from shared.fits.describe import describe
from shared.fits.headers import MAX_HEADER_BYTES
from shared.fits.model import ChecksumState
from shared.fits.structure import MAX_HDUS, Structure, read_structure
from tests.fits.builders import card, compressed, header, image, padded, record, table, write


def structure(folder: Path, *hdus: bytes) -> Structure:
    return read_structure(write(folder, *hdus))


def refusal(folder: Path, *hdus: bytes) -> FitsError:
    with pytest.raises(FitsError) as caught:
        structure(folder, *hdus)
    return caught.value


def test_offsets_kinds_and_shapes(tmp_path: Path) -> None:
    found = structure(
        tmp_path,
        image(axes=()),
        image(card("EXTNAME", "SCI"), card("EXTVER", 2), axes=(50, 40), extension=True),
        table(card("EXTNAME", "CAT")),
        compressed(axes=(6, 4)),
        header(card("XTENSION", "DUMP"), card("BITPIX", 8), card("NAXIS", 1), card("NAXIS1", 5)) + padded(bytes(5)),
    )
    assert [hdu.kind for hdu in found.hdus] == ["image", "image", "table", "compressed-image", "DUMP"]
    assert [hdu.axes for hdu in found.hdus] == [(), (50, 40), (4, 2), (6, 4), (5,)]
    assert [(hdu.name, hdu.version) for hdu in found.hdus[1:3]] == [("SCI", 2), ("CAT", None)]
    assert [hdu.header_offset for hdu in found.hdus] == [0, 2880, 11520, 17280, 23040]
    assert found.hdus[1].data_offset == 5760
    assert found.hdus[1].data_bytes == 4000
    assert (found.notes, found.damage) == ((), {})


def test_random_groups_have_the_size_of_the_standard(tmp_path: Path) -> None:
    cards = [card("NAXIS", 3), card("NAXIS1", 0), card("NAXIS2", 3), card("NAXIS3", 4)]
    groups = [card("GROUPS", True), card("PCOUNT", 6), card("GCOUNT", 10)]
    head = header(card("SIMPLE", True), card("BITPIX", -32), *cards, *groups)
    (hdu,) = structure(tmp_path, head + padded(bytes(720))).hdus
    assert (hdu.kind, hdu.data_bytes) == ("random-groups", 4 * 10 * (6 + 12))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty: 0 bytes"),
        (b"<!DOCTYPE html><html>", r"'<!DOCTYPE html' \(an HTML page\?\)"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "git-lfs pointer"),
        (b"../archive/frame.fits", "symbolic link"),
        (b"\x1f\x8b\x08\x00", "packed twice"),
        (b"PK\x03\x04....", "zip"),
        (bytes(5760), "zero bytes"),
        (b"\r\nSIMPLE  =                    T", "lost or shifted"),
        (b"XTENSION= 'IMAGE   '", "lost or shifted"),
        (b"\x00\x01\x02\xff garbage \x80", r"begins with"),
    ],
)
def test_what_is_not_fits_is_told_what_it_looks_like(tmp_path: Path, data: bytes, words: str) -> None:
    path = write(tmp_path, data)
    with pytest.raises(NotFitsError, match=words):
        read_structure(path)


def test_cut_data_are_told_with_hdu_and_bytes(tmp_path: Path) -> None:
    science = image(card("EXTNAME", "SCI"), axes=(50, 40), extension=True)
    error = refusal(tmp_path, image(axes=()), science[: 2880 + 1234])
    assert isinstance(error, TruncatedError)
    assert str(error).startswith("truncated: HDU 1 (SCI) needs 4,000 bytes of data, the file has 1,234 of them")


def test_a_cut_header_is_told(tmp_path: Path) -> None:
    error = refusal(tmp_path, image()[:400])
    assert isinstance(error, TruncatedError)
    assert "HDU 0: the file ends after 400 bytes of its header" in str(error)


def test_missing_padding_is_noted(tmp_path: Path) -> None:
    found = structure(tmp_path, image()[: 2880 + 24])
    assert found.notes == ("HDU 0: the last 2,856 bytes of padding are missing; all data are there",)


@pytest.mark.parametrize(
    ("tail", "words"),
    [
        (b"junk", "4 bytes of other content follow the last HDU"),
        (bytes(2880), "2,880 bytes of padding follow"),
        (b" " * 10 + image(extension=True), "extension that does not begin on a block boundary"),
    ],
)
def test_trailing_junk_is_noted(tmp_path: Path, tail: bytes, words: str) -> None:
    found = structure(tmp_path, image(), tail)
    assert len(found.hdus) == 1
    assert words in found.notes[0]


def test_shifted_cards_are_told(tmp_path: Path) -> None:
    raw = image().replace(b"NAXIS1  =  ", b"NAXIS1  =", 1)
    assert "2 too short or 78 too long" in str(refusal(tmp_path, raw))


@pytest.mark.parametrize(
    ("cards", "words"),
    [
        ([card("BITPIX", 12), card("NAXIS", 0)], "BITPIX = 12"),
        ([card("NAXIS", 0)], "no value for BITPIX"),
        ([card("BITPIX", 8), card("NAXIS", -1)], "NAXIS = -1 is out of range"),
        ([card("BITPIX", 8), card("NAXIS", 10**9)], "NAXIS = 1,000,000,000, the most is 999"),
        ([card("BITPIX", 8), card("NAXIS", "two")], "NAXIS = 'two' is not an integer"),
        ([card("BITPIX", 8), card("NAXIS", 1), card("NAXIS1", 1.5)], "NAXIS1 = '1.5' is not an integer"),
        ([card("BITPIX", 8), card("NAXIS", 1), card("NAXIS1", 10**30)], "NAXIS1 = .* is out of range"),
        ([card("BITPIX", 8), card("NAXIS", 2), card("NAXIS1", 1)], "no value for NAXIS2"),
        ([card("BITPIX", 8), card("NAXIS", 1), card("NAXIS1", None)], "no value for NAXIS1"),
    ],
)
def test_a_lying_header_is_told_by_keyword(tmp_path: Path, cards: list[str], words: str) -> None:
    path = write(tmp_path, header(card("SIMPLE", True), *cards))
    with pytest.raises(BadHeaderError, match=f"HDU 0: .*{words}"):
        read_structure(path)


def test_a_huge_naxis_is_truncation_and_costs_nothing(tmp_path: Path) -> None:
    axes = [card(f"NAXIS{n}", 2**62) for n in range(1, 1000)]
    error = refusal(tmp_path, header(card("SIMPLE", True), card("BITPIX", -64), card("NAXIS", 999), *axes))
    assert isinstance(error, TruncatedError)
    assert "needs more than 1e300 bytes" in str(error)


def test_a_header_without_end_is_bounded(tmp_path: Path) -> None:
    path = write(tmp_path, record(card("SIMPLE", True)))
    os.truncate(path, 1 << 32)
    with pytest.raises(BadHeaderError, match=f"no END card in the first {-(-MAX_HEADER_BYTES // 2880) * 2880:,} bytes"):
        read_structure(path)


def test_the_number_of_hdus_is_bounded(tmp_path: Path) -> None:
    extension = image(axes=(), extension=True)
    assert f"more than {MAX_HDUS:,} HDUs" in str(refusal(tmp_path, image(axes=()), extension * MAX_HDUS))


def test_astropys_checksums_verify_and_a_flipped_bit_fails(tmp_path: Path) -> None:
    path = tmp_path / "frame.fits"
    pixels = np.arange(5000, dtype=np.int16).reshape(50, 100)
    fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(pixels, name="SCI")]).writeto(path, checksum=True)
    good = read_structure(path).hdus
    assert {state for hdu in good for state in (hdu.checksum, hdu.datasum)} == {ChecksumState.VERIFIED}
    raw = bytearray(path.read_bytes())
    raw[good[1].data_offset + 77] ^= 4
    path.write_bytes(raw)
    bad = read_structure(path)
    assert (bad.hdus[1].checksum, bad.hdus[1].datasum) == (ChecksumState.FAILED, ChecksumState.FAILED)
    assert bad.hdus[0].checksum is ChecksumState.VERIFIED
    assert "HDU 1 (SCI): DATASUM does not verify" in bad.notes


def test_a_changed_card_fails_the_checksum_alone(tmp_path: Path) -> None:
    path = tmp_path / "frame.fits"
    fits.PrimaryHDU(np.ones((3, 3)), header=fits.Header([("OBJECT", "M 31")])).writeto(path, checksum=True)
    path.write_bytes(path.read_bytes().replace(b"M 31", b"M 32"))
    (hdu,) = read_structure(path).hdus
    assert (hdu.checksum, hdu.datasum) == (ChecksumState.FAILED, ChecksumState.VERIFIED)


@pytest.mark.parametrize(
    ("hdu", "words"),
    [
        (compressed(start=10**6), "tile 1 lies outside the 32 bytes of its heap"),
        (compressed(start=1), "tile 4 lies outside"),
        (compressed(start=-5), "tile 1 lies outside"),
        (compressed(rows=3), "make 4 tiles, its table has 3 rows"),
        (compressed(card("THEAP", 5)), "its heap begins at byte 5"),
        (compressed(card("ZTILE1", 0)), "ZTILEn is not a positive integer"),
        (compressed().replace(b"COMPRESSED_DATA", b"COMPRESSED_DALI"), "no column of compressed tiles"),
        (compressed().replace(b"1PB(8)", b"900J  "), "do not fit into NAXIS1"),
        (compressed(axes=(2**40, 2**40), rows=4), "tiles, its table has 4 rows"),
    ],
)
def test_a_lying_compressed_image_is_found(tmp_path: Path, hdu: bytes, words: str) -> None:
    found = structure(tmp_path, image(axes=()), hdu)
    assert words in found.damage[1]


def test_a_real_compressed_image_is_sound(tmp_path: Path) -> None:
    path = tmp_path / "frame.fits.fz"
    pixels = np.random.default_rng(1).normal(1000, 10, (64, 48)).astype(np.float32)
    fits.HDUList([fits.PrimaryHDU(), fits.CompImageHDU(pixels, name="SCI", tile_shape=(16, 48))]).writeto(path)
    found = read_structure(path)
    assert (found.hdus[1].axes, found.hdus[1].bitpix, dict(found.damage)) == ((48, 64), -32, {})


MUTABLE = image(card("OBJECT", "M 31"), axes=()) + compressed(card("EXTNAME", "SCI")) + table()


@given(st.lists(st.tuples(st.integers(0, len(MUTABLE) - 1), st.binary(min_size=1, max_size=12)), max_size=8), st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300, deadline=None)
def test_damaged_files_are_described_or_refused(
    tmp_path: Path, edits: list[tuple[int, bytes]], data: st.DataObject
) -> None:
    raw = bytearray(MUTABLE)
    for at, new in edits:
        raw[at : at + len(new)] = new
    path = write(tmp_path, bytes(raw[: data.draw(st.integers(0, len(raw)))]))
    words = ""
    try:
        with unpacked(path, work_dir=tmp_path, limit=1 << 20) as (plain, container):
            describe(plain, container=container)
    except FitsError as error:
        words = str(error)
    assert len(words) < 400


@given(st.binary(max_size=4000))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_random_bytes_behind_simple_are_described_or_refused(tmp_path: Path, raw: bytes) -> None:
    path = write(tmp_path, record("SIMPLE  =                    T") + raw)
    words = "described"
    try:
        read_structure(path)
    except FitsError as error:
        words = str(error)
    assert 0 < len(words) < 400
