"""Names looked up at a server that speaks as Sesame does."""

from collections.abc import Iterator

import pytest

from shared.errors import ResolverError, UnknownTargetError
from shared.resolver.answers import Position
from shared.resolver.client import Resolver
from tests.resolver.sesame import M51, Sesame, resolver_server


@pytest.fixture(scope="module")
def sesame() -> Iterator[Sesame]:
    with resolver_server() as server:
        yield server


def test_a_known_name_has_a_position(sesame: Sesame) -> None:
    found = Resolver(sesame.url).look_up("M 51")
    assert (found.ra, found.dec) == pytest.approx(M51, abs=1e-6)


@pytest.mark.parametrize("name", ["nobody", "M51&evil=1", "../../x?y#z", "Ü % +"])
def test_an_unknown_name_arrives_as_it_is_and_is_told_from_trouble(sesame: Sesame, name: str) -> None:
    with pytest.raises(UnknownTargetError):
        Resolver(sesame.url).look_up(name)
    assert sesame.asked[-1].replace("%2B", "+") == name


def test_answers_are_kept_for_a_while(sesame: Sesame) -> None:
    now = [0.0]
    resolver = Resolver(sesame.url, clock=lambda: now[0])
    before = len(sesame.asked)
    for _ in range(3):
        resolver.look_up(" M   51 ")
        with pytest.raises(UnknownTargetError):
            resolver.look_up("nobody")
    assert sesame.asked[before:] == ["M 51", "nobody"]
    now[0] = 3600.0
    resolver.look_up("M 51")
    with pytest.raises(UnknownTargetError):
        resolver.look_up("nobody")
    assert sesame.asked[before + 2 :] == ["nobody"]


def test_an_observatory_s_own_answers_json(sesame: Sesame) -> None:
    assert Resolver(f"{sesame.address}/json?{{name}}").look_up("mine") == Position(10.5, -20.0)
    assert Resolver(f"{sesame.address}/here?{{name}}").look_up("mine") == Position(10.5, -20.0)
    with pytest.raises(UnknownTargetError):
        Resolver(f"{sesame.address}/json?{{name}}").look_up("theirs")


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("elsewhere", "another place"),
        ("round", "again and again"),
        ("long", "too long"),
        ("html", "position"),
        ("far", "position"),
        ("500", "500"),
        ("slow", "in time"),
    ],
)
def test_what_is_no_answer_is_trouble_and_not_kept(sesame: Sesame, path: str, words: str) -> None:
    resolver = Resolver(f"{sesame.address}/{path}?{{name}}", seconds=0.5)
    before = len(sesame.asked)
    for _ in range(2):
        with pytest.raises(ResolverError, match=words) as caught:
            resolver.look_up("M 51")
        assert not isinstance(caught.value, UnknownTargetError)
    assert len(sesame.asked) >= before + 2


def test_nobody_there_is_trouble() -> None:
    with pytest.raises(ResolverError, match="ConnectionRefusedError"):
        Resolver("http://127.0.0.1:9/?{name}").look_up("M 51")


def test_not_found_is_an_unknown_name(sesame: Sesame) -> None:
    with pytest.raises(UnknownTargetError):
        Resolver(f"{sesame.address}/404?{{name}}").look_up("M 51")
