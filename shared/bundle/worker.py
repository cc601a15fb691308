"""Who builds the bundles that were ordered: one after the other, each going on where a killed one ended."""

import datetime as dt
import logging
import random
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict

from sqlalchemy.orm import Session, sessionmaker

from shared.accounts.models import User
from shared.backoff import delay
from shared.bundle.assembly import Assembly, assemble
from shared.bundle.build import BundleBuilder, StoppedError, Uploads
from shared.bundle.hold import LEASE, Held, held
from shared.bundle.inside import LeftOut, Wish
from shared.bundle.jobs import State, claim_job, due_job, ends_at, forget_job, overdue_jobs, set_values
from shared.bundle.presence import missing_objects
from shared.database import DATABASE_TROUBLE, read, reason_of, utc_now, write
from shared.errors import FitsError, ObjectChangedError, ObjectGoneError, StoreError, StoreUnavailableError
from shared.index.bundle_jobs import BundleJob
from shared.index.bundles import BundleFrame, bundle_of_ids
from shared.settings import Settings
from shared.store.client import Store
from shared.store.model import ObjectState

__all__ = ["BundleWorker", "bundle_folder"]

_log = logging.getLogger("fitsvault.bundle")
_ROUNDS = 4
_ATTEMPTS = 8
_NO_FRAME = "no frame has this id any more"
_FAILED = "The archive failed to build it. This was logged."

Unpack = Callable[[BundleJob, Sequence[BundleFrame]], Sequence[BundleFrame]]


def bundle_folder(job_id: str) -> str:
    """Return what the keys of all that belongs to a bundle begin with, in the derived bucket."""
    return f"bundles/{job_id}/"


