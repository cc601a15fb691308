"""Combinations, names of objects, counts kept by triggers, and an index for every order."""

import json
import math
from typing import Any

import sqlalchemy as sa
from alembic import op

__all__ = ["downgrade", "upgrade"]

revision: str = "0008"
down_revision: str | None = "0007"
branch_labels: str | None = None
depends_on: str | None = None

BYTEWISE = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
COMBINED = ("site", "telescope", "instrument", "image_type", "filter_name", "binning", "reduction_level")
SORTED = (
    "night", "basename", "key", "site", "telescope", "instrument", "image_type", "filter_name", "binning", "x_binning",
    "y_binning", "reduction_level", "object_name", "exposure_time", "ra", "dec", "altitude", "azimuth", "focus",
    "sun_altitude", "sun_distance", "moon_altitude", "moon_fraction", "moon_distance", "x_origin", "y_origin", "width",
    "height", "data_mean", "request_number", "observation_number",
)  # fmt: skip
REPLACED = ("night", "basename", "request_number", "observation_number")
BATCH = 5000
SQLITE = """
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
SQLITE_AWAY = """
DROP TRIGGER frames_come;;
DROP TRIGGER frames_go;;
DROP TRIGGER frames_leave;;
DROP TRIGGER frames_return;;
DROP TRIGGER frames_rename;;
DROP VIEW tally_frames;;
DROP TABLE name_parts
"""
POSTGRESQL = """
CREATE VIEW tally_frames AS SELECT
    id,
    combination_id,
    object_id,
    coalesce(date_obs::date - DATE '1970-01-01', -10000000) AS day,
    coalesce(night - DATE '1970-01-01', -10000000) AS night,
    coalesce(
        (extract(year FROM date_obs)::int - 1970) * 12 + extract(month FROM date_obs)::int - 1, -10000000
    ) AS month,
    sky_cell
FROM frames;;
CREATE FUNCTION frames_tally() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    rows frames[];
    signs int[];
    i int;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF (OLD.combination_id, OLD.object_id, OLD.date_obs, OLD.night, OLD.sky_cell)
            IS NOT DISTINCT FROM (NEW.combination_id, NEW.object_id, NEW.date_obs, NEW.night, NEW.sky_cell)
        THEN
            RETURN NULL;
        END IF;
    END IF;
    IF TG_OP <> 'INSERT' THEN
        rows := array_append(rows, OLD);
        signs := array_append(signs, -1);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        rows := array_append(rows, NEW);
        signs := array_append(signs, 1);
    END IF;
    FOR i IN 1 .. array_length(rows, 1) LOOP
        INSERT INTO tally_changes (combination_id, object_id, day, night, month, sky_cell, frames) VALUES (
            rows[i].combination_id,
            rows[i].object_id,
            coalesce(rows[i].date_obs::date - DATE '1970-01-01', -10000000),
            coalesce(rows[i].night - DATE '1970-01-01', -10000000),
            coalesce(
                (extract(year FROM rows[i].date_obs)::int - 1970) * 12 + extract(month FROM rows[i].date_obs)::int - 1,
                -10000000
            ),
            rows[i].sky_cell,
            signs[i]
        );
    END LOOP;
    RETURN NULL;
END $$;;
CREATE TRIGGER frames_tally AFTER INSERT OR UPDATE OR DELETE ON frames
    FOR EACH ROW EXECUTE FUNCTION frames_tally();;
