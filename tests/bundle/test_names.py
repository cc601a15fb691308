import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.bundle.names import safe_name, unique_names
from shared.index.text import fold

odd = st.sampled_from(["con.fits", "a.fits", "A.FITS", "..", ".", "", "a.fits ", "é.fits", "e\u0301.fits", "x" * 300])


@pytest.mark.parametrize(
    ("filename", "name"),
    [
        ("vault1m0-sim01-20261121-0012-e00.fits.fz", "vault1m0-sim01-20261121-0012-e00.fits.fz"),
        ("Light_M 94_10.0s.fit", "Light_M 94_10.0s.fit"),
        ("Größe-ζ.fits", "Größe-ζ.fits"),
        ("../../etc/passwd", ".._.._etc_passwd"),
        ("C:\\a.fits", "C__a.fits"),
        ("/etc/passwd", "_etc_passwd"),
        ("..", "frame"),
        (" . ", "frame"),
        ("", "frame"),
        ("a.fits. .", "a.fits"),
        ("line\r\nbreak\0.fits", "line__break_.fits"),
        ("evil\u202estif.exe", "evil_stif.exe"),
        ("lone\ud800.fits", "lone_.fits"),
        ("NUL", "_NUL"),
        ("nul.fits", "_nul.fits"),
        ("CON .fits", "_CON .fits"),
        ("com1.fits.fz", "_com1.fits.fz"),
        ("LPT².fits", "_LPT².fits"),
        ("com10.fits", "com10.fits"),
        ("console.fits", "console.fits"),
        ("what?.fits", "what_.fits"),
    ],
)
def test_names(filename: str, name: str) -> None:
    assert safe_name(filename) == name


@given(st.one_of(st.text(max_size=400), odd))
def test_every_name_is_safe(filename: str) -> None:
    name = safe_name(filename)
    assert name
    assert name not in (".", "..")
    assert 0 < len(name.encode()) <= 240
    assert not re.search(r'[\x00-\x1f\x7f<>:"/\\|?*]', name)
    assert name == name.strip(" ").rstrip(". ")
    assert safe_name(name) == name


def test_a_long_name_keeps_its_extension() -> None:
    assert safe_name("ü" * 200 + ".fits.fz") == "ü" * 111 + ".fits.fz"


@given(st.lists(st.one_of(st.text(max_size=6), odd), max_size=30))
def test_no_two_names_are_the_same_anywhere(filenames: list[str]) -> None:
    names = list(unique_names(filenames))
    assert len(names) == len(filenames)
    assert len({fold(name) for name in names}) == len(names)
    assert all(safe_name(name) == name or len(name.encode()) > 230 for name in names)


def test_many_frames_of_one_name_take_no_long() -> None:
    names = list(unique_names(["a.fits"] * 20000))
    assert names[-1] == "a-20000.fits"
