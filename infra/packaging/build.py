"""One package, built: what is pinned, without what nobody opens, with our own modules, compiled, zipped."""

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from infra.packaging.interpreter import find_python
from infra.packaging.model import REPOSITORY, Package
from infra.packaging.pruning import prune
from infra.packaging.sources import needed_sources
from infra.packaging.stripping import strip
from infra.packaging.zipping import write_zip

__all__ = ["ARCHITECTURES", "Architecture", "BuildError", "Built", "build", "uv"]

Architecture = Literal["x86_64", "arm64"]
ARCHITECTURES: tuple[Architecture, ...] = get_args(Architecture)
_PLATFORMS = {"x86_64": "x86_64-manylinux_2_28", "arm64": "aarch64-manylinux_2_28"}
"""Lambda's Python 3.12 and 3.13 run on Amazon Linux 2023, which has glibc 2.34."""
_TASK = "/var/task"
"""Where Lambda unpacks it; tracebacks show it."""
_SECONDS = 900


class BuildError(Exception):
    """A package cannot be built; its text says why."""


@dataclass(frozen=True, slots=True)
class Built:
    """A package that was built.

    ``is_compiled`` is False where no Python of its version is here: each cold start compiles all of it then.
    """

    package: Package
    path: Path
    unzipped_bytes: int
    is_compiled: bool


def build(package: Package, target: Path, *, python: str, architecture: Architecture) -> Built:
    """Build a package into the zip ``target``, for a version of Python such as ``3.12``.

    Raises
    ------
    BuildError
        What is pinned cannot be had for this platform, or a source is not for this Python.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="fitsvault-package-") as name:
        folder = Path(name)
        _install(package, folder, python, architecture)
        prune(folder)
        strip(folder)
        for path in needed_sources(REPOSITORY, package.entry, package.found):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(REPOSITORY / path, folder / path)
        interpreter = find_python(python)
        if interpreter is not None:
            _compile(folder, interpreter)
        return Built(package, target, write_zip(folder, target), interpreter is not None)


def _install(package: Package, folder: Path, python: str, architecture: Architecture) -> None:
    options: list[str | Path] = [
        "--target",
        folder,
        "--python",
        sys.executable,
        "--python-version",
        python,
        "--link-mode",
        "copy",
    ]
    options += ["--python-platform", _PLATFORMS[architecture], "--only-binary", ":all:", "--no-deps"]
    _run([uv(), "pip", "install", "--quiet", *options, "--require-hashes", "--requirement", package.requirements])


def _compile(folder: Path, interpreter: Path) -> None:
    """Compile all of it, once and for all: Lambda cannot write beside the sources, and looks at no time of theirs."""
    options: list[str | Path] = ["-q", "-f", "--invalidation-mode", "unchecked-hash", "-s", folder, "-p", _TASK]
    _run([interpreter, "-sP", "-m", "compileall", *options, folder], PYTHONHASHSEED="0")


def uv() -> Path:
    """Return the installer, which knows platforms that are not its own."""
    beside = Path(sys.executable).with_name("uv")
    found = beside if beside.exists() else shutil.which("uv")
    if found is None:
        raise BuildError("no uv: `make .venv/.dev` installs it")
    return Path(found)


def _run(command: list[str | Path], **variables: str) -> None:
    done = subprocess.run(  # noqa: S603 - the command is our own
        command, env=os.environ | variables, capture_output=True, text=True, timeout=_SECONDS, check=False
    )
    if done.returncode:
        raise BuildError(f"{Path(command[0]).name}: {(done.stderr or done.stdout).strip()[-2000:]}")
