"""What the supervisor knows of an object store that it starts."""

from typing import ClassVar, Protocol

from pydantic import SecretStr

from shared.settings import Settings

__all__ = ["StoreServer", "plain", "webhook_url"]


class StoreServer(Protocol):
    """One kind of object store as a process of its own, on loopback, with its data below the archive's home.

    Attributes
    ----------
    folder
        Name of the folder of its data, below home.
    health_path
        Path that answers 2xx once it takes requests.
    notice
        What an operator must know before he trusts it, or nothing.
    """

    folder: ClassVar[str]
    health_path: ClassVar[str]
    notice: ClassVar[str]

    def write_configuration(self) -> None:
        """Write what the server reads at its start."""
        ...

    def command(self) -> list[str]:
        """Return the command line; StartError if the program is not here, with the way to get it."""
        ...

    def environment(self) -> dict[str, str]:
        """Return the variables that it needs besides ours."""
        ...


def webhook_url(settings: Settings) -> str:
    """Return where the ingest host takes events, for who speaks to it from this machine."""
    host = "127.0.0.1" if settings.event_host == "0.0.0.0" else settings.event_host  # noqa: S104 - told, not bound
    return f"http://{host}:{settings.event_port}/events"


def plain(secret: SecretStr | None) -> str:
    """Return the secret's text."""
    return secret.get_secret_value() if secret else ""
