"""An environment of its own for pyobs-core: its pinned packages must not meet ours. Made once, and kept."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

__all__ = ["pyobs_python"]

REPOSITORY = Path(__file__).resolve().parents[2]
REQUIREMENTS = REPOSITORY / "requirements" / "pyobs.txt"
ENVIRONMENT = REPOSITORY / ".venv" / "pyobs"


def pyobs_python() -> Path:
    """Return the interpreter that knows pyobs-core; without it the test is skipped, or fails in CI."""
    with ENVIRONMENT.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return _made()


def _made() -> Path:
    python = ENVIRONMENT / "bin" / "python"
    made = ENVIRONMENT / ".made"
    recipe = f"{sys.version} {hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()}"
    if made.exists() and made.read_text() == recipe:
        return python
    shutil.rmtree(ENVIRONMENT, ignore_errors=True)
    venv.create(ENVIRONMENT, with_pip=True)
    options = ["--quiet", "--disable-pip-version-check", "--require-hashes", "--requirement", str(REQUIREMENTS)]
    done = subprocess.run(
        [python, "-m", "pip", "install", *options], capture_output=True, text=True, timeout=900, check=False
    )
    if done.returncode:
        _give_up(f"pyobs-core cannot be installed here: {done.stderr.strip()[-500:]}")
    made.write_text(recipe)
    return python


def _give_up(reason: str) -> None:
    if os.environ.get("FITSVAULT_TESTS_NEED_ALL"):
        pytest.fail(reason)
    pytest.skip(reason)
