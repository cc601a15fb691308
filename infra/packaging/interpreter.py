"""A Python of the version that Lambda runs: it compiles what a package holds, and tests run the package in it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

__all__ = ["find_python"]

_SECONDS = 30


def find_python(version: str) -> Path | None:
    """Return an interpreter of a version such as ``3.12``: this one, one on PATH, or one of pyenv's; None without."""
    return next((path for path in _candidates(version) if _version_of(path) == version), None)


def _candidates(version: str) -> Iterator[Path]:
    yield Path(sys.executable)
    if on_path := shutil.which(f"python{version}"):
        yield Path(on_path)
    pyenv = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser() / "versions"
    yield from sorted(pyenv.glob(f"{version}.*/bin/python"), reverse=True)


def _version_of(path: Path) -> str | None:
    """Return the version that an interpreter says it has; None where it does not run."""
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        answer = subprocess.run(  # noqa: S603 - the command is our own
            [path, "-c", code], capture_output=True, text=True, timeout=_SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip()
