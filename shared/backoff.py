"""How long to wait before the next attempt: longer each time, and not the same for all who wait."""

__all__ = ["delay"]

_MOST_DOUBLINGS = 1000


def delay(attempt: int, *, base: float, cap: float, random: float) -> float:
    """Return the seconds to wait after a number of failed attempts.

    They double with each attempt up to ``cap``; of that a random part between half and the whole is waited, so that
    those who failed together do not come back together, and none comes back at once. Brooker, "Exponential Backoff
    And Jitter", AWS Architecture Blog (2015), calls it equal jitter.

    Parameters
    ----------
    attempt
        How many attempts have failed so far, from 1.
    base
        Seconds of the wait after the first, without jitter.
    cap
        Seconds of the longest wait.
    random
        A number from 0 to 1, evenly distributed, such as ``random.random()`` gives.

    >>> delay(1, base=1.0, cap=60.0, random=1.0), delay(4, base=1.0, cap=60.0, random=0.5)
    (1.0, 6.0)
    """
    doublings = min(max(attempt, 1) - 1, _MOST_DOUBLINGS)
    whole = min(base * 2.0**doublings, cap)
    return whole * (1.0 + random) / 2.0
