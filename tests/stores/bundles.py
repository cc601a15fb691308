"""The suite: bundles that the store puts together itself."""

import hashlib
from collections.abc import Iterator
from typing import ClassVar

import pytest

from shared.bundle.build import BundleBuilder, Uploads
from shared.bundle.plan import Piece
from shared.errors import ObjectChangedError, ObjectGoneError
from shared.store import multipart
from tests.bundle.stock import MIXED, stocked, virtual
from tests.stores.stored import StoredArchive

__all__ = ["Bundles"]

_BUCKET = "bundled"
_KEY = "bundles/built.zip"


class Bundles:
    """What is built in the bucket is byte by byte what the API sends."""

    minds_conditions: ClassVar[bool] = True
    """Whether this store copies a part under the condition that its source is the right one."""

    @pytest.fixture(autouse=True)
    @staticmethod
    def nothing_is_left(stored: StoredArchive) -> Iterator[None]:
        yield
        running = stored.running
        keys = tuple(found.key for found in running.store.walk(running.derived, prefix="bundles/"))
        running.store.delete(running.derived, keys)

    @pytest.mark.parametrize("max_parts", [10_000, 3])
    def test_a_bundle_is_the_virtual_zip(self, stored: StoredArchive, max_parts: int) -> None:
        running = stored.running
        plan = stocked(running.store, _BUCKET, "mixed", MIXED)
        BundleBuilder(running.store, running.derived, max_parts=max_parts).build(plan, _KEY, Uploads())
        built = hashlib.sha256(b"".join(running.store.stream(running.store.head(running.derived, _KEY))))
        assert built.digest() == hashlib.sha256(virtual(running.store, plan)).digest()

    def test_what_is_copied_is_the_very_object(self, stored: StoredArchive) -> None:
        running = stored.running
        store, derived = running.store, running.derived
        plan = stocked(store, _BUCKET, "guarded", [11 << 20])
        (piece,) = (content for content in plan.contents() if isinstance(content, Piece))
        upload_id = multipart.begin(store, derived, _KEY, "application/zip")
        copied = multipart.copy_part(store, derived, _KEY, upload_id, 1, piece.state, (1, 6 << 20))
        assert multipart.parts_there(store, derived, _KEY, upload_id) == [copied]
        store.write_bytes(_BUCKET, piece.state.key, bytes(piece.stop), "application/fits")
        if self.minds_conditions:
            with pytest.raises(ObjectChangedError):
                multipart.copy_part(store, derived, _KEY, upload_id, 2, piece.state, (1, 6 << 20))
        store.delete(_BUCKET, (piece.state.key,))
        with pytest.raises(ObjectGoneError):
            multipart.copy_part(store, derived, _KEY, upload_id, 2, piece.state, (1, 6 << 20))
        multipart.abort(store, derived, _KEY, upload_id)

    def test_what_changes_meanwhile_is_never_in_it(self, stored: StoredArchive) -> None:
        """Only its beginning has been read when the frame is overwritten; the rest would be copied."""
        running = stored.running
        store, derived = running.store, running.derived
        plan = stocked(store, _BUCKET, "overwritten", [11 << 20])
        state = plan.entries[0].content
        assert not isinstance(state, bytes)

        def overwrite(_bytes: int) -> None:
            store.write_bytes(_BUCKET, state.key, bytes(state.size), "application/fits")

        builder, uploads = BundleBuilder(store, derived, progress=overwrite, workers=1), Uploads()
        with pytest.raises(ObjectChangedError):
            builder.build(plan, _KEY, uploads)
        builder.drop(_KEY, uploads)
        with pytest.raises(ObjectGoneError):
            store.head(derived, _KEY)
