"""Tickets: leave to fetch one bundle, in its URL, for who cannot send a token to where a redirect leads."""

import datetime as dt
import hashlib
import hmac
import re

from shared.index.bundle_jobs import BundleJob

__all__ = ["holds_ticket", "make_ticket"]

_TICKET = re.compile(r"([0-9]{1,12})\.([0-9a-f]{64})")


def make_ticket(job: BundleJob, life: dt.timedelta) -> str:
    """Return a ticket for a bundle that ends after its life."""
    ends = int((dt.datetime.now(dt.UTC) + life).timestamp())
    return f"{ends}.{_signature(job, ends)}"


def holds_ticket(job: BundleJob, ticket: str) -> bool:
    """Tell whether this is a ticket for this bundle, and not over."""
    match = _TICKET.fullmatch(ticket)
    if match is None or int(match[1]) < dt.datetime.now(dt.UTC).timestamp():
        return False
    return hmac.compare_digest(match[2], _signature(job, int(match[1])))


def _signature(job: BundleJob, ends: int) -> str:
    return hmac.new(job.secret.encode(), f"{job.id}.{ends}".encode(), hashlib.sha256).hexdigest()
