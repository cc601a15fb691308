"""What is observed: 5,000 objects, named as astronomers write them, a few of them far more often than the rest."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["ABSENT", "COUNT", "Targets", "make_targets"]

COUNT = 5000

ABSENT = "Zaphod 7"
"""A name that no object has in its."""

_FAMOUS = (
    ("M42", 83.822, -5.391),
    ("M 31", 10.685, 41.269),
    ("V404 Cyg", 306.016, 33.867),
    ("Feige 110", 349.993, -5.166),
    ("η Car", 161.265, -59.684),
    ("SA 98", 103.021, -0.328),
    ("Barnard’s Star", 269.452, 4.693),
    ("ω Cen", 201.697, -47.480),
    ("WASP-12 b", 97.637, 29.672),
    ("Boyajian's Star", 301.564, 44.457),
    ("(65803) Didymos", 15.7, -4.2),
    ("Crab + sky", 83.633, 22.014),
)
_STANDARDS = ("Feige", "HD", "SA")
_GREEK = "αβγδεζηθικλμνξοπρστυφχψω"
_CONSTELLATIONS = ("And", "Aql", "Cen", "Cyg", "Dor", "Eri", "Gem", "Ori", "Peg", "Sgr", "Vir")


@dataclass(frozen=True, slots=True)
class Targets:
    """Names and positions (degrees) in order of popularity; ``cumulated`` is the chance of each and all before it."""

    names: tuple[str, ...]
    ra: NDArray[np.float64]
    dec: NDArray[np.float64]
    cumulated: NDArray[np.float64]
    is_standard: NDArray[np.bool_]


def make_targets(seed: int) -> Targets:
    """Make the objects: popularity by Zipf's law, positions evenly over the sky but for what no site sees."""
    random = np.random.default_rng([seed, 1])
    ra = random.uniform(0.0, 360.0, COUNT)
    dec = np.degrees(np.arcsin(random.uniform(-0.98, 0.98, COUNT)))
    for number, (_, famous_ra, famous_dec) in enumerate(_FAMOUS):
        ra[number], dec[number] = famous_ra, famous_dec
    names = dict.fromkeys(name for name, _, _ in _FAMOUS)
    for name in _names(random, ra, dec):
        names.setdefault(name)
        if len(names) == COUNT:
            break
    chances = 1.0 / np.arange(1, COUNT + 1)
    standard = [name.startswith(_STANDARDS) for name in names]
    return Targets(tuple(names), ra, dec, np.cumsum(chances) / chances.sum(), np.array(standard))


def _names(random: np.random.Generator, ra: NDArray[np.float64], dec: NDArray[np.float64]) -> Iterator[str]:
    """Yield names without end, some of them twice."""
    kinds = (_messier, _ngc, _ic, _two_mass, _transient, _tycho, _standard, _exoplanet, _bayer)
    chances = (0.04, 0.3, 0.1, 0.14, 0.14, 0.1, 0.06, 0.08, 0.04)
    number = 0
    while True:
        kind = kinds[int(random.choice(len(kinds), p=chances))]
        name = kind(random, float(ra[number % COUNT]), float(dec[number % COUNT]))
        style = random.random()
        yield name.lower() if style < 0.05 else name.upper() if style < 0.08 else name
        number += 1


def _messier(random: np.random.Generator, _ra: float, _dec: float) -> str:
    return f"{random.choice(['M', 'M ', 'Messier '])}{random.integers(1, 111)}"


def _ngc(random: np.random.Generator, _ra: float, _dec: float) -> str:
    return f"NGC{random.choice(['', ' ', '_'])}{random.integers(1, 7841)}"


def _ic(random: np.random.Generator, _ra: float, _dec: float) -> str:
    return f"IC{random.choice(['', ' '])}{random.integers(1, 5387)}"


def _two_mass(_random: np.random.Generator, ra: float, dec: float) -> str:
    hours, degrees = ra / 15.0, abs(dec)
    right = f"{int(hours):02d}{int(hours * 60 % 60):02d}{hours * 3600 % 60:05.2f}"
    up = f"{int(degrees):02d}{int(degrees * 60 % 60):02d}{degrees * 3600 % 60:04.1f}"
    return f"2MASS J{right}{'-' if dec < 0 else '+'}{up}"


def _transient(random: np.random.Generator, _ra: float, _dec: float) -> str:
    letters = "".join(chr(ord("a") + letter) for letter in random.integers(0, 26, 7))
    year = int(random.integers(17, 25))
    return str(random.choice([f"ZTF{year}{letters}", f"AT20{year}{letters[:3]}", f"SN 20{year}{letters[:2]}"]))


def _tycho(random: np.random.Generator, _ra: float, _dec: float) -> str:
    return f"TYC {random.integers(1, 9538)}-{random.integers(1, 3000)}-{random.integers(1, 4)}"


def _standard(random: np.random.Generator, _ra: float, _dec: float) -> str:
    return str(random.choice([f"Feige {random.integers(1, 112)}", f"HD {random.integers(1, 225301)}"]))


def _exoplanet(random: np.random.Generator, _ra: float, _dec: float) -> str:
    survey = random.choice(["HAT-P-", "WASP-", "TOI-", "Qatar-", "Kepler-"])
    return f"{survey}{random.integers(1, 2000)}{random.choice(['b', ' b', ' c', '.01'])}"


def _bayer(random: np.random.Generator, _ra: float, _dec: float) -> str:
    greek = _GREEK[int(random.integers(len(_GREEK)))]
    return f"{greek}{random.integers(1, 4)} {_CONSTELLATIONS[int(random.integers(len(_CONSTELLATIONS)))]}"
