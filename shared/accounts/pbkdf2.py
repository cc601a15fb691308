"""Password hashes as Django makes them, which accounts bring along from a pyobs-archive: PBKDF2 with SHA-256.

They are checked here and never made: the first login replaces them.
"""

import base64
import binascii
import hashlib
import hmac
import re
from dataclasses import dataclass

__all__ = ["MAX_ROUNDS", "PREFIX", "Pbkdf2Hash", "spend_rounds"]

PREFIX = "pbkdf2_sha256$"
"""What such a hash begins with."""

MAX_ROUNDS = 10_000_000
"""A hash of more rounds is none: it would keep a thread for longer than a client waits."""

_FORM = re.compile(r"pbkdf2_sha256\$([0-9]{1,8})\$([^$]+)\$([A-Za-z0-9+/]{43}=)")


@dataclass(frozen=True, slots=True)
class Pbkdf2Hash:
    """The parts of a hash ``pbkdf2_sha256$<rounds>$<salt>$<digest in base64>``."""

    rounds: int
    salt: bytes
    digest: bytes

    @classmethod
    def from_string(cls, encoded: str) -> "Pbkdf2Hash | None":
        """Read a hash; None if it is another kind, or broken."""
        form = _FORM.fullmatch(encoded)
        if form is None or not 0 < int(form[1]) <= MAX_ROUNDS:
            return None
        try:
            return cls(int(form[1]), form[2].encode(), base64.b64decode(form[3], validate=True))
        except (UnicodeEncodeError, binascii.Error):
            return None

    def matches(self, password: str) -> bool:
        """Return whether this is the hash of ``password``."""
        return hmac.compare_digest(
            hashlib.pbkdf2_hmac("sha256", password.encode(), self.salt, self.rounds), self.digest
        )


def spend_rounds(password: str, rounds: int) -> None:
    """Take the time of so many rounds."""
    if rounds > 0:
        hashlib.pbkdf2_hmac("sha256", password.encode(), b"nobody", rounds)
