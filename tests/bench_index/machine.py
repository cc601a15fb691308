"""Where figures were taken: processor, load, versions."""

import os
import platform
import sqlite3
from pathlib import Path

from sqlalchemy import Engine, text

__all__ = ["load_average", "machine"]


def machine(engine: Engine) -> str:
    """Return one line on the machine and what runs on it."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    parts = [f"{_processor()}, {os.cpu_count()} cores, {memory:.0f} GiB", f"Python {platform.python_version()}"]
    return ", ".join([*parts, _database(engine)])


def load_average() -> str:
    """Return the load of the last minute."""
    return f"{os.getloadavg()[0]:.1f}"


def _database(engine: Engine) -> str:
    if engine.dialect.name == "sqlite":
        return f"SQLite {sqlite3.sqlite_version}"
    with engine.connect() as connection:
        return f"PostgreSQL {connection.scalar(text('SHOW server_version'))}"


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
