"""Small files of which the drill knows, by their content alone, whether they are frames."""

import datetime as dt
import gzip
import hashlib
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from shared.simulator import simulate_frame

__all__ = ["Payload", "Payloads"]


@dataclass(frozen=True, slots=True)
class Payload:
    """The bytes of one upload, what is right for them, and how a pipeline would end their name."""

    data: bytes = field(repr=False)
    kind: str
    is_frame: bool
    ending: str
    has_catalog: bool
    sha256: str


def _payload(data: bytes, kind: str, *, is_frame: bool, ending: str = ".fits", has_catalog: bool = False) -> Payload:
    return Payload(data, kind, is_frame, ending, has_catalog, hashlib.sha256(data).hexdigest())


class Payloads:
    """A stock of distinct files, and the verdict on any bytes that may turn up in their place."""

    def __init__(self, random: random.Random, frames: int) -> None:
        self._random = random
        self._frames = [self._frame(number) for number in range(frames)]
        self._broken = [self._broken_one(number) for number in range(max(10, frames // 4))]
        self._known = {payload.sha256: payload.is_frame for payload in self.stock}
        self._known[hashlib.sha256(b"").hexdigest()] = False

    @property
    def stock(self) -> list[Payload]:
        """All that may be thrown."""
        return [*self._frames, *self._broken]

    def throw(self, random: random.Random) -> Payload:
        """Return a frame, or about every sixth time what is none."""
        return random.choice(self._broken if random.random() < 0.16 else self._frames)

    def is_frame(self, data: bytes) -> bool | None:
        """Tell whether the bytes are a frame; None where they are nothing that was ever uploaded."""
        return self._known.get(hashlib.sha256(data).hexdigest())

    def _frame(self, number: int) -> Payload:
        ending = self._random.choice([".fits", ".fits", ".fits.fz", ".fits.gz", ".fit"])
        has_catalog = number % 10 == 0
        size = self._random.randrange(24, 72)
        data = simulate_frame(
            number=1 + number % 900,
            night=dt.date(2026, 1, 1) + dt.timedelta(days=number % 300),
            seed=number,
            shape=(size, self._random.randrange(24, 72)),
            name=f"drill{ending.removesuffix('.gz')}",
            catalog=has_catalog,
            OBJECT=f"drill {number}",
        ).data
        if ending == ".fits.gz":
            data = gzip.compress(data, 1, mtime=0)
        return _payload(data, "frame", is_frame=True, ending=ending, has_catalog=has_catalog)

    def _broken_one(self, number: int) -> Payload:
        makers: list[Callable[[int], Payload]] = [_junk, _text, _packed_junk, self._cut, self._cut, self._cut_gzip]
        return makers[number % len(makers)](number)

    def _cut(self, number: int) -> Payload:
        """Cut a file within the header or data of its one image: without what follows it would be a frame."""
        whole = self._random.choice([one for one in self._frames if one.ending != ".fits.gz" and not one.has_catalog])
        return _payload(whole.data[: len(whole.data) // 2 - number], "truncated", is_frame=False, ending=whole.ending)

    def _cut_gzip(self, number: int) -> Payload:
        packed = gzip.compress(self._frames[number % len(self._frames)].data, 1, mtime=0)
        return _payload(packed[: len(packed) // 2 - number], "truncated gzip", is_frame=False, ending=".fits.gz")


def _junk(number: int) -> Payload:
    return _payload(random.Random(number).randbytes(900 + number), "junk", is_frame=False)


def _text(number: int) -> Payload:
    return _payload(f"seeing 1.{number} arcsec, no clouds\n".encode(), "text", is_frame=False, ending=".txt")


def _packed_junk(number: int) -> Payload:
    junk = random.Random(number).randbytes(700 + number)
    return _payload(gzip.compress(junk, 1, mtime=0), "packed junk", is_frame=False, ending=".fits.gz")
