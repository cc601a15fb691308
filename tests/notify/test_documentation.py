"""What docs/notifications.md says and shows is so."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session, sessionmaker

from shared.notify.dispatch import Dispatcher
from shared.notify.webhook import Webhook
from tests.notify.outbox import put
from tests.notify.receiver import Receiver

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "notifications.md").read_text()
SECRET = "a secret of the two of us"


def snippet(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    return found[1]


def test_the_verification_of_the_page_verifies(sessions: sessionmaker[Session], receiver: Receiver) -> None:
    scope: dict[str, Any] = {}
    exec(snippet("python"), scope)
    is_genuine: Callable[..., bool] = scope["is_genuine"]
    put(sessions, ["a.fits"])
    Dispatcher(sessions, {"webhook": Webhook(receiver.url, SECRET)}).dispatch()
    (received,) = receiver.received
    signature = received.headers["X-Fitsvault-Signature"]
    assert is_genuine(SECRET, signature, received.body)
    assert not is_genuine("another secret", signature, received.body)
    assert not is_genuine(SECRET, signature, received.body + b" ")
    assert not is_genuine(SECRET, signature.replace("t=", "t=1"), received.body)
    assert not is_genuine(SECRET, signature, received.body, tolerance=-1)
    for garbage in ("", "t=,v1=", "t=²,v1=x", "v1=ü", ",,,", "t"):
        assert not is_genuine(SECRET, garbage, received.body)


def test_the_message_has_the_fields_of_the_page(sessions: sessionmaker[Session], receiver: Receiver) -> None:
    shown = json.loads(snippet("json"))
    put(sessions, ["a.fits"])
    Dispatcher(sessions, {"webhook": Webhook(receiver.url, SECRET)}).dispatch()
    (sent,) = receiver.payloads
    assert set(sent) == set(shown)
    assert list(sent["frame"]) == list(shown["frame"])
