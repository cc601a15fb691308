"""The packages: which function each is of, and how large it should be."""

from dataclasses import dataclass
from pathlib import Path

__all__ = ["LIMIT_BYTES", "PACKAGES", "REPOSITORY", "Package"]

REPOSITORY = Path(__file__).resolve().parents[2]
LIMIT_BYTES = 250 * 2**20
"""What AWS Lambda takes unzipped, layers included."""


@dataclass(frozen=True, slots=True)
class Package:
    """The package of one function.

    ``aim_bytes`` is what it should not exceed unzipped; Lambda itself takes `LIMIT_BYTES`.
    """

    name: str
    aim_bytes: int

    @property
    def entry(self) -> str:
        """The module that Lambda imports."""
        return f"functions.{self.name}.handler"

    @property
    def requirements(self) -> Path:
        """What it needs of others: names, versions, hashes."""
        return REPOSITORY / "requirements" / f"lambda-{self.name}.txt"


PACKAGES = {
    name: Package(name, aim * 2**20)
    for name, aim in {"api": 60, "ingest": 180, "reconcile": 180, "bundle": 180}.items()
}
