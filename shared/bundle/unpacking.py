"""Tile-compressed frames as plain ones, beside the bundle that wants them so."""

import logging
from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy.orm import Session, sessionmaker

from shared.bundle.assembly import state_of
from shared.bundle.worker import bundle_folder
from shared.checksums import Checksums
from shared.database import read
from shared.errors import FitsError, ObjectChangedError, ObjectGoneError
from shared.fits.container import unpacked
from shared.fits.unpack import unpack_tiles
from shared.index.bundles import BundleFrame, packed_ids
from shared.settings import Settings
from shared.store.client import Store
from shared.store.fetch import fetched
from shared.store.model import ObjectState
from shared.store.naming import derived_digest
from shared.store.transfers import metadata_of, upload_path

__all__ = ["Unpacker"]

_log = logging.getLogger("fitsvault.bundle")
_SUFFIX = ".fz"


class Unpacker:
    """Unpacks frames into the derived bucket, each once for a bundle."""

    def __init__(self, settings: Settings, store: Store, sessions: sessionmaker[Session]) -> None:
        self._settings = settings
        self._store = store
        self._sessions = sessions

    def unpacked(self, job_id: str, frames: Sequence[BundleFrame]) -> Sequence[BundleFrame]:
        """Return the frames, with the plain file in the place of each that is in tiles.

        One whose object has changed, or that cannot be unpacked, stays as it is.
        """
        with read(self._sessions) as session:
            packed = packed_ids(session, [frame.id for frame in frames])
        return [self._plain(job_id, frame) if frame.id in packed else frame for frame in frames]

    def _plain(self, job_id: str, frame: BundleFrame) -> BundleFrame:
        name = derived_digest(state_of(frame)).replace("/", "-")
        key = f"{bundle_folder(job_id)}unpacked/{name}.fits"
        try:
            state = self._made(frame, key)
        except (ObjectChangedError, ObjectGoneError):
            return frame
        except FitsError as error:
            _log.warning("not unpacked", extra={"bundle": job_id, "frame": frame.id, "reason": str(error)})
            return frame
        sums = metadata_of(self._store, state)
        return replace(
            frame,
            filename=frame.filename.removesuffix(_SUFFIX),
            bucket=state.bucket,
            key=state.key,
            etag=state.etag,
            version_id=state.version_id,
            size=state.size,
            crc32=int(sums["crc32"], 16),
            sha256=sums["sha256"],
        )

    def _made(self, frame: BundleFrame, key: str) -> ObjectState:
        try:
            return self._store.head(self._settings.derived_bucket, key)
        except ObjectGoneError:
            pass
        with fetched(self._store, state_of(frame), self._settings.work_dir) as packed:
            plain = packed.folder / "plain.fits"
            limit = self._settings.max_unpacked_bytes
            with unpacked(packed.path, work_dir=packed.folder, limit=limit) as (file, _):
                unpack_tiles(file, plain)
            sums = Checksums.of_file(plain)
            told = {"crc32": f"{sums.crc32:08x}", "sha256": sums.sha256}
            return upload_path(self._store, self._settings.derived_bucket, key, plain, "image/fits", told)
