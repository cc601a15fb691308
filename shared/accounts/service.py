"""What can be done with accounts."""

import re
import secrets
import unicodedata

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from shared.accounts.account import Account, Role, account_of
from shared.accounts.models import MAX_USERNAME, User
from shared.accounts.passwords import check_password, hash_new_password, hash_password, needs_rehash, reject_password
from shared.accounts.pbkdf2 import PREFIX, Pbkdf2Hash
from shared.accounts.sessions import end_sessions
from shared.database import read, utc_now, write
from shared.errors import AccountExistsError, BadAccountError, BadCredentialsError, LastSuperuserError

__all__ = [
    "authenticate",
    "create_user",
    "ensure_admin",
    "find_user",
    "is_username",
    "list_users",
    "set_active",
    "set_password",
    "set_role",
    "verified_user",
]

_USERNAME = re.compile(r"[\w.@+-]+")


def create_user(session: Session, username: str, password: str, *, role: Role = Role.USER) -> Account:
    """Make an account that is active at once.

    Raises
    ------
    BadAccountError
        The name is not made of 1 to 150 letters, digits and ``@ . + - _``, or the password has not 8 to 1024.
    AccountExistsError
        The name is taken.
    """
    name = unicodedata.normalize("NFKC", username)
    if not is_username(name):
        raise BadAccountError(f"A user name has 1 to {MAX_USERNAME} letters, digits or characters of @ . + - _")
    if find_user(session, name) is not None:
        raise AccountExistsError(_taken(name))
    user = User(
        username=name,
        password_hash=hash_new_password(password),
        is_staff=role >= Role.STAFF,
        is_superuser=role >= Role.SUPERUSER,
        is_active=True,
        created_at=utc_now(),
        last_login=None,
    )
    try:
        with session.begin_nested():
            session.add(user)
    except IntegrityError as error:
        raise AccountExistsError(_taken(name)) from error
    return account_of(user)


def is_username(name: str) -> bool:
    """Tell whether an account can have this name, which is in Unicode's form NFKC."""
    is_normal = unicodedata.is_normalized("NFKC", name)
    return is_normal and len(name) <= MAX_USERNAME and _USERNAME.fullmatch(name) is not None


def ensure_admin(session: Session, username: str, password: str | None) -> str | None:
    """Make the first superuser; an account of that name is left as it is.

    Returns
    -------
    str or None
        The password that was made up, if none was given and the account is new. It is told only here.
    """
    if find_user(session, username) is not None:
        return None
    generated = None if password else secrets.token_urlsafe(18)
    try:
        create_user(session, username, password or generated or "", role=Role.SUPERUSER)
    except AccountExistsError:
        return None
    return generated


def authenticate(sessions: sessionmaker[Session], username: str, password: str) -> Account:
    """Return the active account that has this name and password; `shared.accounts.login` slows guessing down.

    Raises
    ------
    BadCredentialsError
        There is none; the error does not tell why.
    """
    return account_of(verified_user(sessions, username, password))


def verified_user(sessions: sessionmaker[Session], username: str, password: str) -> User:
    """Return the row of the active account that has this name and password, as it was when they were compared.

    The password is checked outside any transaction, and takes as long where the name is unknown. A hash that was
    made with older parameters is replaced.

    Raises
    ------
    BadCredentialsError
        There is none; the error does not tell why.
    """
    with read(sessions) as session:
        user = find_user(session, username)
        rounds = _most_rounds(session)
    if user is None or not user.is_active:
        reject_password(password, rounds)
        raise BadCredentialsError
    if not check_password(user.password_hash, password, rounds):
        raise BadCredentialsError
    values: dict[str, object] = {"last_login": utc_now()}
    if needs_rehash(user.password_hash):
        values["password_hash"] = hash_password(password)
    with write(sessions) as session:
        unchanged = (User.id == user.id) & (User.password_hash == user.password_hash)
        session.execute(update(User).where(unchanged).values(values), execution_options={"synchronize_session": False})
    user.password_hash = str(values.get("password_hash", user.password_hash))
    return user


def find_user(session: Session, username: str) -> User | None:
    """Return the account of that name, active or not."""
    name = unicodedata.normalize("NFKC", username[: MAX_USERNAME + 1])
    if not _USERNAME.fullmatch(name):
        return None
    return session.scalar(select(User).where(User.username == name))


def list_users(session: Session) -> list[User]:
    """Return all accounts by name."""
    return list(session.scalars(select(User).order_by(User.username, User.id)))


def set_password(session: Session, user: User, password: str) -> None:
    """Give the account another password. Its tokens stay, its sessions end.

    Raises
    ------
    BadAccountError
        The password has not 8 to 1024 characters.
    """
    user.password_hash = hash_new_password(password)
    session.flush()
    end_sessions(session, user.id)


def set_role(session: Session, user: User, role: Role) -> None:
    """Give the account another role, which its sessions and tokens have from their next request on.

    Raises
    ------
    LastSuperuserError
        It is the last superuser that is active, and would be none.
    """
    if role < Role.SUPERUSER:
        _keep_a_superuser(session, user)
    user.is_staff = role >= Role.STAFF
    user.is_superuser = role >= Role.SUPERUSER
    session.flush()


def set_active(session: Session, user: User, *, active: bool) -> None:
    """Switch the account on or off; one that is off gets nothing, by password or by token, and its sessions end.

    Raises
    ------
    LastSuperuserError
        It is the last superuser that is active, and would be off.
    """
    if not active:
        _keep_a_superuser(session, user)
    user.is_active = active
    session.flush()
    if not active:
        end_sessions(session, user.id)


def _keep_a_superuser(session: Session, user: User) -> None:
    """Lock all active superusers, so that no two of them go at once, and refuse to let the last one go."""
    active = select(User.id).where(User.is_superuser, User.is_active).order_by(User.id).with_for_update()
    if list(session.scalars(active)) == [user.id]:
        raise LastSuperuserError(f"{user.username} is the last active superuser. Make another one first.")


def _taken(name: str) -> str:
    return f"There is an account {name} already."


def _most_rounds(session: Session) -> int:
    """Return the most PBKDF2 rounds that the hash of an active account asks for; 0 once all of them are renewed."""
    foreign = select(User.password_hash).where(User.is_active, User.password_hash.startswith(PREFIX, autoescape=True))
    hashes = (Pbkdf2Hash.from_string(encoded) for encoded in session.scalars(foreign))
    return max((found.rounds for found in hashes if found is not None), default=0)
