"""The tables that migration 0008 brings, and the indexes of the table of frames."""

from typing import Any

import sqlalchemy as sa
from alembic import op

__all__ = ["COMBINED", "COUNTED", "ID", "INDEXES", "REPLACED", "drop_tables", "make_tables"]

BYTEWISE = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
COMBINED = ("site", "telescope", "instrument", "image_type", "filter_name", "binning", "reduction_level")
_SORTED = (
    "night", "basename", "key", "site", "telescope", "instrument", "image_type", "filter_name", "binning", "x_binning",
    "y_binning", "reduction_level", "object_name", "exposure_time", "ra", "dec", "altitude", "azimuth", "focus",
    "sun_altitude", "sun_distance", "moon_altitude", "moon_fraction", "moon_distance", "x_origin", "y_origin", "width",
    "height", "data_mean", "request_number", "observation_number",
)  # fmt: skip
REPLACED = ("night", "basename", "request_number", "observation_number")
INDEXES = {
    f"ix_frames_{'_'.join(columns)}": columns
    for columns in (
        *((name, "id") for name in _SORTED),
        ("combination_id", "date_obs"),
        ("object_id", "date_obs"),
        ("sky_cell",),
    )
}
COUNTED = ("combination_id", "object_id", "sky_cell")
_TABLES = (
    "tally_changes",
    "tally_sky",
    "tally_pairs",
    "tally_months",
    "tally_days",
    "object_names",
    "combinations",
)


def make_tables() -> None:
    """Make the tables, and nothing in them."""
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


def drop_tables() -> None:
    """Drop those that are there."""
    for name in _TABLES:
        op.drop_table(name, if_exists=True)


def _make_tally(table: str, keys: list[tuple[str, Any]], counts: list[str]) -> None:
    op.create_table(
        table,
        *(sa.Column(name, kind, nullable=False, autoincrement=False) for name, kind in keys),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in counts),
        sa.PrimaryKeyConstraint(*(name for name, _ in keys), name=f"pk_{table}"),
        sqlite_with_rowid=False,
    )
