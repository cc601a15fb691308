"""The suite on MinIO, and what only its notification has."""

import pytest
from minio.notificationconfig import NotificationConfig, PrefixFilterRule, QueueConfig

from localstack.state import StartError
from localstack.stores.minio import MinioServer, make_minio_client, notify_by_webhooks
from localstack.stores.setup import set_up_store
from shared.cli.examinations.store import examine_notification
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

    def test_the_doctor_looks_at_the_rules(self, stored: StoredArchive) -> None:
        running = stored.running
        (well,) = examine_notification(running.settings, running.store)
        assert (well.verdict.value, well.words) == ("ok", f"the bucket {running.bucket} tells of what comes and goes")
        settings = running.settings.model_copy(update={"bucket": "examined"})
        running.store.ensure_bucket("examined")
        client = make_minio_client(settings)

        def found(*events: str, prefix: str | None = None) -> list[tuple[str, str]]:
            rule = PrefixFilterRule(prefix) if prefix else None
            rules = [QueueConfig(queue=OURS, events=list(events), prefix_filter_rule=rule)] if events else []
            client.set_bucket_notification("examined", NotificationConfig(queue_config_list=rules))
            return [(one.verdict.value, one.words) for one in examine_notification(settings, running.store)]

        ((verdict, words),) = found()
        assert (verdict, "tells nobody of s3:ObjectCreated and s3:ObjectRemoved" in words) == ("wrong", True)
        ((verdict, words),) = found("s3:ObjectCreated:*")
        assert (verdict, "tells nobody of s3:ObjectRemoved:" in words) == ("wrong", True)
        limited, well_told = found("s3:ObjectCreated:*", "s3:ObjectRemoved:*", prefix="2026/")
        assert (limited, well_told[0]) == (("note", "one rule is only for keys with prefix 2026/"), "ok")
        client.delete_bucket_notification("examined")

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
