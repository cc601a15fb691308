"""Which instrument takes how many frames in which night: weather, outages, and the wear of ten years."""

import datetime as dt
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tests.population.network import INSTRUMENTS, SITES

__all__ = ["FIRST_NIGHT", "NIGHTS", "Schedule", "make_schedule"]

FIRST_NIGHT = dt.date(2015, 1, 1)
NIGHTS = (dt.date(2025, 1, 1) - FIRST_NIGHT).days

_CLEAR, _STAYS = 0.7, 0.8
_CALIBRATIONS = 3


@dataclass(frozen=True, slots=True)
class Schedule:
    """Numbers of raw frames, by night and instrument; ``first`` is each instrument's first night.

    In that night an instrument takes three frames at least, so that there is a bias, a dark and a flat from the start.
    """

    counts: NDArray[np.int64]
    first: NDArray[np.int64]


def make_schedule(frames: int, seed: int) -> Schedule:
    """Spread a number of raw frames over ten years."""
    random = np.random.default_rng([seed, 2])
    sites = [instrument.site for instrument in INSTRUMENTS]
    weights = _weather(random)[:, sites] * _in_operation(random)
    weights *= random.lognormal(0.0, 0.6, len(INSTRUMENTS)) * random.gamma(3.0, 1.0, weights.shape)
    first = np.argmax(weights > 0, axis=0)
    spread = frames - _CALIBRATIONS * len(INSTRUMENTS)
    steps = np.floor(np.cumsum(weights) / weights.sum() * spread + 1e-6).astype(np.int64)
    counts = np.diff(steps, prepend=0).reshape(weights.shape)
    counts[first, np.arange(len(INSTRUMENTS))] += _CALIBRATIONS
    return Schedule(counts, first)


def _weather(random: np.random.Generator) -> NDArray[np.float64]:
    """Return the usable part of each night at each site; clear and cloudy nights come in runs."""
    is_clear = random.random(len(SITES)) < _CLEAR
    usable = np.zeros((NIGHTS, len(SITES)))
    parts = random.beta(5.0, 1.5, usable.shape)
    chances = random.random(usable.shape)
    for night in range(NIGHTS):
        likely = _STAYS * is_clear + (1.0 - _STAYS) * _CLEAR
        is_clear = chances[night] < likely
        usable[night] = parts[night] * is_clear
    return usable


def _in_operation(random: np.random.Generator) -> NDArray[np.float64]:
    """Return 1 for each night that an instrument is there and works: some come late or leave early, all break down."""
    works = np.ones((NIGHTS, len(INSTRUMENTS)))
    for instrument in range(len(INSTRUMENTS)):
        if random.random() < 0.3:
            works[: int(random.integers(100, 1200)), instrument] = 0.0
        if random.random() < 0.2:
            works[NIGHTS - int(random.integers(100, 900)) :, instrument] = 0.0
        for _ in range(4):
            begin, length = int(random.integers(0, NIGHTS)), int(random.integers(5, 60))
            works[begin : begin + length, instrument] = 0.0
    return works
