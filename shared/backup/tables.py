"""Which tables a backup holds, and how far their ids were given out."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Table, func, select, text
from sqlalchemy.orm import Session

import shared.accounts.models
import shared.index.bundle_jobs
import shared.index.models
import shared.index.tally_models  # noqa: F401 - all make their tables known to Base
from shared.database import Base

__all__ = ["COUNTED", "LEFT_OUT", "all_tables", "continue_sequence", "kept_tables", "sequences"]

LEFT_OUT = frozenset(
    {
        "tally_changes",  # triggers count restored frames
        "tally_days",
        "tally_months",
        "tally_names",
        "tally_pairs",
        "tally_sky",
        "attempts",  # what processes are at that are gone
        "sweeps",  # a restored archive is swept anew
        "sweep_ranges",
        "sessions",  # who has logged out since must stay so
        "throttles",
    }
)
"""Tables that no backup holds: what they say is made again, or was true of that moment alone."""

COUNTED = ("combinations", "object_names", "name_shapes")
"""Tables with counts in them, which a backup leaves at 0: they are counted as frames are restored."""


def all_tables() -> Sequence[Table]:
    """Return the archive's tables, each behind those that it refers to."""
    return Base.metadata.sorted_tables


def kept_tables() -> Sequence[Table]:
    """Return those that a backup holds."""
    return [table for table in all_tables() if table.name not in LEFT_OUT]


def sequences(session: Session) -> Mapping[str, int]:
    """Return the last id that was given out, by table: the ids of rows that are gone are not given again."""
    names = [table.name for table in kept_tables() if _has_numbers(table)]
    if session.get_bind().dialect.name != "postgresql":
        rows = session.execute(text("SELECT name, seq FROM sqlite_sequence")).all()
        return {name: number for name, number in rows if name in names}
    found = {}
    for name in names:
        sequence = session.scalar(select(func.pg_get_serial_sequence(name, "id")))
        if sequence is not None:
            found[name] = session.execute(
                text(f"SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {sequence}")  # noqa: S608 - its own name
            ).scalar_one()
    return found


def continue_sequence(session: Session, table: Table, number: int) -> None:
    """See to it that the next row gets an id above ``number``, and above all that are there."""
    if not _has_numbers(table):
        return
    last = max(number, session.scalar(select(func.max(table.c.id))) or 0)
    if not last:
        return
    if session.get_bind().dialect.name == "postgresql":
        sequence = func.pg_get_serial_sequence(table.name, "id")
        session.execute(select(func.setval(sequence, last)).where(sequence.is_not(None)))
    elif table.dialect_options["sqlite"]["autoincrement"]:
        bound = {"name": table.name, "last": last}
        session.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), bound)
        session.execute(text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :last)"), bound)


def _has_numbers(table: Table) -> bool:
    id_ = table.c.get("id")
    return id_ is not None and id_.type.python_type is int
