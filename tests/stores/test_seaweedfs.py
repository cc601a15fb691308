"""The suite on SeaweedFS, and what only its volumes have."""

import re

from tests.stores.browsers import Browsers
from tests.stores.bundles import Bundles
from tests.stores.changes import Bursts, Changes
from tests.stores.door import Doors, Hints
from tests.stores.keys import Keys
from tests.stores.restarts import Restarts
from tests.stores.stored import StoredArchive
from tests.stores.versions import Versions

STORE = "seaweedfs"


class TestChanges(Changes):
    pass


class TestKeys(Keys):
    pass


class TestHints(Hints):
    pass


class TestDoors(Doors):
    pass


class TestBursts(Bursts):
    pass


class TestRestarts(Restarts):
    program = b"weed"


def test_volumes_do_not_run_out_before_the_disk(stored: StoredArchive) -> None:
    """Each bucket takes some; left to itself the store has as many as there are free gigabytes."""
    found = re.search(r"Free Volumes: +(\d+)", stored.running.log("store"))
    assert found is not None
    assert int(found[1]) > 50_000


class TestBrowsers(Browsers):
    pass


class TestVersions(Versions):
    pass


class TestBundles(Bundles):
    pass
