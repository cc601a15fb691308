"""Real programs that some tests run: found, or the test is skipped with the way to get them."""

import os
import shutil

import pytest

__all__ = ["need_program"]


def need_program(name: str, how: str) -> str:
    """Return the path of a program; without it the test is skipped, or fails where CI says that all must be there."""
    path = shutil.which(name)
    if path is None:
        reason = f"no program `{name}`: {how}"
        if os.environ.get("FITSVAULT_TESTS_NEED_ALL"):
            pytest.fail(reason)
        pytest.skip(reason)
    return path
