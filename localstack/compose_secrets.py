"""Secrets for the Compose file, made once: ``python -m localstack.compose_secrets``. Needs nothing but Python."""

import secrets
from pathlib import Path

__all__ = ["make_secrets"]

FILE = Path(__file__).resolve().with_name(".env")


def make_secrets(path: Path) -> bool:
    """Write a file that its owner alone can read, or add to it what it lacks; tell whether anything was made."""
    values = {
        "FITSVAULT_S3_ACCESS_KEY": f"fitsvault{secrets.token_hex(5)}",
        "FITSVAULT_S3_SECRET_KEY": secrets.token_urlsafe(30),
        "FITSVAULT_EVENT_SECRET": secrets.token_urlsafe(30),
        "FITSVAULT_ADMIN_PASSWORD": secrets.token_urlsafe(15),
        "FITSVAULT_METRICS_TOKEN": secrets.token_urlsafe(30),
        "NATS_PASSWORD": secrets.token_urlsafe(30),
        "POSTGRES_PASSWORD": secrets.token_urlsafe(30),
    }
    path.touch(mode=0o600)
    text = path.read_text()
    there = {line.partition("=")[0] for line in text.splitlines()}
    added = "".join(f"{name}={value}\n" for name, value in values.items() if name not in there)
    if added:
        path.write_text(text + "\n" * bool(text and not text.endswith("\n")) + added)
    return bool(added)


if __name__ == "__main__":
    if make_secrets(FILE):
        print(f"made {FILE}, with the password of the user admin in it")  # noqa: T201 - for who runs make
