"""Waits grow to their cap, and are spread."""

from hypothesis import given
from hypothesis import strategies as st

from shared.backoff import delay

ATTEMPTS = st.integers(1, 10**9)
SECONDS = st.floats(1e-3, 1e9)
RANDOM = st.floats(0, 1)


@given(ATTEMPTS, SECONDS, SECONDS, RANDOM)
def test_a_wait_is_between_half_and_the_whole_of_what_it_may_be(
    attempt: int, base: float, cap: float, random: float
) -> None:
    least = min(base, cap) / 2
    assert least <= delay(attempt, base=base, cap=cap, random=random) <= cap


@given(ATTEMPTS, SECONDS, SECONDS, RANDOM)
def test_waits_never_become_shorter(attempt: int, base: float, cap: float, random: float) -> None:
    now = delay(attempt, base=base, cap=cap, random=random)
    assert delay(attempt + 1, base=base, cap=cap, random=random) >= now


@given(st.integers(1, 20), RANDOM)
def test_waits_double_below_the_cap(attempt: int, random: float) -> None:
    now = delay(attempt, base=1.0, cap=1e9, random=random)
    assert delay(attempt + 1, base=1.0, cap=1e9, random=random) == 2 * now


@given(ATTEMPTS, SECONDS, SECONDS)
def test_chance_spreads_a_wait_over_half_of_it(attempt: int, base: float, cap: float) -> None:
    shortest = delay(attempt, base=base, cap=cap, random=0.0)
    assert delay(attempt, base=base, cap=cap, random=1.0) == 2 * shortest
