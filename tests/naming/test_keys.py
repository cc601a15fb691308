import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import BadKeyError, BadTemplateError, FitsvaultError, MissingKeywordError
from shared.naming.frame_names import FrameNames
from shared.naming.header import HeaderValue
from shared.naming.keys import check_key

GOOD = ["a", "a/b.fits", "with blank/plus+/50%/ü.fits", "s" * 255, "/".join(["d" * 250] * 4), "a..b/c.", "x~/$HOME"]
BAD = [
    "",
    "/a",
    "a/",
    "a//b",
    " /b",
    ".",
    "..",
    "../a",
    "a/../b",
    "a/./b",
    "a/..",
    ".uploads/x",
    "a/.hidden",
    "a\\..\\b",
    "a\0b",
    "a\nb",
    "a\x7fb",
    "a\u202eb",
    "a\u2028b",
    "\ud800",
    "s" * 256,
    "ü" * 128,
    "/".join(["d" * 205] * 5),
]
NAMES = FrameNames.parse("{SITEID}/{DAY-OBS}/", None)
HEADER: dict[str, HeaderValue] = {"SITEID": "iag", "DAY-OBS": "20240115", "FNAME": "iag-0001-e00.fits.fz"}


@pytest.mark.parametrize("key", GOOD)
def test_good_keys_stay_as_they_are(key: str) -> None:
    assert check_key(key) == key


@pytest.mark.parametrize("key", BAD)
def test_bad_keys_are_refused_in_words_that_can_be_printed(key: str) -> None:
    with pytest.raises(BadKeyError) as caught:
        check_key(key)
    assert str(caught.value).isascii()
    assert str(caught.value).isprintable()


@given(st.text(alphabet=st.sampled_from(list("ab./\\ \0\n:ü")), max_size=20))
def test_no_key_that_passes_leaves_its_place(key: str) -> None:
    try:
        check_key(key)
    except BadKeyError:
        return
    segments = key.split("/")
    assert not {"", ".", ".."} & set(segments)
    assert not any(segment.startswith(".") for segment in segments)
    assert "\\" not in key
    assert key.isprintable()


def test_the_default_key() -> None:
    assert NAMES.stem(HEADER) == "iag-0001-e00"
    assert NAMES.key(HEADER, "iag-0001-e00.fits.fz") == "iag/20240115/iag-0001-e00.fits.fz"


def test_a_folder_without_last_slash_gets_one() -> None:
    assert FrameNames.parse("{SITEID}", None).key(HEADER, "x.fits") == "iag/x.fits"
    assert FrameNames.parse("", None).key(HEADER, "x.fits") == "x.fits"


def test_a_filename_template_makes_the_name() -> None:
    names = FrameNames.parse("{SITEID}/", "{SITEID}-{DAY-OBS|date:}")
    assert names.stem(HEADER) == "iag-20240115"
    assert not names.needs_name


@pytest.mark.parametrize(
    "changes",
    [
        {"SITEID": ".."},
        {"SITEID": "../../etc"},
        {"SITEID": "/etc"},
        {"SITEID": ""},
        {"SITEID": "a//b"},
        {"SITEID": "a/./b"},
        {"SITEID": "a\\..\\b"},
        {"SITEID": "a\x01"},
        {"SITEID": "s" * 300},
        {"DAY-OBS": ".."},
        {"FNAME": ""},
        {"FNAME": ".fits"},
        {"FNAME": "../../evil.fits"},
        {"FNAME": "/etc/passwd"},
        {"FNAME": "a\\b.fits"},
        {"FNAME": "n" * 256},
    ],
)
def test_header_values_cannot_leave_the_prefix(changes: dict[str, HeaderValue]) -> None:
    header = HEADER | changes
    with pytest.raises(BadKeyError) as caught:
        NAMES.key(header, NAMES.stem(header) + ".fits")
    assert "PATH_FORMATTER" in str(caught.value) or "FNAME" in str(caught.value)


@pytest.mark.parametrize("keyword", sorted(HEADER))
def test_missing_keywords_are_named(keyword: str) -> None:
    header = {name: value for name, value in HEADER.items() if name != keyword}
    with pytest.raises(MissingKeywordError) as caught:
        NAMES.key(header, NAMES.stem(header))
    assert caught.value.keyword == keyword


def test_bad_templates_are_refused_with_the_name_of_their_setting() -> None:
    with pytest.raises(BadTemplateError, match="PATH_FORMATTER"):
        FrameNames.parse("{SITEID", None)
    with pytest.raises(BadTemplateError, match="FILENAME_FORMATTER"):
        FrameNames.parse("", "{SITEID|upper}")


@given(st.fixed_dictionaries(dict.fromkeys(HEADER, st.text(max_size=30) | st.integers() | st.floats() | st.none())))
def test_any_header_gives_a_safe_key_or_a_reason(header: dict[str, HeaderValue]) -> None:
    try:
        key = NAMES.key(header, NAMES.stem(header) + ".fits")
    except FitsvaultError as error:
        assert str(error)  # noqa: PT017
    else:
        assert check_key(key) == key
        assert key.endswith(".fits")
