"""The suite on LocalStack, and what only a queue and a template have."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from localstack.queue_poller import QueuePoller
from localstack.state import StartError
from localstack.stores.stack import TEMPLATE, deploy_storage
from shared.cli.examinations.queue import examine_queue
from shared.cli.examinations.store import examine_notification
from shared.store.session import make_session
from tests.agreement import disagreements
from tests.archive import wait_until
from tests.stores.browsers import Browsers
from tests.stores.bundles import Bundles
from tests.stores.changes import Bursts, Changes
from tests.stores.door import Doors, Hints
from tests.stores.keys import Keys
from tests.stores.queues import QueueRoom
from tests.stores.restarts import Restarts
from tests.stores.stored import StoredArchive
from tests.stores.versions import Versions

STORE = "localstack"


@pytest.fixture
def room(stored: StoredArchive, tmp_path: Path) -> Iterator[QueueRoom]:
    room = QueueRoom(stored.running.settings, tmp_path)
    yield room
    room.close()


@contextmanager
def polled(room: QueueRoom, handle: Any = None) -> Iterator[None]:
    poller = QueuePoller(room.queue, handle or room.handle, workers=2)
    poller.start()
    try:
        yield
    finally:
        poller.stop()


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


class TestQueue:
    def test_poison_holds_up_no_other_and_ends_among_the_dead_letters(self, room: QueueRoom) -> None:
        room.make_queue(attempts=3)
        room.store.ensure_bucket(room.settings.derived_bucket)
        poison = ["{", json.dumps({"Records": [{"eventSource": "somebody:else"}]})]
        room.send(poison[0], *[room.put(f"{number}.fits") for number in range(12)], poison[1])
        with polled(room):
            wait_until("the others are settled", lambda: not disagreements(room.settings))
            wait_until("the poison is out of the way", lambda: room.waiting(room.dead) == 2)
            wait_until("the queue is empty", lambda: room.waiting(room.url) == 0)
        dead = room.sqs.receive_message(QueueUrl=room.dead, MaxNumberOfMessages=10)["Messages"]
        assert {message["Body"] for message in dead} <= set(poison)

    def test_what_fails_today_is_settled_when_its_time_has_come(self, room: QueueRoom) -> None:
        """Without derived bucket no frame can be settled; once it is there, the queue brings them."""
        room.make_queue(attempts=100)
        room.send(room.put("a.fits"), room.put("b.fits"))
        with polled(room):
            wait_until("both have failed", lambda: len(room.failures()) == 2)
            assert room.waiting(room.url) == 2
            room.store.ensure_bucket(room.settings.derived_bucket)
            wait_until("both are settled", lambda: not disagreements(room.settings, broken=()))
            wait_until("the queue is empty", lambda: room.waiting(room.url) == 0)
        assert room.waiting(room.dead) == 0

    def test_messages_under_work_are_not_seen_by_others(self, room: QueueRoom) -> None:
        room.make_queue(attempts=100)
        room.store.ensure_bucket(room.settings.derived_bucket)
        room.send(room.put("slow.fits"))
        begun: list[dict[str, Any]] = []

        def slowly(event: dict[str, Any]) -> dict[str, Any]:
            begun.extend(event["Records"])
            time.sleep(2.5)  # until others would see them, twice over
            return room.handle(event)

        with polled(room, slowly):
            wait_until("the queue is empty", lambda: room.waiting(room.url) == 0)
        assert [record["attributes"]["ApproximateReceiveCount"] for record in begun] == ["1"]
        assert not disagreements(room.settings)

    def test_a_queue_that_is_not_there_yet_is_waited_for(self, room: QueueRoom) -> None:
        room.store.ensure_bucket(room.settings.derived_bucket)
        done = threading.Event()
        seen: list[dict[str, Any]] = []

        def take(event: dict[str, Any]) -> dict[str, Any]:
            seen.extend(event["Records"])
            done.set()
            return room.handle(event)

        with polled(room, take):
            assert not done.wait(0.5)
            room.make_queue(attempts=100)
            room.send(room.put("late.fits"))
            assert done.wait(60)
            wait_until("the queue is empty", lambda: room.waiting(room.url) == 0)
        record = seen[0]
        assert record.keys() == {
            *("messageId", "receiptHandle", "body", "attributes", "messageAttributes"),
            *("md5OfBody", "eventSource", "eventSourceARN", "awsRegion"),
        }
        assert record["eventSource"] == "aws:sqs"
        assert record["eventSourceARN"] == f"arn:aws:sqs:us-east-1:000000000000:{room.name}"


class TestDoctor:
    """What `fitsvault doctor` finds of SQS and of the bucket's notification."""

    @staticmethod
    def queue(room: QueueRoom, url: str | None = None) -> list[tuple[str, str]]:
        settings = room.settings.model_copy(update={"queue_url": url or room.url})
        return [(found.verdict.value, found.words) for found in examine_queue(settings)]

    def test_a_queue_and_its_dead_letters(self, room: QueueRoom, monkeypatch: pytest.MonkeyPatch) -> None:
        room.make_queue(attempts=3)
        assert self.queue(room) == [("ok", "0 events wait")]
        room.send("one", "two")
        room.sqs.send_message(QueueUrl=room.dead, MessageBody="three")
        given_up = f"1 events were given up and wait in {room.name}-dead; sweeps settle their objects"
        assert self.queue(room) == [("ok", "2 events wait"), ("note", given_up)]
        monkeypatch.setattr("shared.cli.examinations.queue._MANY", 1)
        many, _ = self.queue(room)
        assert many == ("note", "2 events wait: docs/scaling.md says what to raise")

    def test_a_queue_without_dead_letters_or_that_is_none(self, room: QueueRoom) -> None:
        (_, lonely) = self.queue(room, room.dead)
        assert lonely[0] == "note"
        assert "it has no dead-letter queue" in lonely[1]
        for url in (f"{room.dead}-not", f"http://127.0.0.1:9/000000000000/{room.name}"):
            ((verdict, words),) = self.queue(room, url)
            assert (verdict, "Is FITSVAULT_QUEUE_URL right" in words) == ("wrong", True)

    def test_rules_of_the_bucket(self, stored: StoredArchive) -> None:
        running = stored.running
        (well,) = examine_notification(running.settings, running.store)
        assert (well.verdict.value, well.words) == ("ok", f"the bucket {running.bucket} tells of what comes and goes")
        arn = deploy_storage(running.settings).rpartition("/")[2]
        queue = f"arn:aws:sqs:us-east-1:000000000000:{arn}"
        other = running.settings.model_copy(update={"bucket": "examined"})
        running.store.ensure_bucket("examined")

        def found(*events: str, rules: list[dict[str, str]] | None = None, **more: Any) -> list[tuple[str, str]]:
            rule: Any = {"QueueArn": queue, "Events": events}
            if rules:
                rule["Filter"] = {"Key": {"FilterRules": rules}}
            configuration: Any = {"QueueConfigurations": [rule]} if events else {}
            running.s3.put_bucket_notification_configuration(
                Bucket="examined", NotificationConfiguration=configuration | more, SkipDestinationValidation=True
            )
            return [(one.verdict.value, one.words) for one in examine_notification(other, running.store)]

        ((verdict, words),) = found()
        assert (verdict, "tells nobody of s3:ObjectCreated and s3:ObjectRemoved" in words) == ("wrong", True)
        ((verdict, words),) = found("s3:ObjectCreated:*")
        assert (verdict, "tells nobody of s3:ObjectRemoved:" in words) == ("wrong", True)
        both = ("s3:ObjectCreated:*", "s3:ObjectRemoved:*")
        assert [verdict for verdict, _ in found(*both)] == ["ok"]
        limited, well_told = found(*both, rules=[{"Name": "suffix", "Value": ".fits"}])
        assert (limited, well_told[0]) == (("note", "one rule is only for keys with suffix .fits"), "ok")
        assert found(EventBridgeConfiguration={}) == [("ok", "the bucket tells EventBridge")]
        found()