class BundleWorker:
    """Builds bundles with the parts that it needs.

    Parameters
    ----------
    unpack
        Puts plain files in the place of tile-compressed ones, for bundles that want that.
    lease
        How long a killed worker's bundle waits for another.
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        sessions: sessionmaker[Session],
        unpack: Unpack,
        *,
        lease: dt.timedelta = LEASE,
        workers: int = 4,
    ) -> None:
        self._settings = settings
        self._store = store
        self._sessions = sessions
        self._unpack = unpack
        self._lease = lease
        self._workers = workers

    def build_next(self, *, stop: Callable[[], bool] = lambda: False, job_id: str | None = None) -> bool:
        """Build a bundle that is due, if there is one; what it came to stands in its row. Tell whether there was one.

        Raises
        ------
        sqlalchemy.exc.DBAPIError
            The database is away. The bundle is due again when its lease has run out.
        """
        if self.next_due(job_id) is None:
            return False
        owner = secrets.token_hex(8)
        with write(self._sessions) as session:
            job = claim_job(session, owner, self._lease, job_id)
        if job is None:
            return False
        with held(self._sessions, job.id, owner, self._lease) as hold:
            self._settle(job, hold, lambda: stop() or hold.is_lost())
        return True

    def next_due(self, job_id: str | None = None) -> str | None:
        """Return the id of a bundle that is due, the one asked for or any."""
        with read(self._sessions) as session:
            return due_job(session, job_id)

    def tidy(self) -> int:
        """Remove what belongs to bundles whose time is over, or that were deleted; return how many it were."""
        with read(self._sessions) as session:
            overdue = overdue_jobs(session)
        for job in overdue:
            self._clear(job)
            with write(self._sessions) as session:
                forget_job(session, job.id)
            _log.info("bundle removed", extra={"bundle": job.id, "state": job.state})
        return len(overdue)

    def _settle(self, job: BundleJob, hold: Held, stop: Callable[[], bool]) -> None:
        try:
            values = self._build(job, hold, stop)
        except StoppedError:
            self._release(job, hold)
            return
        except (StoreUnavailableError, *DATABASE_TROUBLE) as error:
            values = self._put_off(job, reason_of(error))
        except (StoreError, FitsError) as error:
            values = self._given_up(job, str(error))
        except Exception:  # noqa: BLE001 - it is logged, and the bundle says so
            _log.exception("bundle failed", extra={"bundle": job.id})
            values = self._given_up(job, _FAILED)
        if not self._save(job, hold, values):
            self._release(job, hold)

    def _build(self, job: BundleJob, hold: Held, stop: Callable[[], bool]) -> dict[str, object]:
        for _ in range(_ROUNDS):
            assembly = self._assemble(job)
            key = f"{bundle_folder(job.id)}{assembly.plan.identity()}.zip"
            builder = BundleBuilder(
                self._store,
                self._settings.derived_bucket,
                progress=hold.tell,
                stop=stop,
                workers=self._workers,
            )
            self._drop_others(job, builder, key)
            uploads = Uploads(dict(job.uploads), lambda ids: self._keep_uploads(job, hold, ids))
            job.key = key
            self._save(job, hold, _told(assembly) | {"key": key})
            try:
                passed = builder.build(assembly.plan, key, uploads)
            except (ObjectChangedError, ObjectGoneError) as error:
                _log.info("bundle planned anew", extra={"bundle": job.id, "reason": str(error)})
                builder.drop(key, uploads)
                continue
            _log.info(
                "bundle built",
                extra={"bundle": job.id, "bytes": assembly.plan.length, "passed": passed} | {"frames": job.frames},
            )
            done = {"done": assembly.plan.length, "passed": passed, "crc32": assembly.plan.crc32()}
            return done | {"state": State.READY, "uploads": {}, "reason": None} | self._ended()
        raise StoreUnavailableError("frames of a bundle keep changing")

    def _assemble(self, job: BundleJob) -> Assembly:
        frames = self._frames(job)
        known = {frame.id for frame in frames}
        lacking = [LeftOut(frame_id, "", _NO_FRAME) for frame_id in job.frame_ids if frame_id not in known]
        with read(self._sessions) as session:
            username = session.get_one(User, job.user_id).username

        def missing(states: Iterable[ObjectState]) -> Sequence[ObjectState]:
            with ThreadPoolExecutor(self._workers) as threads:
                return missing_objects(self._store, states, threads, waits=True)

        wish = Wish(username, job.day, tuple(job.asked))
        return assemble(frames, lambda: self._frames(job), lambda *_: None, missing, wish=wish, left_out=lacking)

    def _frames(self, job: BundleJob) -> Sequence[BundleFrame]:
        with read(self._sessions) as session:
            frames = list(bundle_of_ids(session, job.frame_ids))
        return self._unpack(job, frames) if job.uncompress else frames

    def _drop_others(self, job: BundleJob, builder: BundleBuilder, key: str) -> None:
        """Drop what there is of zips that the frames were planned into before they changed."""
        others = {name: upload for name, upload in job.uploads.items() if not name.startswith(key)}
        if others:
            builder.drop(min(others), Uploads(others))
            job.uploads = {name: upload for name, upload in job.uploads.items() if name not in others}

    def _keep_uploads(self, job: BundleJob, hold: Held, ids: Mapping[str, str]) -> None:
        job.uploads = dict(ids)
        if not self._save(job, hold, {"uploads": job.uploads}):
            raise StoppedError

    def _save(self, job: BundleJob, hold: Held, values: Mapping[str, object]) -> bool:
        with write(self._sessions) as session:
            return set_values(session, job.id, hold.owner, values)

    def _release(self, job: BundleJob, hold: Held) -> None:
        """Let another go on at once; what was deleted meanwhile is cleared away."""
        with write(self._sessions) as session:
            free = {"state": State.QUEUED, "owner": None, "leased_until": None, "attempts": job.attempts - 1}
            if set_values(session, job.id, hold.owner, free):
                return
            found = session.get(BundleJob, job.id)
            is_deleted = found is None or found.state == State.DELETED
        if is_deleted:
            self._clear(job)
            with write(self._sessions) as session:
                forget_job(session, job.id)

    def _put_off(self, job: BundleJob, reason: str) -> dict[str, object]:
        if job.attempts >= _ATTEMPTS:
            return self._given_up(job, reason)
        _log.warning("bundle put off", extra={"bundle": job.id, "attempts": job.attempts, "reason": reason})
        pause = delay(job.attempts, base=2.0, cap=300.0, random=random.random())  # noqa: S311
        due = utc_now() + dt.timedelta(seconds=pause)
        return {"state": State.QUEUED, "due_at": due, "reason": reason, "owner": None, "leased_until": None}

    def _given_up(self, job: BundleJob, reason: str) -> dict[str, object]:
        _log.error("bundle given up", extra={"bundle": job.id, "attempts": job.attempts, "reason": reason})
        try:
            self._clear(job)
        except StoreError as error:
            _log.warning("bundle not cleared", extra={"bundle": job.id, "reason": str(error)})
        return {"state": State.FAILED, "reason": reason, "uploads": job.uploads} | self._ended()

    def _ended(self) -> dict[str, object]:
        with read(self._sessions) as session:
            return ends_at(session, dt.timedelta(seconds=self._settings.bundle_seconds))

    def _clear(self, job: BundleJob) -> None:
        bucket, folder = self._settings.derived_bucket, bundle_folder(job.id)
        BundleBuilder(self._store, bucket).drop(job.key or folder, Uploads(dict(job.uploads)))
        self._store.delete(bucket, tuple(found.key for found in self._store.walk_as_listed(bucket, prefix=folder)))


def _told(assembly: Assembly) -> dict[str, object]:
    return {
        "frames": len(assembly.frames),
        "size": assembly.plan.length,
        "left_out": [asdict(one) for one in assembly.left_out],
    }
