"""An index with this version's tables: made by the migrations once, and copied for each test after that."""

import shutil
import tempfile
from functools import cache
from pathlib import Path

from sqlalchemy import Engine

from shared.database import make_engine
from shared.migrations import upgrade

__all__ = ["prepare"]


def prepare(engine: Engine) -> None:
    """Bring an empty database to this version; a file of SQLite, which nobody has opened yet, by a copy."""
    file = engine.url.database if engine.dialect.name == "sqlite" else None
    if file is None or Path(file).exists():
        upgrade(engine)
    else:
        shutil.copyfile(_template(), file)


@cache
def _template() -> Path:
    folder = tempfile.TemporaryDirectory(prefix="fitsvault-template-")
    _kept.append(folder)
    path = Path(folder.name) / "index.sqlite"
    engine = make_engine(f"sqlite:///{path}")
    upgrade(engine)
    engine.dispose()
    return path


_kept: list["tempfile.TemporaryDirectory[str]"] = []
"""Removed with the process."""