CREATE FUNCTION name_parts(name text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT array_agg(DISTINCT substr(name, i, 3)) FROM generate_series(1, length(name) - 2) AS i
$$;;
CREATE INDEX ix_frames_name_parts ON frames USING gin (name_parts(basename_folded))
"""
POSTGRESQL_AWAY = """
DROP INDEX ix_frames_name_parts;;
DROP FUNCTION name_parts(text);;
DROP TRIGGER frames_tally ON frames;;
DROP FUNCTION frames_tally();;
DROP VIEW tally_frames
"""
COUNT = """
INSERT INTO tally_changes (combination_id, object_id, day, night, month, sky_cell, frames)
    SELECT combination_id, object_id, day, night, month, sky_cell, count(*) FROM tally_frames GROUP BY 1, 2, 3, 4, 5, 6
"""


def upgrade() -> None:
    """Add tables, columns and indexes, fill them, and begin to count."""
    _make_tables()
    for name in ("combination_id", "object_id"):
        op.add_column("frames", sa.Column(name, ID, nullable=True))
    op.add_column("frames", sa.Column("sky_cell", sa.Integer(), nullable=True))
    _fill()
    for name in REPLACED:
        op.drop_index(f"ix_frames_{name}", "frames")
    for columns in (*((name, "id") for name in SORTED), ("combination_id", "date_obs"), ("object_id", "date_obs")):
        op.create_index(f"ix_frames_{'_'.join(columns)}", "frames", list(columns))
    op.create_index("ix_frames_sky_cell", "frames", ["sky_cell"])
    _execute(SQLITE if op.get_bind().dialect.name == "sqlite" else POSTGRESQL)
    _execute(COUNT)


def downgrade() -> None:
    """Take them away again."""
    _execute(SQLITE_AWAY if op.get_bind().dialect.name == "sqlite" else POSTGRESQL_AWAY)
    op.drop_index("ix_frames_sky_cell", "frames")
    for columns in (*((name, "id") for name in SORTED), ("combination_id", "date_obs"), ("object_id", "date_obs")):
        op.drop_index(f"ix_frames_{'_'.join(columns)}", "frames")
    for name in REPLACED:
        op.create_index(f"ix_frames_{name}", "frames", [name])
    for name in ("sky_cell", "object_id", "combination_id"):
        op.drop_column("frames", name)
    for name in (
        "tally_changes",
        "tally_sky",
        "tally_pairs",
        "tally_months",
        "tally_days",
        "object_names",
        "combinations",
    ):
        op.drop_table(name)


def _execute(statements: str) -> None:
    for statement in statements.split(";;"):
        op.get_bind().exec_driver_sql(statement)


def _make_tables() -> None:
    op.create_table(
        "combinations",
        sa.Column("id", ID, nullable=False),
        sa.Column("signature", BYTEWISE, nullable=False),
        *(sa.Column(name, BYTEWISE, nullable=True) for name in COMBINED[:5]),
        sa.Column("binning", BYTEWISE, nullable=False),
        sa.Column("reduction_level", sa.BigInteger(), nullable=False),
        sa.Column("dated", sa.BigInteger(), nullable=False),
        sa.Column("undated", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_combinations"),
        sa.UniqueConstraint("signature", name="uq_combinations_signature"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "object_names",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", BYTEWISE, nullable=False),
        sa.Column("folded", BYTEWISE, nullable=False),
        sa.Column("dated", sa.BigInteger(), nullable=False),
        sa.Column("undated", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_object_names"),
        sa.UniqueConstraint("name", name="uq_object_names_name"),
        sqlite_autoincrement=True,
    )
    _make_tally("tally_days", [("combination_id", ID), ("day", sa.Integer()), ("night", sa.Integer())], ["frames"])
    op.create_index("ix_tally_days_day_combination_id", "tally_days", ["day", "combination_id"])
    op.create_index("ix_tally_days_night_combination_id", "tally_days", ["night", "combination_id"])
    _make_tally("tally_months", [("object_id", ID), ("month", sa.Integer())], ["frames"])
    _make_tally("tally_pairs", [("object_id", ID), ("combination_id", ID)], ["dated", "undated"])
    _make_tally("tally_sky", [("cell", sa.Integer())], ["dated", "undated"])
    op.create_table(
        "tally_changes",
        sa.Column("id", ID, nullable=False),
        sa.Column("combination_id", ID, nullable=True),
        sa.Column("object_id", ID, nullable=True),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("day", "night", "month")),
        sa.Column("sky_cell", sa.Integer(), nullable=True),
        sa.Column("frames", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_tally_changes"),
        sqlite_autoincrement=True,
    )


def _make_tally(table: str, keys: list[tuple[str, Any]], counts: list[str]) -> None:
    op.create_table(
        table,
        *(sa.Column(name, kind, nullable=False, autoincrement=False) for name, kind in keys),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in counts),
        sa.PrimaryKeyConstraint(*(name for name, _ in keys), name=f"pk_{table}"),
        sqlite_with_rowid=False,
    )


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
        f"SELECT id, object_name, ra, dec, {combined} FROM frames WHERE id > :id ORDER BY id LIMIT {BATCH}"  # noqa: S608 - our own names
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
    zone = min(max(math.floor((dec + 90.0) * 30.0), 0), 5399)
    south, north = -90.0 + zone / 30.0 - 1e-9, -90.0 + zone / 30.0 + 1.0 / 30.0 + 1e-9
    nearest = 0.0 if south <= 0.0 <= north else min(abs(south), abs(north))
    cells = max(1, math.ceil(360.0 * math.cos(math.radians(nearest)) * 30.0))
    return zone * 16384 + min(math.floor((ra % 360.0) / 360.0 * cells), cells - 1)
