"""A Python environment of its own for a program whose pinned packages must not meet ours. Made once, and kept."""

import fcntl
import hashlib
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path

from localstack.state import StartError

__all__ = ["made_environment"]

_SECONDS = 900.0


def made_environment(name: str, tell: Callable[[str], None] = lambda _: None) -> Path:
    """Return the interpreter of an environment beside ours with exactly what ``requirements/<name>.txt`` pins.

    ``tell`` is told if it must be made first.

    Raises
    ------
    StartError
        There is no such file here, or its packages cannot be had.
    """
    requirements = Path(__file__).resolve().parents[1] / "requirements" / f"{name}.txt"
    folder = Path(sys.prefix) / name
    if not requirements.exists():
        raise StartError(f"no {requirements}, which says what {name} needs: run from a checkout of the project")
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return _made(folder, requirements, tell)


def _made(folder: Path, requirements: Path, tell: Callable[[str], None]) -> Path:
    python, made = folder / "bin" / "python", folder / ".made"
    recipe = f"{sys.version} {hashlib.sha256(requirements.read_bytes()).hexdigest()}"
    if made.exists() and made.read_text() == recipe:
        return python
    tell(f"{folder.name} is installed into {folder}, which takes some minutes")
    shutil.rmtree(folder, ignore_errors=True)
    venv.create(folder, with_pip=True)
    options = [
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
        "--require-hashes",
        "--requirement",
        str(requirements),
    ]
    try:
        done = subprocess.run(  # noqa: S603 - the command is our own
            [python, "-m", "pip", "install", *options], capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise StartError(f"{requirements.name} is not installed after {_SECONDS:.0f} s") from error
    if done.returncode:
        raise StartError(f"{requirements.name} cannot be installed here: {done.stderr.strip()[-500:]}")
    made.write_text(recipe)
    return python
