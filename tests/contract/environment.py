"""An environment of its own for pyobs-core: its pinned packages must not meet ours."""

import os
from pathlib import Path

import pytest

from localstack.environment import made_environment
from localstack.state import StartError

__all__ = ["pyobs_python"]


def pyobs_python() -> Path:
    """Return the interpreter that knows pyobs-core; without it the test is skipped, or fails in CI."""
    try:
        return made_environment("pyobs")
    except StartError as error:
        if os.environ.get("FITSVAULT_TESTS_NEED_ALL"):
            pytest.fail(str(error))
        pytest.skip(str(error))
