"""Wrong passwords slow down, by account and by address, across all processes that share the database.

An attempt is counted before its password is looked at, and taken back when the password was right: a thousand at
once count as a thousand. Names that nobody has are counted like any other. What is kept is bounded in time and number.
"""

import datetime as dt
import hashlib
import ipaddress
import unicodedata
from dataclasses import dataclass

from sqlalchemy import case, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from shared.accounts.models import Throttle
from shared.database import utc_now
from shared.errors import TooManyAttemptsError

__all__ = ["ADDRESS", "FORGOTTEN_AFTER", "MAX_SUBJECTS", "NAME", "Policy", "admit", "delay", "forgive"]

FORGOTTEN_AFTER = dt.timedelta(hours=1)
"""Quiet time after which wrong passwords are forgotten."""

MAX_SUBJECTS = 100_000
"""Names and addresses that are kept; the longest quiet give way."""


@dataclass(frozen=True, slots=True)
class Policy:
    """``free`` attempts cost nothing; each one more doubles the wait, from 1 s up to ``longest`` seconds."""

    free: int
    longest: int


NAME = Policy(free=10, longest=60)
"""For a name. Its wait stays short, since anybody can make the account's owner wait."""

ADDRESS = Policy(free=50, longest=900)
"""For an address, behind which a whole observatory may sit."""


def delay(failures: int, policy: Policy) -> int:
    """Return the seconds to wait after so many attempts."""
    beyond = failures - policy.free
    return min(policy.longest, 2 ** min(beyond - 1, 20)) if beyond > 0 else 0


def admit(session: Session, username: str, address: str | None) -> None:
    """Count an attempt at this name from this address. Needs a transaction that writes.

    Raises
    ------
    TooManyAttemptsError
        It came too early, and is not counted.
    """
    now = utc_now()
    subjects = _subjects(username, address)
    waits = session.scalar(select(func.max(Throttle.blocked_until)).where(Throttle.subject.in_(sorted(subjects))))
    if waits is not None and waits > now:
        raise TooManyAttemptsError(int((waits - now).total_seconds()) + 1)
    _make_room(session, now)
    for subject in sorted(subjects):
        _count(session, subject, subjects[subject], now)


def forgive(session: Session, username: str, address: str | None) -> None:
    """Forget the name's attempts after a right password, and take this one back from the address's."""
    for subject, policy in sorted(_subjects(username, address).items()):
        if policy is NAME:
            session.execute(delete(Throttle).where(Throttle.subject == subject))
        else:
            one_less = case((Throttle.failures > 0, Throttle.failures - 1), else_=0)
            values = {"failures": one_less, "blocked_until": utc_now()}
            session.execute(update(Throttle).where(Throttle.subject == subject).values(values))


def _subjects(username: str, address: str | None) -> dict[str, Policy]:
    found = {_digest("name", unicodedata.normalize("NFKC", username)): NAME}
    if address:
        found[_digest("address", _network(address))] = ADDRESS
    return found


def _network(address: str) -> str:
    """Return an IPv4 address, or the /64 network of an IPv6 one: that much is one customer's."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        mapped = parsed.ipv4_mapped
        return str(mapped) if mapped else str(ipaddress.ip_network((int(parsed) >> 64 << 64, 64)))
    return str(parsed)


def _digest(kind: str, text: str) -> str:
    return hashlib.sha256(f"{kind}\0{text}".encode("utf-8", "surrogatepass")).hexdigest()


def _count(session: Session, subject: str, policy: Policy, now: dt.datetime) -> None:
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    statement = insert(Throttle).values(subject=subject, failures=1, last_at=now, blocked_until=now)
    one_more = case((Throttle.last_at <= now - FORGOTTEN_AFTER, 1), else_=Throttle.failures + 1)
    values = {"failures": one_more, "last_at": now}
    upserted = statement.on_conflict_do_update(index_elements=["subject"], set_=values).returning(Throttle.failures)
    wait = delay(session.scalars(upserted).one(), policy)
    if wait:
        until = now + dt.timedelta(seconds=wait)
        session.execute(update(Throttle).where(Throttle.subject == subject).values(blocked_until=until))


def _make_room(session: Session, now: dt.datetime) -> None:
    session.execute(delete(Throttle).where(Throttle.last_at <= now - FORGOTTEN_AFTER))
    surplus = (session.scalar(select(func.count()).select_from(Throttle)) or 0) - MAX_SUBJECTS + 2
    if surplus > 0:
        oldest = select(Throttle.subject).order_by(Throttle.last_at).limit(surplus)
        session.execute(delete(Throttle).where(Throttle.subject.in_(oldest)))
