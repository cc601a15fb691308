"""Who asks: an account as plain data."""

from dataclasses import dataclass
from enum import IntEnum

from shared.accounts.models import User

__all__ = ["Account", "Role", "account_of"]


class Role(IntEnum):
    """What an account may do; each role may do what those before it may."""

    USER = 1
    STAFF = 2
    SUPERUSER = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An active account, apart from any database session."""

    id: int
    username: str
    role: Role

    def may(self, role: Role) -> bool:
        """Whether the account holds ``role`` or a higher one."""
        return self.role >= role


def account_of(user: User) -> Account:
    """Return what is told of ``user`` outside this package."""
    role = Role.SUPERUSER if user.is_superuser else Role.STAFF if user.is_staff else Role.USER
    return Account(id=user.id, username=user.username, role=role)
