"""Keys as pipelines and people write them, and some as nobody should."""

import random

__all__ = ["throw_key"]

_ODD = (
    "M 51 + companion",
    "100%_of 25%2B",
    "a=b&c=d;e",
    "it's (1) [2] {3} ~!@$^`",
    "Größe-µm",
    "Gro\u0308ße-nfd",
    "星雲",
    "🔭",
    "plus+plus++",
    "%2F%2e%2E",
    "quote\"and'apostrophe",
    "hash#question?mark",
    "pipe|star*colon:comma,",
    "trailing.",
    "-dash",
    "tab\tinside",
)


def throw_key(random: random.Random, number: int, ending: str) -> str:
    """Return a key that no other number gives; about every eighth is odd in one of its parts."""
    site, night = random.choice(("sim", "sim2", "sim-b", "sim.c")), f"202611{random.randrange(1, 29):02d}"
    folder, name = f"{site}/{night}", f"{site}1m0-{night}-{number:05d}-e00"
    if random.random() < 0.12:
        odd = random.choice(_ODD)
        folder, name = random.choice([(folder, f"{odd} {number}"), (f"{folder}/{odd}", name)])
    return f"{folder}/{name}{ending}"
