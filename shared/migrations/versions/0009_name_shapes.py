"""Shapes of basenames, counted like everything else, and an index of numbers in them: for searches by parts."""

import sqlalchemy as sa
from alembic import op

from shared.migrations.online import at_once, autocommitting, drop_index, has_rows, make_index

__all__ = ["downgrade", "upgrade"]

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: str | None = None
depends_on: str | None = None

BYTEWISE = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TABLES = ("frames", "tally_changes")
INDEX = "ix_frames_shape_id"
SQLITE_VIEW = """
CREATE VIEW tally_frames AS SELECT
    id,
    combination_id,
    object_id,
    coalesce(CAST(julianday(substr(date_obs, 1, 10)) - 2440587.5 AS INTEGER), -10000000) AS day,
    coalesce(CAST(julianday(night) - 2440587.5 AS INTEGER), -10000000) AS night,
    coalesce(
        (CAST(substr(date_obs, 1, 4) AS INTEGER) - 1970) * 12 + CAST(substr(date_obs, 6, 2) AS INTEGER) - 1, -10000000
    ) AS month,
    sky_cell{more}
FROM frames
"""
POSTGRESQL_NUMBERS = """
CREATE OR REPLACE FUNCTION name_numbers(name text) RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT array_to_tsvector(array_agg(DISTINCT substr(run[1], i)))
    FROM regexp_matches(name, '[0-9]{3,}', 'g') AS run, generate_series(1, length(run[1]) - 2) AS i
$$
"""
NUMBERS_INDEX = "ix_frames_name_numbers"
SQLITE_NUMBERS = """
CREATE VIRTUAL TABLE name_numbers USING fts5(numbers, tokenize = 'ascii', detail = none, columnsize = 0, content = '');;
CREATE VIEW frame_numbers AS SELECT
    id,
    coalesce((
        WITH RECURSIVE rests (rest, digits) AS (
            SELECT basename_folded, length(basename_folded) - length(ltrim(basename_folded, '0123456789'))
            UNION ALL
            SELECT substr(rest, 2), length(rest) - 1 - length(ltrim(substr(rest, 2), '0123456789'))
            FROM rests WHERE length(rest) > 3
        )
        SELECT group_concat(substr(rest, 1, digits), ' ') FROM rests WHERE digits >= 3
    ), '') AS numbers
FROM frames;;
INSERT INTO name_numbers (rowid, numbers) SELECT id, numbers FROM frame_numbers;;
CREATE TRIGGER names_come AFTER INSERT ON frames BEGIN
    INSERT INTO name_numbers (rowid, numbers) SELECT id, numbers FROM frame_numbers WHERE id = new.id;
END;;
CREATE TRIGGER names_go BEFORE DELETE ON frames BEGIN
    INSERT INTO name_numbers (name_numbers, rowid, numbers)
        SELECT 'delete', id, numbers FROM frame_numbers WHERE id = old.id;
END;;
CREATE TRIGGER names_leave BEFORE UPDATE ON frames
WHEN old.id IS NOT new.id OR old.basename_folded IS NOT new.basename_folded BEGIN
    INSERT INTO name_numbers (name_numbers, rowid, numbers)
        SELECT 'delete', id, numbers FROM frame_numbers WHERE id = old.id;
END;;
CREATE TRIGGER names_return AFTER UPDATE ON frames
WHEN old.id IS NOT new.id OR old.basename_folded IS NOT new.basename_folded BEGIN
    INSERT INTO name_numbers (rowid, numbers) SELECT id, numbers FROM frame_numbers WHERE id = new.id;
END
"""
SQLITE_NUMBERS_AWAY = """
DROP TRIGGER names_come;;
DROP TRIGGER names_go;;
DROP TRIGGER names_leave;;
DROP TRIGGER names_return;;
DROP VIEW frame_numbers;;
DROP TABLE name_numbers
"""
SQLITE_COLUMNS = ("combination_id", "object_id", "day", "night", "month", "sky_cell")
SQLITE_TRIGGERS = """
CREATE TRIGGER frames_come AFTER INSERT ON frames BEGIN
    INSERT INTO tally_changes ({columns}, frames) SELECT {columns}, 1 FROM tally_frames WHERE id = new.id;
    INSERT INTO name_parts (rowid, basename) VALUES (new.id, new.basename_folded);
END;;
CREATE TRIGGER frames_go BEFORE DELETE ON frames BEGIN
    INSERT INTO tally_changes ({columns}, frames) SELECT {columns}, -1 FROM tally_frames WHERE id = old.id;
    INSERT INTO name_parts (name_parts, rowid, basename) VALUES ('delete', old.id, old.basename_folded);
END;;
CREATE TRIGGER frames_leave BEFORE UPDATE ON frames WHEN {changed} BEGIN
    INSERT INTO tally_changes ({columns}, frames) SELECT {columns}, -1 FROM tally_frames WHERE id = old.id;
END;;
CREATE TRIGGER frames_return AFTER UPDATE ON frames WHEN {changed} BEGIN
    INSERT INTO tally_changes ({columns}, frames) SELECT {columns}, 1 FROM tally_frames WHERE id = new.id;
END
"""
POSTGRESQL_VIEW = """
CREATE VIEW tally_frames AS SELECT
    id,
    combination_id,
    object_id,
    coalesce(date_obs::date - DATE '1970-01-01', -10000000) AS day,
    coalesce(night - DATE '1970-01-01', -10000000) AS night,
    coalesce(
        (extract(year FROM date_obs)::int - 1970) * 12 + extract(month FROM date_obs)::int - 1, -10000000
    ) AS month,
    sky_cell{more}
FROM frames
"""
POSTGRESQL_FUNCTION = """
CREATE OR REPLACE FUNCTION frames_tally() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    rows frames[];
    signs int[];
    i int;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF (OLD.combination_id, OLD.object_id, OLD.date_obs, OLD.night, OLD.sky_cell{old})
            IS NOT DISTINCT FROM (NEW.combination_id, NEW.object_id, NEW.date_obs, NEW.night, NEW.sky_cell{new})
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
        INSERT INTO tally_changes (combination_id, object_id, day, night, month, sky_cell, frames{more}) VALUES (
            rows[i].combination_id,
            rows[i].object_id,
            coalesce(rows[i].date_obs::date - DATE '1970-01-01', -10000000),
            coalesce(rows[i].night - DATE '1970-01-01', -10000000),
            coalesce(
                (extract(year FROM rows[i].date_obs)::int - 1970) * 12 + extract(month FROM rows[i].date_obs)::int - 1,
                -10000000
            ),
            rows[i].sky_cell,
            signs[i]{value}
        );
    END LOOP;
    RETURN NULL;
END $$
"""


