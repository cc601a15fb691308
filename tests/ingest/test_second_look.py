"""Looking twice, in order and with patience."""

import time
from collections.abc import Iterator, Sequence

from shared.ingest.discrepancies import Discrepancy, DiscrepancyKind
from shared.ingest.second_look import look_twice


def found(keys: Sequence[str]) -> list[Discrepancy]:
    return [Discrepancy(kind=DiscrepancyKind.STALE, key=key) for key in keys]


def test_batches_cover_everything_in_order() -> None:
    stream = [(f"{n:06}", f"{n:06}" if n % 37 == 0 else None) for n in range(25_000)]
    batches = list(look_twice(stream, found, 0.0))
    assert [d.key for batch in batches for d in batch.found] == [key for key, suspect in stream if suspect]
    assert sum(batch.compared for batch in batches) == len(stream)
    assert [batch.position for batch in batches] == sorted(batch.position for batch in batches)
    assert batches[-1].position == stream[-1][0]
    assert max(len(batch.found) for batch in batches) <= 200
    assert list(look_twice([], found, 0.0)) == []


def test_suspects_rest_while_the_stream_is_read_on() -> None:
    seen: dict[str, float] = {}

    def stream() -> Iterator[tuple[str, str | None]]:
        for n in range(1_000):
            seen[f"{n:04}"] = time.monotonic()
            yield f"{n:04}", f"{n:04}"

    def look_again(suspects: Sequence[str]) -> list[Discrepancy]:
        assert all(time.monotonic() - seen[suspect] >= 0.2 for suspect in suspects)
        return found(suspects)

    batches = list(look_twice(stream(), look_again, 0.2))
    assert sum(len(batch.found) for batch in batches) == 1_000
