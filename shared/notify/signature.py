"""The signature of a webhook's body, by a secret that both sides know. Pure.

The time is signed as well, so that a receiver can refuse what somebody recorded and sends again later.
"""

import hashlib
import hmac

__all__ = ["signature"]


def signature(secret: str, body: str, *, time: int) -> str:
    """Return the value of the header ``X-Fitsvault-Signature``.

    Parameters
    ----------
    time
        Unix time in seconds at which the request is made.

    >>> signature("It is a secret", "{}", time=1764547200)
    't=1764547200,v1=23e0ee8d5d6bb7f1cc2e3a8da60f9ce4ffd07d3ab22da5bcb9eef9e1cd4d0d5b'
    """
    digest = hmac.new(secret.encode(), f"{time}.{body}".encode(), hashlib.sha256).hexdigest()
    return f"t={time},v1={digest}"
