"""The operator's command line: ``fitsvault``."""

import logging
import sys
import warnings

from shared.cli import (
    backup,
    bucket,
    bundle,
    check,
    counts,
    db,
    doctor,
    download,
    ingest,
    logins,
    migrate,
    notifications,
    people,
    query,
    safekeeping,
    upkeep,
    waiting,
)
from shared.cli.application import ExitCode, app, errors
from shared.cli.plain import harmless

__all__ = [
    "app",
    "backup",
    "bucket",
    "bundle",
    "check",
    "counts",
    "db",
    "doctor",
    "download",
    "ingest",
    "logins",
    "main",
    "migrate",
    "notifications",
    "people",
    "query",
    "safekeeping",
    "upkeep",
    "waiting",
]


def main() -> None:
    """Run the command line. No traceback ever reaches the terminal."""
    logging.getLogger().addHandler(logging.NullHandler())
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(ExitCode.INTERRUPTED)
    except Exception as error:  # noqa: BLE001 - told in one line, whatever it is
        errors.print(f"fitsvault: unexpected {type(error).__name__}: {harmless(str(error))}", style="red", markup=False)
        sys.exit(ExitCode.NOT_ALL)
