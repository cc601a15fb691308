"""What is read from a resolver's answers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import ResolverError, UnknownTargetError
from shared.resolver.answers import Position, position_in


@given(st.floats(0, 359.999), st.floats(-90, 90))
def test_every_position_of_either_format_is_read(ra: float, dec: float) -> None:
    line = f"# x\n%J {ra:.6f} {dec:+.6f} = 00:00:00 +00:00:00\n".encode()
    found = position_in(line)
    assert found.ra == pytest.approx(ra, abs=1e-6)
    assert found.dec == pytest.approx(dec, abs=1e-6)
    assert position_in(f'\ufeff {{"ra": {ra!r}, "dec": {dec!r}, "more": 1}}'.encode()) == Position(ra, dec)


def test_the_first_of_several_counts() -> None:
    assert position_in(b"#=S=\r\n%J 1.5 -2.5 = x\r\n#=V=\r\n%J 3 +4 = x\r\n") == Position(1.5, -2.5)


@pytest.mark.parametrize("body", [b"# x\n#!S Nothing found\n", b"#! x", b"{}", b'{"ra": null}'])
def test_an_answer_without_a_position(body: bytes) -> None:
    with pytest.raises(UnknownTargetError):
        position_in(body)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe",
        b"<html>",
        b"{",
        b'{"ra": 1}',
        b'{"ra": "1", "dec": 2}',
        b'{"ra": true, "dec": 2}',
        b'{"ra": 1e400, "dec": 2}',
        b'{"ra": NaN, "dec": 2}',
        b'{"ra": 1' + b"0" * 400 + b', "dec": 2}',
        b"%J 1.2.3 +4.5 = x",
        b"%J 1 +91 = x",
        b"[" * 100_000,
        b'{"a":' * 100_000,
    ],
)
def test_what_is_no_answer(body: bytes) -> None:
    with pytest.raises(ResolverError) as caught:
        position_in(body)
    assert not isinstance(caught.value, UnknownTargetError)
