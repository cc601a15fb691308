"""Migration 0008 on PostgreSQL, while others read and write frames.

A frame that has a combination is counted, one that has none is not yet. The first to come are triggers that keep
to that, whoever writes: they give a combination to what has none, and count what gets one. So frames can be filled in
some at a time, and the counts are exact at every moment. What is found without the triggers is of no use: it goes.
"""

import logging

from sqlalchemy import Connection

from shared.migrations.online import (
    at_once,
    autocommitting,
    drop_index,
    fill,
    has_rows,
    has_trigger,
    make_index,
    retried,
)
from shared.migrations.tallies.statements import (
    FILL,
    FOLD,
    FUNCTIONS,
    NO_FUNCTIONS,
    NO_TRIGGERS,
    PREPARE,
    SKY_CELL,
    TRIGGERS,
    VIEW,
    tally_function,
)
from shared.migrations.tallies.tables import INDEXES, REPLACED, drop_tables, make_tables

__all__ = ["downgrade", "upgrade"]

_log = logging.getLogger("fitsvault.migrations")
_COLUMNS = {
    "combination_id": "bigint",
    "object_id": "bigint",
    "sky_cell": "integer",
}
_NAMES = "ix_frames_name_parts"


def upgrade() -> None:
    """Add tables, columns and triggers, fill them, and make the indexes."""
    with autocommitting() as connection:
        if not has_trigger(connection, "frames", "frames_adopt"):
            _remove(connection)
            _begin(connection)
        _fill(connection)
        is_full = has_rows(connection, "frames")
        for name, columns in INDEXES.items():
            make_index(connection, name, f"frames ({', '.join(columns)})", concurrently=is_full)
            _log.info("index made", extra={"index": name})
        make_index(connection, _NAMES, "frames USING gin (name_parts(basename_folded))", concurrently=is_full)
        for name in REPLACED:
            drop_index(connection, f"ix_frames_{name}", concurrently=is_full)
        connection.exec_driver_sql(tally_function(counts_all=True))
        _fold(connection)
        connection.exec_driver_sql("ANALYZE frames, combinations, object_names, tally_days, tally_months, tally_pairs")


def downgrade() -> None:
    """Take them away again; what they counted is counted anew by the next upgrade."""
    with autocommitting() as connection:
        is_full = has_rows(connection, "frames")
        for name in REPLACED:
            make_index(connection, f"ix_frames_{name}", f"frames ({name})", concurrently=is_full)
        at_once(connection, NO_TRIGGERS)
        for name in (*INDEXES, _NAMES):
            drop_index(connection, name, concurrently=is_full)
        _remove(connection)


def _begin(connection: Connection) -> None:
    """Add what is empty, and the triggers that fill it from now on; whoever writes just now is waited for."""
    make_tables()
    columns = ", ".join(f"ADD COLUMN IF NOT EXISTS {name} {kind}" for name, kind in _COLUMNS.items())
    at_once(connection, f"ALTER TABLE frames {columns}")
    for statement in (VIEW, SKY_CELL, *FUNCTIONS, tally_function(counts_all=False)):
        connection.exec_driver_sql(statement)
    at_once(connection, TRIGGERS)


def _remove(connection: Connection) -> None:
    """Take away all but the indexes, of which those on columns of ours go with them."""
    columns = ", ".join(f"DROP COLUMN IF EXISTS {name}" for name in _COLUMNS)
    at_once(connection, f"{NO_TRIGGERS}; DROP VIEW IF EXISTS tally_frames; ALTER TABLE frames {columns}")
    at_once(connection, NO_FUNCTIONS)
    drop_tables()


def _fill(connection: Connection) -> None:
    """Have the triggers fill in what was there before them, in passes until nothing is left."""
    for statement in PREPARE:
        connection.exec_driver_sql(statement)
    while connection.exec_driver_sql("SELECT 1 FROM frames WHERE combination_id IS NULL LIMIT 1").first():
        filled = fill(connection, "frames", FILL, after_some=lambda: _fold(connection))
        _log.info("frames filled in", extra={"frames": filled})


def _fold(connection: Connection) -> None:
    """Move what was counted into the tables of counts."""
    retried(lambda: connection.exec_driver_sql(FOLD).close())
