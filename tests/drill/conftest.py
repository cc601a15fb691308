"""The rooms of ingest serve here as well."""

from tests.ingest.conftest import make_room, room

__all__ = ["make_room", "room"]
