"""The suite on SeaweedFS."""

from tests.stores.bundles import Bundles
from tests.stores.changes import Bursts, Changes
from tests.stores.door import Doors, Hints
from tests.stores.keys import Keys
from tests.stores.restarts import Restarts
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


class TestVersions(Versions):
    pass


class TestBundles(Bundles):
    pass
