"""The stream of a population: its frames in the order in which an archive gets them."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from tests.population.assembly import Assembler
from tests.population.batch import Batch
from tests.population.exposures import make_exposures
from tests.population.schedule import NIGHTS, Schedule, make_schedule
from tests.population.targets import Targets, make_targets

__all__ = ["LEAST", "REDUCED", "VERSION", "Population"]

REDUCED = 0.4
"""Share of the frames that are reduced."""

LEAST = 500
"""Fewer frames are no population."""

VERSION = 2
"""Goes up when the same number and seed give other frames."""

_RAW_AT_ONCE = 12_000


@dataclass(frozen=True)
class Population:
    """A number of frames over ten years; the same for each number and seed.

    Night by night the raw frames of all sites come by time, then those that were reduced of them. A reduced frame is
    linked to the latest bias, dark and flat of its instrument.
    """

    frames: int
    seed: int = 2015
    schedule: Schedule = field(init=False, repr=False)
    targets: Targets = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.frames < LEAST:
            message = f"a population has {LEAST} frames at least"
            raise ValueError(message)
        object.__setattr__(self, "schedule", make_schedule(self.frames - self.reduced, self.seed))
        object.__setattr__(self, "targets", make_targets(self.seed))

    @property
    def reduced(self) -> int:
        """How many of the frames are reduced."""
        return round(self.frames * REDUCED)

    def batches(self) -> Iterator[Batch]:
        """Yield all frames, some tens of thousands at a time."""
        ratio = self.reduced / (self.frames - self.reduced)
        assembler = Assembler(self.seed, self.targets)
        raw = 0
        for number, nights in enumerate(self._blocks()):
            more = int(self.schedule.counts[nights.start : nights.stop].sum())
            reduced = round((raw + more) * ratio) - round(raw * ratio)
            random = np.random.default_rng([self.seed, 3, number])
            yield assembler.assemble(random, make_exposures(random, self.schedule, self.targets, nights, reduced))
            raw += more

    def _blocks(self) -> Iterator[range]:
        """Yield runs of nights with frames enough to be worth an array."""
        per_night = self.schedule.counts.sum(axis=1)
        begin, frames = 0, 0
        for night in range(NIGHTS):
            frames += int(per_night[night])
            if frames >= _RAW_AT_ONCE:
                yield range(begin, night + 1)
                begin, frames = night + 1, 0
        if frames:
            yield range(begin, NIGHTS)
