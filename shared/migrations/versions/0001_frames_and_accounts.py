"""Frames with their links, failures, accounts with their tokens."""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

__all__ = ["downgrade", "upgrade"]

revision: str = "0001"
down_revision: str | None = None
branch_labels: str | None = None
depends_on: str | None = None

BYTEWISE = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
IDENTIFIER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create all tables."""
    _create_failures()
    _create_frames()
    _create_frame_links()
    _create_accounts()


def downgrade() -> None:
    """Drop all tables; their indexes go with them."""
    for table in ("tokens", "users", "frame_links", "frames", "failures"):
        op.drop_table(table)


def _create_failures() -> None:
    op.create_table(
        "failures",
        sa.Column("id", IDENTIFIER, nullable=False),
        *_columns(BYTEWISE, "bucket", "key"),
        *_columns(BYTEWISE, "version_id", "etag", nullable=True),
        *_columns(sa.BigInteger(), "size", nullable=True),
        *_columns(BYTEWISE, "kind", "message"),
        *_columns(sa.BigInteger(), "attempts"),
        *_columns(sa.DateTime(), "first_at", "last_at"),
        sa.PrimaryKeyConstraint("id", name="pk_failures"),
        sa.UniqueConstraint("bucket", "key", name="uq_failures_bucket_key"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_failures_last_at_id", "failures", ["last_at", "id"])


def _create_frames() -> None:
    op.create_table(
        "frames",
        sa.Column("id", IDENTIFIER, nullable=False),
        *_columns(sa.DateTime(), "ingested_at", "updated_at"),
        *_object_columns(),
        *_observation_columns(),
        *_position_columns(),
        *_circumstance_columns(),
        *_columns(sa.BigInteger(), "hdu_count"),
        *_columns(sa.JSON(), "hdu_kinds"),
        *_columns(sa.BigInteger(), "science_hdu"),
        *_columns(BYTEWISE, "container", "checksum"),
        *_columns(sa.JSON(), "notes"),
        sa.PrimaryKeyConstraint("id", name="pk_frames"),
        sa.UniqueConstraint("bucket", "key", name="uq_frames_bucket_key"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_frames_date_obs_id", "frames", ["date_obs", "id"])
    op.create_index("ix_frames_dec_zone_ra", "frames", ["dec_zone", "ra"])
    for column in ("basename", "digest", "night", "observation_number", "request_number"):
        op.create_index(f"ix_frames_{column}", "frames", [column])


def _object_columns() -> Iterator[sa.Column[Any]]:
    yield from _columns(BYTEWISE, "bucket", "key")
    yield from _columns(BYTEWISE, "version_id", nullable=True)
    yield from _columns(BYTEWISE, "etag")
    yield from _columns(sa.BigInteger(), "size")
    yield from _columns(sa.DateTime(), "last_modified")
    yield from _columns(sa.BigInteger(), "crc32")
    yield from _columns(BYTEWISE, "sha256", "digest", "basename", "basename_folded", "filename")


def _observation_columns() -> Iterator[sa.Column[Any]]:
    yield from _columns(BYTEWISE, "site", "telescope", "instrument", "image_type", nullable=True)
    yield from _columns(BYTEWISE, "image_class")
    yield from _columns(BYTEWISE, "object_name", "object_folded", "filter_name", nullable=True)
    yield from _columns(sa.Double(), "exposure_time", nullable=True)
    yield from _columns(sa.DateTime(), "date_obs", nullable=True)
    yield from _columns(sa.Date(), "night", nullable=True)
    yield from _columns(BYTEWISE, "binning")
    yield from _columns(sa.BigInteger(), "x_binning", "y_binning", nullable=True)
    yield from _columns(sa.BigInteger(), "reduction_level")
    yield from _columns(BYTEWISE, "proposal_id", nullable=True)
    yield from _columns(sa.DateTime(), "public_date", nullable=True)
    yield from _columns(BYTEWISE, "origin_name", "request_number", "observation_number", nullable=True)


def _position_columns() -> Iterator[sa.Column[Any]]:
    yield from _columns(sa.Double(), "ra", "dec", nullable=True)
    yield from _columns(sa.Integer(), "dec_zone", nullable=True)
    yield from _columns(sa.Double(), "vector_x", "vector_y", "vector_z", nullable=True)
    yield from _columns(sa.JSON(none_as_null=True), "footprint", nullable=True)


def _circumstance_columns() -> Iterator[sa.Column[Any]]:
    telescope = ("altitude", "azimuth", "focus")
    sky = ("sun_altitude", "sun_distance", "moon_altitude", "moon_fraction", "moon_distance")
    yield from _columns(sa.Double(), *telescope, *sky, nullable=True)
    yield from _columns(sa.BigInteger(), "x_origin", "y_origin", "width", "height", nullable=True)
    yield from _columns(sa.Double(), "data_mean", nullable=True)


def _create_frame_links() -> None:
    op.create_table(
        "frame_links",
        sa.Column("frame_id", IDENTIFIER, nullable=False),
        *_columns(BYTEWISE, "keyword", "target"),
        sa.PrimaryKeyConstraint("frame_id", "keyword", "target", name="pk_frame_links"),
        sa.ForeignKeyConstraint(["frame_id"], ["frames.id"], name="fk_frame_links_frame_id_frames", ondelete="CASCADE"),
    )
    op.create_index("ix_frame_links_target", "frame_links", ["target"])


def _create_accounts() -> None:
    op.create_table(
        "users",
        sa.Column("id", sa.Integer(), nullable=False),
        *_columns(sa.String(150), "username"),
        *_columns(sa.String(255), "password_hash"),
        *_columns(sa.Boolean(), "is_staff", "is_superuser", "is_active"),
        *_columns(sa.DateTime(), "created_at"),
        *_columns(sa.DateTime(), "last_login", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.UniqueConstraint("username", name="uq_users_username"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "tokens",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        *_columns(sa.CHAR(64), "digest"),
        *_columns(sa.String(100), "name"),
        *_columns(sa.DateTime(), "created_at"),
        *_columns(sa.DateTime(), "last_used", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_tokens"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_tokens_user_id_users", ondelete="CASCADE"),
        sa.UniqueConstraint("digest", name="uq_tokens_digest"),
    )
    op.create_index("ix_tokens_user_id", "tokens", ["user_id"])


def _columns(kind: Any, *names: str, nullable: bool = False) -> Iterator[sa.Column[Any]]:
    return (sa.Column(name, kind, nullable=nullable) for name in names)