def upgrade() -> None:
    """Add the tables and the column, and begin to count. Frames that are there have no shape until they are written."""
    if op.get_bind().dialect.name == "postgresql":
        _upgrade_online()
        return
    _make_tables()
    for table in TABLES:
        op.add_column(table, sa.Column("shape_id", ID, nullable=True))
    op.create_index(INDEX, "frames", ["shape_id"])
    for statement in (*_sqlite(counts_shapes=True), *SQLITE_NUMBERS.split(";;")):
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    """Take them away again."""
    if op.get_bind().dialect.name == "postgresql":
        _downgrade_online()
        return
    for statement in (*SQLITE_NUMBERS_AWAY.split(";;"), *_sqlite(counts_shapes=False)):
        op.get_bind().exec_driver_sql(statement)
    op.drop_index(INDEX, "frames")
    for table in TABLES:
        op.drop_column(table, "shape_id")
    _drop_tables()


def _upgrade_online() -> None:
    """Do so while others read and write; a frame without a shape is counted as one, so nothing is wrong meanwhile."""
    with autocommitting() as connection:
        _make_tables()
        for table in TABLES:
            at_once(connection, f"ALTER TABLE {table} ADD COLUMN IF NOT EXISTS shape_id bigint")
        at_once(connection, _postgresql(counts_shapes=True))
        at_once(connection, POSTGRESQL_NUMBERS)
        is_full = has_rows(connection, "frames")
        make_index(connection, INDEX, "frames (shape_id)", concurrently=is_full)
        make_index(connection, NUMBERS_INDEX, "frames USING gin (name_numbers(basename_folded))", concurrently=is_full)


def _downgrade_online() -> None:
    with autocommitting() as connection:
        at_once(connection, _postgresql(counts_shapes=False))
        is_full = has_rows(connection, "frames")
        for index in (INDEX, NUMBERS_INDEX):
            drop_index(connection, index, concurrently=is_full)
        at_once(connection, "DROP FUNCTION IF EXISTS name_numbers(text)")
        for table in TABLES:
            at_once(connection, f"ALTER TABLE {table} DROP COLUMN IF EXISTS shape_id")
        _drop_tables()


def _make_tables() -> None:
    op.create_table(
        "name_shapes",
        sa.Column("id", ID, nullable=False),
        sa.Column("shape", BYTEWISE, nullable=False),
        sa.Column("dated", sa.BigInteger(), nullable=False),
        sa.Column("undated", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_name_shapes"),
        sa.UniqueConstraint("shape", name="uq_name_shapes_shape"),
        sqlite_autoincrement=True,
        if_not_exists=True,
    )
    op.create_table(
        "tally_names",
        *(sa.Column(name, ID, nullable=False, autoincrement=False) for name in ("shape_id", "combination_id")),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("dated", "undated")),
        sa.PrimaryKeyConstraint("shape_id", "combination_id", name="pk_tally_names"),
        sqlite_with_rowid=False,
        if_not_exists=True,
    )


def _drop_tables() -> None:
    for table in ("tally_names", "name_shapes"):
        op.drop_table(table, if_exists=True)


def _postgresql(*, counts_shapes: bool) -> str:
    """Return what replaces the function that writes changes of counts, and the view that counts anew."""
    more = ", shape_id" if counts_shapes else ""
    function = POSTGRESQL_FUNCTION.format(
        more=more,
        old=more.replace(" ", " OLD."),
        new=more.replace(" ", " NEW."),
        value=more.replace(" ", " rows[i]."),
    )
    return f"{function}; DROP VIEW IF EXISTS tally_frames; {POSTGRESQL_VIEW.format(more=more)}"


def _sqlite(*, counts_shapes: bool) -> tuple[str, ...]:
    """Return what replaces the triggers that write changes of counts, and the view that counts anew."""
    more = ", shape_id" if counts_shapes else ""
    columns = ", ".join(SQLITE_COLUMNS) + more
    changing = ["id", "combination_id", "object_id", "date_obs", "night", "sky_cell", *more.split(", ")[1:]]
    changed = " OR ".join(f"old.{name} IS NOT new.{name}" for name in changing)
    triggers = SQLITE_TRIGGERS.format(columns=columns, changed=changed)
    names = ("frames_come", "frames_go", "frames_leave", "frames_return")
    return (
        *(f"DROP TRIGGER {name}" for name in names),
        "DROP VIEW tally_frames",
        SQLITE_VIEW.format(more=more),
        *triggers.split(";;"),
    )
