"""Insert or update in one statement, in the words of the database at hand."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from shared.index.models import Failure, Frame

__all__ = ["upsert"]


def upsert(
    session: Session,
    model: type[Frame] | type[Failure],
    inserted: Mapping[str, Any],
    updated: Mapping[str, Any | ColumnElement[Any]],
) -> int:
    """Insert a row, or update the one that has its bucket and key; return the row's id, which an update keeps.

    Parameters
    ----------
    inserted
        Columns of a new row.
    updated
        Columns that an existing row gets; they may refer to its present values.
    """
    # SQLite and PostgreSQL share the clause, but SQLAlchemy has a statement class for each.
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    table = model.metadata.tables[model.__tablename__]  # the class itself would be taken apart anew with each row
    statement = insert(table).values(**inserted)
    statement = statement.on_conflict_do_update(index_elements=["bucket", "key"], set_=updated)
    row_id: int = session.scalars(statement.returning(table.c.id)).one()
    return row_id
