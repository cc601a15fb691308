"""Events of every dialect, as the real servers sent them."""

import pytest

from tests.events.cases import CASES, Case, reading_of


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_corpus(case: Case) -> None:
    reading = reading_of(case.event)
    assert [[event.kind.value, event.bucket, event.key] for event in reading.events] == case.objects
    reasons = reading.unwanted + reading.refused
    assert len(reasons) == len(case.refused)
    for part in case.refused:
        assert any(part in reason for reason in reasons)


@pytest.mark.parametrize("dialect", ["s3", "minio", "ceph", "localstack", "localstack-eventbridge", "seaweedfs"])
def test_corpus_has_every_dialect_come_and_go(dialect: str) -> None:
    kinds = {kind for case in CASES if case.name.startswith(f"{dialect}-") for kind, _, _ in case.objects}
    assert kinds == {"created", "removed"}
