"""A webhook: one signed POST for each message.

Redirects are not followed: what is meant for one address is not handed to another. What the receiver answers is not
read beyond the status and the headers, and the whole of an attempt has a limit in time.
"""

import http.client
import time
from base64 import b64encode
from collections.abc import Callable
from urllib.parse import SplitResult, unquote, urlsplit

from shared.errors import DeliveryRefusedError, NotDeliveredError
from shared.exchange import Answer, exchange
from shared.notify.signature import signature
from shared.notify.target import Parcel

__all__ = ["Webhook"]

_SECONDS = 10.0
_LONGEST_RETRY_AFTER = 3600.0
_LONGEST_REASON = 200
_REFUSALS = frozenset({400, 410, 413, 415, 422})
"""Answers that speak of this very message: the same bytes would be refused again."""


class Webhook:
    """The receiver at a URL.

    Parameters
    ----------
    seconds
        Limit of one attempt, from the connection to the headers of the answer.
    clock
        Unix time, which is signed.
    """

    def __init__(
        self, url: str, secret: str, *, seconds: float = _SECONDS, clock: Callable[[], float] = time.time
    ) -> None:
        self._url = urlsplit(url)
        self._secret = secret
        self._seconds = seconds
        self._clock = clock

    @property
    def place(self) -> str:
        """The address as it may be shown: user, password, path and query may be secrets."""
        host = f"[{self._url.hostname}]" if ":" in (self._url.hostname or "") else self._url.hostname
        port = f":{self._url.port}" if self._url.port is not None else ""
        return f"{self._url.scheme}://{host}{port}"

    def send(self, parcel: Parcel) -> None:
        """Post it; any 2xx says that the receiver has it."""
        answer = self._answer(parcel)
        if 200 <= answer.status < 300:
            return
        if answer.status in _REFUSALS:
            raise DeliveryRefusedError(f"{self.place} answered {answer.status}")
        what = " and redirects, which is not followed" if 300 <= answer.status < 400 else ""
        retry_after = _seconds_of(answer.headers.get("Retry-After", ""))
        raise NotDeliveredError(f"{self.place} answered {answer.status}{what}", retry_after=retry_after)

    def _answer(self, parcel: Parcel) -> Answer:
        body, headers = parcel.body.encode(), self._headers(parcel)
        try:
            return exchange("POST", self._url, seconds=self._seconds, headers=headers, body=body)
        except TimeoutError as error:
            raise NotDeliveredError(f"{self.place}: no answer within {self._seconds:g} s") from error
        except (OSError, http.client.HTTPException) as error:
            raise NotDeliveredError(f"{self.place}: {_reason_of(error)}") from error

    def _headers(self, parcel: Parcel) -> dict[str, str]:
        own = {
            "Content-Type": "application/json",
            "User-Agent": "fitsvault",
            "X-Fitsvault-Event": parcel.type,
            "X-Fitsvault-Delivery": parcel.event_id,
            "X-Fitsvault-Attempt": str(parcel.attempt),
            "X-Fitsvault-Signature": signature(self._secret, parcel.body, time=int(self._clock())),
        }
        return own | _credentials(self._url)


def _credentials(url: SplitResult) -> dict[str, str]:
    if url.username is None:
        return {}
    pair = f"{unquote(url.username)}:{unquote(url.password or '')}"
    return {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"}


def _seconds_of(retry_after: str) -> float:
    """Return the seconds that an answer asks us to wait; dates, which clocks disagree about, count for nothing."""
    text = retry_after.strip()
    is_number = text.isascii() and text.isdigit() and len(text) < 10
    return min(float(text), _LONGEST_RETRY_AFTER) if is_number else 0.0


def _reason_of(error: Exception) -> str:
    """Return why there was no answer; never what may hold a part of the URL."""
    told = str(error)[:_LONGEST_REASON] if not isinstance(error, http.client.InvalidURL) else ""
    return f"{type(error).__name__}: {told}" if told else type(error).__name__
