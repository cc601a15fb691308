"""Whether the ingest host can do its work just now."""

from collections.abc import Mapping

from sqlalchemy.orm import Session, sessionmaker

from functions.api.probes import Probe, index_state, store_state, tables_state
from shared.settings import Settings
from shared.store.client import Store

__all__ = ["Readiness"]


class Readiness:
    """Asks what the ingest host leans on, each within seconds."""

    def __init__(self, settings: Settings, sessions: sessionmaker[Session]) -> None:
        store = Store(settings, attempts=1)
        self._probes = {
            "database": Probe(lambda: index_state(sessions)),
            "tables": Probe(lambda: tables_state(sessions)),
            "store": Probe(lambda: store_state(store, settings)),
        }

    def states(self) -> Mapping[str, str]:
        """Return ``ok``, or what is wrong, by part."""
        return {name: probe.state() for name, probe in self._probes.items()}

    def close(self) -> None:
        """Let go of the threads."""
        for probe in self._probes.values():
            probe.close()
