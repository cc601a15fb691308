"""The suite on MinIO, and what only its notification has."""

import pytest
from minio.notificationconfig import NotificationConfig, PrefixFilterRule, QueueConfig

from localstack.state import StartError
from localstack.stores.minio import MinioServer, make_minio_client, notify_by_webhooks
from localstack.stores.setup import set_up_store
from tests.stores.browsers import Browsers
from tests.stores.bundles import Bundles
from tests.stores.changes import Bursts, Changes
from tests.stores.door import Doors, Hints
from tests.stores.keys import Keys
from tests.stores.restarts import Restarts
from tests.stores.stored import StoredArchive
from tests.stores.versions import Versions

STORE = "minio"
OURS = "arn:minio:sqs::FITSVAULT:webhook"
OTHER = "arn:minio:sqs::OTHER:webhook"


class TestChanges(Changes):
    pass


class TestKeys(Keys):
    refused = ("two//slashes.fits", "/leading.fits")


class TestHints(Hints):
    pass


class TestDoors(Doors):
    pass


class TestBursts(Bursts):
    pass


class TestNotification:
    def test_rules_of_others_stay(self, stored: StoredArchive) -> None:
        settings = stored.running.settings.model_copy(update={"bucket": "shared"})
        stored.running.store.ensure_bucket("shared")
        client = make_minio_client(settings)
        theirs = QueueConfig(
            queue=OTHER, events=["s3:ObjectCreated:Put"], config_id="theirs", prefix_filter_rule=PrefixFilterRule("x/")
        )
        client.set_bucket_notification("shared", NotificationConfig(queue_config_list=[theirs]))
        for _ in range(2):
            notify_by_webhooks(settings, [OURS])
            rules = {rule.queue: rule for rule in client.get_bucket_notification("shared").queue_config_list}
            assert {name.split(":")[-2] for name in map(str, rules)} == {"FITSVAULT", "OTHER"}
            kept = next(rule for name, rule in rules.items() if "OTHER" in str(name))
            assert (kept.config_id, kept.events, kept.prefix_filter_rule) == (
                "theirs",
                theirs.events,
                PrefixFilterRule("x/"),
            )
        client.delete_bucket_notification("shared")

    def test_a_webhook_that_nobody_configured_is_named(self, stored: StoredArchive) -> None:
        with pytest.raises(StartError, match="arn:minio:sqs::NOBODY:webhook"):
            notify_by_webhooks(stored.running.settings, [OURS, "arn:minio:sqs::NOBODY:webhook"])
        rules = make_minio_client(stored.running.settings).get_bucket_notification(stored.running.bucket)
        told = {str(rule.queue).split(":")[-2] for rule in rules.queue_config_list}
        assert told == {arn.split(":")[-2] for arn in MinioServer.arns}

    def test_who_trusts_no_events_gets_none(self, stored: StoredArchive) -> None:
        changes = {"bucket": "scanned", "derived_bucket": "scanned-derived"}
        settings = stored.running.settings.model_copy(update=changes)
        client = make_minio_client(settings)
        for trigger, rules in (("scan", 0), ("events", 1)):
            set_up_store(settings.model_copy(update={"trigger": trigger}))
            assert len(client.get_bucket_notification("scanned").queue_config_list) == rules
        client.delete_bucket_notification("scanned")

    def test_its_console_is_off(self, stored: StoredArchive) -> None:
        assert "WebUI" not in stored.running.log("store")


class TestRestarts(Restarts):
    program = b"minio"


class TestBrowsers(Browsers):
    pass


class TestVersions(Versions):
    pass


class TestBundles(Bundles):
    pass
