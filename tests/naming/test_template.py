import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import BadKeyError, BadTemplateError, FitsvaultError, MissingKeywordError
from shared.naming.header import HeaderValue
from shared.naming.template import Template

HEADER: dict[str, HeaderValue] = {
    "SITEID": "iag",
    "TELESCOP": "IAG50cm",
    "DAY-OBS": "2024-01-15",
    "DATE-OBS": "2024-01-15T18:00:10.123",
    "IMAGETYP": "object",
    "FILTER": "Rc",
    "EXPTIME": 2.5,
    "FRAMENUM": 7,
    "XBINNING": 2,
    "SIMPLE": True,
    "UNDEFINED": None,
    "ESO DET ID": "ccd",
}


def rendered(source: str, **changes: HeaderValue) -> str:
    header = HEADER | {name.replace("_", "-"): value for name, value in changes.items()}
    return Template.parse("PATH_FORMATTER", source).render(header)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("plain", "plain"),
        ("", ""),
        ("{SITEID}/{DAY-OBS}/", "iag/2024-01-15/"),
        ("{siteid}", "iag"),
        ("{TELESCOP|lower}", "iag50cm"),
        ("{DATE-OBS|time:-}", "18-00-10"),
        ("{DATE-OBS|time}", "18-00-10"),
        ("{DATE-OBS|time:}", "180010"),
        ("{DATE-OBS|date:-}", "2024-01-15"),
        ("{DATE-OBS|date:/}", "2024/01/15"),
        ("{DAY-OBS|date:}", "20240115"),
        ("{FILTER|filter:IMAGETYP:_}", "_Rc"),
        ("{FILTER|filter}", "_Rc"),
        ("{FILTER|filter:IMAGETYP:}", "Rc"),
        ("{EXPTIME|string:05.1f}", "002.5"),
        ("{FRAMENUM|string:04d}", "0007"),
        ("{FRAMENUM}-{XBINNING}x{XBINNING}", "7-2x2"),
        ("{IMAGETYP|type}", "e"),
        ("{EXPTIME|exptime}", "2.5"),
        ("{SIMPLE}", "True"),
        ("{ESO DET ID}", "ccd"),
        (
            "pyobs-{DAY-OBS|date:}-{FRAMENUM|string:04d}-{IMAGETYP|type}00.fits.gz",
            "pyobs-20240115-0007-e00.fits.gz",
        ),
        ("{SITEID}-{IMAGETYP}-{EXPTIME|exptime}{FILTER|filter}", "iag-object-2.5_Rc"),
    ],
)
def test_templates_are_filled(source: str, text: str) -> None:
    assert rendered(source) == text


@pytest.mark.parametrize(
    ("kind", "text"),
    [("light", "_Rc"), ("Object", "_Rc"), ("FLAT", "_Rc"), ("skyflat", "_Rc"), ("bias", ""), ("dark", "")],
)
def test_only_frames_with_a_filter_show_it(kind: str, text: str) -> None:
    assert rendered("{FILTER|filter:IMAGETYP:_}", IMAGETYP=kind) == text


def test_a_bias_needs_no_filter() -> None:
    bias = {"IMAGETYP": "bias"}
    assert Template.parse("X", "b{FILTER|filter}").render(bias) == "b"


@pytest.mark.parametrize(
    ("value", "text"), [(600.0, "600"), (0.333, "0.333"), (600, "600"), ("60", "60"), (1e-5, "1e-05")]
)
def test_whole_seconds_have_no_fraction(value: HeaderValue, text: str) -> None:
    assert rendered("{EXPTIME|exptime}", EXPTIME=value) == text


def test_a_date_with_offset_is_told_in_utc() -> None:
    assert rendered("{DATE-OBS|date:}T{DATE-OBS|time:}", DATE_OBS="2024-01-15T23:30:00-02:00") == "20240116T013000"


def test_what_a_header_holds_is_not_a_template() -> None:
    assert rendered("{SITEID}", SITEID="{FILTER}%s") == "{FILTER}%s"


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("{SITEID", "brace"),
        ("SITEID}", "brace"),
        ("{}", "brace"),
        ("{SITEID|}", "brace"),
        ("{{SITEID}}", "brace"),
        ("{SITEID|upper}", "upper is none of lower, time"),
        ("{SITEID|lower:x}", "lower takes 0 parameters, not 1"),
        ("{EXPTIME|string}", "string takes 1 parameters, not 0"),
        ("{EXPTIME|string:05.1q}", "printf"),
        ("{EXPTIME|string:9999999d}", "printf"),
        ("{EXPTIME|string:(x)s}", "printf"),
        ("{DATE-OBS|time:a:b}", "time takes 0 to 1 parameters, not 2"),
        ("{FILTER|filter:image type:_}", "not a keyword"),
    ],
)
def test_a_bad_template_is_refused_with_its_name(source: str, reason: str) -> None:
    with pytest.raises(BadTemplateError) as caught:
        Template.parse("FITSVAULT_X", source)
    assert "FITSVAULT_X" in str(caught.value)
    assert reason in str(caught.value)


def test_a_missing_keyword_is_told_as_the_predecessor_did() -> None:
    with pytest.raises(MissingKeywordError) as caught:
        rendered("{NIGHT}")
    assert str(caught.value) == "\"Keyword 'NIGHT' not found.\""
    with pytest.raises(MissingKeywordError):
        Template.parse("X", "{FILTER|filter:OBSTYPE:_}").render({"FILTER": "R"})


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("{SITEID|date:-}", ["PATH_FORMATTER", "{SITEID|date:-}", "SITEID = 'iag' is not a date"]),
        ("{SITEID|string:05.1f}", ["PATH_FORMATTER", "SITEID = 'iag' cannot be written as %05.1f"]),
        ("{UNDEFINED}", ["PATH_FORMATTER", "Keyword 'UNDEFINED' has no value"]),
        ("{SITEID|exptime}", ["SITEID = 'iag' is not a number"]),
    ],
)
def test_a_value_that_does_not_fit_is_named(source: str, words: list[str]) -> None:
    with pytest.raises(BadKeyError) as caught:
        rendered(source)
    for word in words:
        assert word in str(caught.value)


@given(st.text())
def test_any_text_is_a_template_or_refused(source: str) -> None:
    try:
        template = Template.parse("X", source)
    except BadTemplateError:
        return
    if "{" not in source:
        assert template.render({}) == source


VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.complex_numbers() | st.text()
SOURCES = [
    "{K}",
    "{K|lower}",
    "{K|time}",
    "{K|date:}",
    "{K|filter:K}",
    "{K|string:d}",
    "{K|string:5.1f}",
    "{K|string:c}",
    "{K|string:s}",
    "{K|type}",
    "{K|exptime}",
]


@given(st.sampled_from(SOURCES), VALUES)
def test_any_value_fills_or_is_refused(source: str, value: HeaderValue) -> None:
    try:
        assert isinstance(Template.parse("X", source).render({"K": value}), str)
    except FitsvaultError as error:
        assert str(error)  # noqa: PT017
