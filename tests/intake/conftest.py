"""The rooms of ingest: buckets that no event is delivered from."""

from tests.ingest.conftest import make_room, room

__all__ = ["make_room", "room"]
