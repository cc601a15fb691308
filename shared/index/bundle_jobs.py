"""The table of bundles that were ordered. Times are naive UTC, sizes bytes."""

import datetime as dt
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from shared.database import Base
from shared.index.models import BYTEWISE

__all__ = ["BundleJob"]

_LONG = BigInteger()


class BundleJob(Base):
    """A bundle that somebody ordered, and what has become of it.

    ``digest`` is of account, day, question and frames: who orders the same again gets the same bundle. ``frame_ids``
    are frozen when it is ordered. ``uploads`` are the multipart uploads under way by their keys, with which another
    process goes on. ``key`` is in the derived bucket. The worker ``owner`` has it until ``leased_until``;
    ``due_at`` is when the next one may begin, null when there is nothing to do any more. ``attempts`` counts those
    that came to nothing. ``secret`` signs tickets.
    """

    __tablename__ = "bundles"
    __table_args__ = (Index(None, "user_id", "created_at"), Index(None, "digest"), Index(None, "due_at"))

    id: Mapped[str] = mapped_column(BYTEWISE, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    digest: Mapped[str] = mapped_column(BYTEWISE)
    secret: Mapped[str] = mapped_column(BYTEWISE)
    day: Mapped[dt.date]
    asked: Mapped[list[str]] = mapped_column(JSON)
    frame_ids: Mapped[list[int]] = mapped_column(JSON)
    uncompress: Mapped[bool]

    state: Mapped[str] = mapped_column(BYTEWISE)
    frames: Mapped[int] = mapped_column(_LONG)
    size: Mapped[int] = mapped_column(_LONG)
    done: Mapped[int] = mapped_column(_LONG)
    passed: Mapped[int] = mapped_column(_LONG)
    left_out: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    key: Mapped[str | None] = mapped_column(BYTEWISE)
    crc32: Mapped[int | None] = mapped_column(_LONG)
    uploads: Mapped[dict[str, str]] = mapped_column(JSON)
    reason: Mapped[str | None] = mapped_column(BYTEWISE)

    attempts: Mapped[int] = mapped_column(_LONG)
    created_at: Mapped[dt.datetime]
    updated_at: Mapped[dt.datetime]
    finished_at: Mapped[dt.datetime | None]
    expires_at: Mapped[dt.datetime | None]
    due_at: Mapped[dt.datetime | None]
    owner: Mapped[str | None] = mapped_column(BYTEWISE)
    leased_until: Mapped[dt.datetime | None]
