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

    ``aim_bytes`` is what it should not exceed unzipped; Lambda itself takes `LIMIT_BYTES`. Modules of the packages
    ``found`` are found by their files and not by imports.
    """

    name: str
    aim_bytes: int
    found: tuple[str, ...] = ()

    @property
    def entry(self) -> str:
        """The module that Lambda imports."""
        return f"functions.{self.name}.handler"

    @property
    def requirements(self) -> Path:
        """What it needs of others: names, versions, hashes."""
        return REPOSITORY / "requirements" / f"lambda-{self.name}.txt"


_ALL = (
    Package("api", 60 * 2**20),
    Package("ingest", 180 * 2**20),
    Package("reconcile", 180 * 2**20),
    Package("bundle", 180 * 2**20),
    Package("migrate", 60 * 2**20, found=("shared.migrations", "shared.migrations.versions")),
)
PACKAGES = {package.name: package for package in _ALL}
