"""Secrets for the Compose file, made once: ``python -m localstack.compose_secrets``. Needs nothing but Python."""

import secrets
from pathlib import Path

__all__ = ["make_secrets"]

FILE = Path(__file__).resolve().with_name(".env")


def make_secrets(path: Path) -> bool:
    """Write a file that its owner alone can read, unless it is there; tell whether it was made."""
    values = {
        "FITSVAULT_S3_ACCESS_KEY": f"fitsvault{secrets.token_hex(5)}",
        "FITSVAULT_S3_SECRET_KEY": secrets.token_urlsafe(30),
        "FITSVAULT_EVENT_SECRET": secrets.token_urlsafe(30),
        "FITSVAULT_ADMIN_PASSWORD": secrets.token_urlsafe(15),
        "POSTGRES_PASSWORD": secrets.token_urlsafe(30),
    }
    try:
        path.touch(mode=0o600, exist_ok=False)
    except FileExistsError:
        return False
    path.write_text("".join(f"{name}={value}\n" for name, value in values.items()))
    return True


if __name__ == "__main__":
    if make_secrets(FILE):
        print(f"made {FILE}, with the password of the user admin in it")  # noqa: T201 - for who runs make
