"""The operator's command line: ``fitsvault``."""

import sys

from shared.cli import bucket
from shared.cli.application import app

__all__ = ["app", "bucket", "main"]


def main() -> None:
    """Run the command line."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)
