"""Migration 0008 on SQLite: one transaction, during which nobody else writes."""

import json
import math
from typing import Any

import sqlalchemy as sa
from alembic import op

from shared.migrations.tallies.tables import COMBINED, COUNTED, ID, INDEXES, REPLACED, drop_tables, make_tables

__all__ = ["downgrade", "upgrade"]

_BATCH = 5000
_COUNTING = """
CREATE VIRTUAL TABLE name_parts USING fts5(
    basename, tokenize = 'trigram case_sensitive 1', detail = none, columnsize = 0, content = ''
);;
CREATE VIEW tally_frames AS SELECT
    id,
    combination_id,
    object_id,
    coalesce(CAST(julianday(substr(date_obs, 1, 10)) - 2440587.5 AS INTEGER), -10000000) AS day,
    coalesce(CAST(julianday(night) - 2440587.5 AS INTEGER), -10000000) AS night,
    coalesce(
        (CAST(substr(date_obs, 1, 4) AS INTEGER) - 1970) * 12 + CAST(substr(date_obs, 6, 2) AS INTEGER) - 1, -10000000
    ) AS month,
    sky_cell
FROM frames;;
CREATE TRIGGER frames_come AFTER INSERT ON frames BEGIN
    INSERT INTO tally_changes (combination_id, object_id, day, night, month, sky_cell, frames)
        SELECT combination_id, object_id, day, night, month, sky_cell, 1 FROM tally_frames WHERE id = new.id;
    INSERT INTO name_parts (rowid, basename) VALUES (new.id, new.basename_folded);
END;;
CREATE TRIGGER frames_go BEFORE DELETE ON frames BEGIN
    INSERT INTO tally_changes (combination_id, object_id, day, night, month, sky_cell, frames)
        SELECT combination_id, object_id, day, night, month, sky_cell, -1 FROM tally_frames WHERE id = old.id;
    INSERT INTO name_parts (name_parts, rowid, basename) VALUES ('delete', old.id, old.basename_folded);
END;;
CREATE TRIGGER frames_leave BEFORE UPDATE ON frames WHEN
    old.id IS NOT new.id OR old.combination_id IS NOT new.combination_id OR old.object_id IS NOT new.object_id
    OR old.date_obs IS NOT new.date_obs OR old.night IS NOT new.night OR old.sky_cell IS NOT new.sky_cell
BEGIN
    INSERT INTO tally_changes (combination_id, object_id, day, night, month, sky_cell, frames)
        SELECT combination_id, object_id, day, night, month, sky_cell, -1 FROM tally_frames WHERE id = old.id;
END;;
CREATE TRIGGER frames_return AFTER UPDATE ON frames WHEN
    old.id IS NOT new.id OR old.combination_id IS NOT new.combination_id OR old.object_id IS NOT new.object_id
    OR old.date_obs IS NOT new.date_obs OR old.night IS NOT new.night OR old.sky_cell IS NOT new.sky_cell
BEGIN
    INSERT INTO tally_changes (combination_id, object_id, day, night, month, sky_cell, frames)
        SELECT combination_id, object_id, day, night, month, sky_cell, 1 FROM tally_frames WHERE id = new.id;
END;;
CREATE TRIGGER frames_rename AFTER UPDATE ON frames
WHEN old.id IS NOT new.id OR old.basename_folded IS NOT new.basename_folded BEGIN
    INSERT INTO name_parts (name_parts, rowid, basename) VALUES ('delete', old.id, old.basename_folded);
    INSERT INTO name_parts (rowid, basename) VALUES (new.id, new.basename_folded);
END;;
INSERT INTO name_parts (rowid, basename) SELECT id, basename_folded FROM frames
"""
_AWAY = """
DROP TRIGGER frames_come;;
DROP TRIGGER frames_go;;
DROP TRIGGER frames_leave;;
DROP TRIGGER frames_return;;
DROP TRIGGER frames_rename;;
DROP VIEW tally_frames;;
DROP TABLE name_parts
"""
_COUNT = """
INSERT INTO tally_changes (combination_id, object_id, day, night, month, sky_cell, frames)
    SELECT combination_id, object_id, day, night, month, sky_cell, count(*) FROM tally_frames GROUP BY 1, 2, 3, 4, 5, 6
"""


