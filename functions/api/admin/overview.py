"""What the panel's first page tells."""

from starlette.requests import Request

from functions.api.dependencies import get_services
from shared.accounts.listing import page_of_accounts, page_of_sessions, page_of_tokens
from shared.database import read
from shared.index.counts import count_frames
from shared.index.failures import list_failures
from shared.index.scope import scope_of
from shared.index.selection import FrameFilter

__all__ = ["overview"]


def overview(request: Request) -> dict[str, int]:
    """Return how many there are of each, by the views' names; frames by the sums that the index keeps."""
    services = get_services(request)
    with read(services.readers) as session:
        frames = count_frames(session, scope_of(session, FrameFilter(undated=True)))
    with read(services.sessions) as session:
        return {
            "accounts": page_of_accounts(session, limit=0)[0],
            "tokens": page_of_tokens(session, limit=0)[0],
            "sessions": page_of_sessions(session, limit=0)[0],
            "frames": frames,
            "failures": list_failures(session, limit=0)[0],
        }
