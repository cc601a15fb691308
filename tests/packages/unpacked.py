"""The built packages, each unpacked into an empty folder, and what runs them."""

import os
import subprocess
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from infra.packaging.build import uv
from infra.packaging.interpreter import find_python
from infra.packaging.model import PACKAGES, REPOSITORY
from tests.packages.runtime import LambdaFunction

__all__ = ["LAMBDA_PYTHON", "Unpacked", "unpacked"]

LAMBDA_PYTHON = os.environ.get("FITSVAULT_TEST_PACKAGES", "3.12")
_BUILT = REPOSITORY / "build" / "packages"


@dataclass(frozen=True, slots=True)
class Unpacked:
    """An interpreter of Lambda's version, the folder of AWS's runtime client, and those of the functions by name."""

    python: Path
    client: Path
    tasks: dict[str, Path]

    def function(self, name: str, settings: Mapping[str, str], log: Path) -> LambdaFunction:
        """Start a function as Lambda does, with its variables and a file for what it writes."""
        handler = f"functions.{name}.handler.handler"
        return LambdaFunction(
            python=self.python, client=self.client, task=self.tasks[name], handler=handler, settings=settings, log=log
        )


def unpacked(folder: Path) -> Unpacked:
    """Unpack what ``make package`` has built, and install the runtime client beside it."""
    python = find_python(LAMBDA_PYTHON)
    assert python is not None, f"no Python {LAMBDA_PYTHON} is here to run the packages"
    tasks = {}
    for name in PACKAGES:
        path = _BUILT / f"{name}.zip"
        assert path.exists(), "first `make package`"
        tasks[name] = folder / name
        with zipfile.ZipFile(path) as archive:
            archive.extractall(tasks[name])
    return Unpacked(python, _runtime_client(folder / "client", python), tasks)


def _runtime_client(folder: Path, python: Path) -> Path:
    pinned = REPOSITORY / "requirements" / "lambda-runtime.txt"
    options: list[str | Path] = [
        "--target",
        folder,
        "--python",
        python,
        "--only-binary",
        ":all:",
        "--no-deps",
        "--require-hashes",
    ]
    subprocess.run([uv(), "pip", "install", "--quiet", "--compile-bytecode", *options, "-r", pinned], check=True)
    return folder