def upgrade() -> None:
    """Add tables, columns and indexes, fill them, and begin to count."""
    make_tables()
    for name in COUNTED:
        op.add_column("frames", sa.Column(name, sa.Integer() if name == "sky_cell" else ID, nullable=True))
    _fill()
    for name in REPLACED:
        op.drop_index(f"ix_frames_{name}", "frames")
    for name, columns in INDEXES.items():
        op.create_index(name, "frames", list(columns))
    _execute(_COUNTING)
    _execute(_COUNT)


def downgrade() -> None:
    """Take them away again."""
    _execute(_AWAY)
    for name in INDEXES:
        op.drop_index(name, "frames")
    for name in REPLACED:
        op.create_index(f"ix_frames_{name}", "frames", [name])
    for name in reversed(COUNTED):
        op.drop_column("frames", name)
    drop_tables()


def _execute(statements: str) -> None:
    for statement in statements.split(";;"):
        op.get_bind().exec_driver_sql(statement)


def _fill() -> None:
    """Give every frame its combination, the name of its object, and its cell of the sky, a batch at a time."""
    bind = op.get_bind()
    combined = ", ".join(COMBINED)
    bind.execute(
        sa.text(
            "INSERT INTO object_names (name, folded, dated, undated) SELECT object_name, max(object_folded), 0, 0 "
            "FROM frames WHERE object_name IS NOT NULL GROUP BY object_name"
        )
    )
    for row in bind.execute(sa.text(f"SELECT DISTINCT {combined} FROM frames")).all():  # noqa: S608 - our own names
        bind.execute(
            sa.text(
                f"INSERT INTO combinations (signature, {combined}, dated, undated) "  # noqa: S608
                f"VALUES (:signature, {', '.join(f':{name}' for name in COMBINED)}, 0, 0)"
            ),
            dict(zip(COMBINED, row, strict=True)) | {"signature": _signature(row)},
        )
    combinations = {row[1]: row[0] for row in bind.execute(sa.text("SELECT id, signature FROM combinations"))}
    objects = {row[1]: row[0] for row in bind.execute(sa.text("SELECT id, name FROM object_names"))}
    statement = sa.text(
        f"SELECT id, object_name, ra, dec, {combined} FROM frames WHERE id > :id ORDER BY id LIMIT {_BATCH}"  # noqa: S608 - our own names
    )
    last = 0
    while rows := bind.execute(statement, {"id": last}).all():
        bind.execute(
            sa.text(
                "UPDATE frames SET combination_id = :combination, object_id = :object, sky_cell = :cell WHERE id = :id"
            ),
            [
                {
                    "id": row[0],
                    "object": objects.get(row[1]),
                    "cell": _cell(row[2], row[3]),
                    "combination": combinations[_signature(row[4:])],
                }
                for row in rows
            ],
        )
        last = rows[-1][0]


def _signature(values: Any) -> str:
    return json.dumps(list(values), ensure_ascii=False, separators=(",", ":"))


def _cell(ra: float | None, dec: float | None) -> int | None:
    if ra is None or dec is None:
        return None
    height = 1.0 / 30.0
    zone = min(max(math.floor((dec + 90.0) / height), 0), 5399)
    south, north = -90.0 + zone * height - 1e-9, -90.0 + zone * height + height + 1e-9
    nearest = 0.0 if south <= 0.0 <= north else min(abs(south), abs(north))
    cells = max(1, math.ceil(360.0 * math.cos(math.radians(nearest)) / height))
    return zone * 16384 + min(math.floor((ra % 360.0) / 360.0 * cells), cells - 1)