class TestTemplate:
    """What CloudFormation made of ``infra/storage.yaml``."""

    @staticmethod
    def client(stored: StoredArchive, service: Any) -> Any:
        settings = stored.running.settings
        return make_session(settings).client(service, endpoint_url=settings.s3_endpoint_url)

    def test_both_buckets_are_private_and_encrypted(self, stored: StoredArchive) -> None:
        running = stored.running
        for bucket in (running.bucket, running.derived):
            blocked = running.s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
            assert set(blocked.values()) == {True}
            rules = running.s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"]
            assert rules == [{"ObjectOwnership": "BucketOwnerEnforced"}]
            encryption = running.s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
            assert encryption[0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"

    def test_events_of_the_science_bucket_go_to_a_queue_with_dead_letters(self, stored: StoredArchive) -> None:
        running = stored.running
        notification = running.s3.get_bucket_notification_configuration(Bucket=running.bucket)
        told = notification["QueueConfigurations"]
        assert {event for one in told for event in one["Events"]} == {
            "s3:ObjectCreated:*",
            "s3:ObjectRemoved:*",
            "s3:LifecycleExpiration:*",
        }
        assert "QueueConfigurations" not in running.s3.get_bucket_notification_configuration(Bucket=running.derived)
        queue = deploy_storage(running.settings)
        attributes = self.client(stored, "sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])[
            "Attributes"
        ]
        assert {one["QueueArn"] for one in told} == {attributes["QueueArn"]}
        redrive = json.loads(attributes["RedrivePolicy"])
        assert redrive == {"deadLetterTargetArn": f"{attributes['QueueArn']}-dead", "maxReceiveCount": 5}
        (statement,) = json.loads(attributes["Policy"])["Statement"]
        assert statement["Principal"] == {"Service": "s3.amazonaws.com"}
        assert statement["Condition"]["ArnEquals"] == {"aws:SourceArn": f"arn:aws:s3:::{running.bucket}"}

    def test_a_stack_that_cannot_be_says_why(self, stored: StoredArchive) -> None:
        bad = stored.running.settings.model_copy(update={"bucket": "No_Such_Name"})
        with pytest.raises(StartError, match="the stack fitsvault-No-Such-Name is"):
            deploy_storage(bad)

    def test_versions_are_kept_where_nothing_else_is_said(self, stored: StoredArchive) -> None:
        formation = self.client(stored, "cloudformation")
        values = {"FramesBucketName": "versioned", "DerivedBucketName": "versioned-derived", "QueueName": "versioned"}
        formation.create_stack(
            StackName="versioned",
            TemplateBody=TEMPLATE.read_text(),
            Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in values.items()],
        )
        s3 = stored.running.s3
        formation.get_waiter("stack_create_complete").wait(StackName="versioned", WaiterConfig={"Delay": 1})
        assert s3.get_bucket_versioning(Bucket="versioned")["Status"] == "Enabled"
        assert "Status" not in s3.get_bucket_versioning(Bucket=stored.running.bucket)


class TestRestarts(Restarts):
    program = b"localstack.runtime"
    keeps = False

    def test_it_is_said_that_all_is_forgotten(self, stored: StoredArchive) -> None:
        assert "keeps objects only as long as it runs" in stored.output


class TestBrowsers(Browsers):
    pass


class TestVersions(Versions):
    pass


class TestBundles(Bundles):
    minds_conditions = False
