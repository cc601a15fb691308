"""Thread of the ingest host that backs the database up by the clock."""

import datetime as dt
import logging
from functools import cached_property

from sqlalchemy.orm import Session, sessionmaker

from localstack.repeated import Repeated
from shared.backup.keeping import backups, drop_backups, keep_backup, made_at
from shared.database import holding, utc_now
from shared.schema import current_revision
from shared.settings import Settings
from shared.store.client import Store

__all__ = ["BackupThread"]

_log = logging.getLogger("fitsvault.backup")
_LOOK_SECONDS = 60.0
_LOCK = 0x66697476


class BackupThread(Repeated):
    """Makes a backup as soon as the latest is old enough, and deletes the oldest; of many hosts one does it."""

    def __init__(self, settings: Settings, sessions: sessionmaker[Session]) -> None:
        super().__init__("backups", _log, min(_LOOK_SECONDS, settings.backup_seconds or _LOOK_SECONDS))
        self._settings = settings
        self._sessions = sessions

    def start(self) -> None:
        """Begin, if backups are wanted."""
        if self._settings.backup_seconds:
            super().start()

    def work(self) -> None:
        """Make a backup if one is due."""
        if not self._is_due():
            return
        with holding(self._sessions.kw["bind"], _LOCK) as is_alone:
            if is_alone and self._is_due():
                self._back_up()

    def _is_due(self) -> bool:
        made = [made_at(state.key) for state in backups(self._settings, self._store)[-1:]]
        return not made or made[0] + dt.timedelta(seconds=self._settings.backup_seconds) <= utc_now()

    def _back_up(self) -> None:
        schema = str(current_revision(self._sessions.kw["bind"]))
        kept = keep_backup(self._settings, self._store, self._sessions, schema)
        gone = drop_backups(self._settings, self._store, self._settings.backup_keep)
        _log.info(
            "backed up", extra={"key": kept.key, "size": kept.size, "rows": sum(kept.rows.values()), "gone": gone}
        )

    @cached_property
    def _store(self) -> Store:
        return Store(self._settings)
