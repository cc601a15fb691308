"""The template: right by AWS's own checkers, and what comes of it where it is deployed."""

import io
import json
import os
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from infra.packaging.model import PACKAGES, REPOSITORY
from tests.infra.aws import aws_tool, running_moto
from tests.infra.policies import load_template

STACK = "it"
PARAMETERS = {
    "FramesBucketName": "science-frames",
    "DerivedBucketName": "science-derived",
    "DatabaseSecretArn": "arn:aws:secretsmanager:us-east-1:123456789012:secret:it-abcdef",
    "AlarmTopicArn": "arn:aws:sns:us-east-1:123456789012:alarms",
    "AllowedOrigins": "https://www.example.org",
}
TEMPLATES = ["infra/template.yaml", "infra/storage.yaml"]
ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "HOME": os.environ.get("HOME", "/tmp"),
    "AWS_DEFAULT_REGION": "us-east-1",
    "SAM_CLI_TELEMETRY": "0",
}


def check(command: list[str | Path]) -> None:
    done = subprocess.run(
        command, cwd=REPOSITORY, env=ENVIRONMENT, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_cfn_lint_finds_nothing() -> None:
    check([aws_tool("cfn-lint"), *TEMPLATES])


@pytest.mark.parametrize("template", TEMPLATES)
def test_sam_finds_it_valid(template: str) -> None:
    check([aws_tool("sam"), "validate", "--lint", "--template-file", template])


class Cloud:
    """A stack in moto, which is deployed with its packages uploaded as ``sam deploy`` does it."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._session = boto3.session.Session("test", "test", region_name="us-east-1")
        s3 = self.client("s3")
        s3.create_bucket(Bucket="artifacts")
        s3.put_object(Bucket="artifacts", Key="storage.yaml", Body=(REPOSITORY / "infra" / "storage.yaml").read_bytes())
        data = io.BytesIO()
        with zipfile.ZipFile(data, "w") as archive:
            archive.writestr("handler.py", "")
        s3.put_object(Bucket="artifacts", Key="code.zip", Body=data.getvalue())

    def client(self, service: str) -> Any:
        make: Any = self._session.client
        return make(service, endpoint_url=self._url)

    def deploy(self) -> dict[str, str]:
        """Make or update the stack, and return its outputs."""
        template = load_template()
        resources = template["Resources"]
        resources["Storage"]["Properties"]["TemplateURL"] = f"{self._url}/artifacts/storage.yaml"
        for resource in resources.values():
            if resource["Type"] == "AWS::Lambda::Function":
                resource["Properties"]["Code"] = {"S3Bucket": "artifacts", "S3Key": "code.zip"}
        formation = self.client("cloudformation")
        exists = any(one["StackName"] == STACK for one in formation.describe_stacks()["Stacks"])
        change = formation.update_stack if exists else formation.create_stack
        change(
            StackName=STACK,
            TemplateBody=json.dumps(template),
            Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in PARAMETERS.items()],
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        )
        (stack,) = formation.describe_stacks(StackName=STACK)["Stacks"]
        assert stack["StackStatus"] == ("UPDATE_COMPLETE" if exists else "CREATE_COMPLETE")
        return {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}

    def resources(self) -> dict[str, tuple[str, str]]:
        """Return type and id of what the stack has, by logical name."""
        found = self.client("cloudformation").describe_stack_resources(StackName=STACK)["StackResources"]
        return {one["LogicalResourceId"]: (one["ResourceType"], one["PhysicalResourceId"]) for one in found}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with running_moto(tmp_path_factory.mktemp("moto")) as url:
        cloud = Cloud(url)
        cloud.deploy()
        yield cloud


def test_the_same_again_changes_nothing(cloud: Cloud) -> None:
    before = cloud.resources()
    assert cloud.deploy()["QueueUrl"].endswith("/it-events")
    assert cloud.resources() == before


def test_events_of_the_bucket_go_to_the_queue_and_from_there_to_ingest(cloud: Cloud) -> None:
    told = cloud.client("s3").get_bucket_notification_configuration(Bucket="science-frames")["QueueConfigurations"]
    queue = "arn:aws:sqs:us-east-1:123456789012:it-events"
    assert {one["QueueArn"] for one in told} == {queue}
    assert {event for one in told for event in one["Events"]} >= {"s3:ObjectCreated:*", "s3:ObjectRemoved:*"}
    (mapping,) = cloud.client("lambda").list_event_source_mappings()["EventSourceMappings"]
    assert mapping["EventSourceArn"] == queue
    assert mapping["FunctionArn"].endswith(":function:it-ingest")
    assert mapping["BatchSize"] == 10
    properties = load_template()["Resources"]["Polling"]["Properties"]
    assert properties["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_what_fails_five_times_is_a_dead_letter(cloud: Cloud) -> None:
    sqs = cloud.client("sqs")
    url = sqs.get_queue_url(QueueName="it-events")["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert json.loads(attributes["RedrivePolicy"])["maxReceiveCount"] in (5, "5")
    assert json.loads(attributes["RedrivePolicy"])["deadLetterTargetArn"].endswith(":it-events-dead")
    limit = cloud.client("lambda").get_function_configuration(FunctionName="it-ingest")["Timeout"]
    assert int(attributes["VisibilityTimeout"]) >= 6 * limit


def test_buckets_are_private_versioned_and_encrypted(cloud: Cloud) -> None:
    s3 = cloud.client("s3")
    for bucket in ("science-frames", "science-derived"):
        blocked = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
        assert set(blocked.values()) == {True}
        rules = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
        assert rules[0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
        lifecycle = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
        assert any("AbortIncompleteMultipartUpload" in rule for rule in lifecycle)
    assert s3.get_bucket_versioning(Bucket="science-frames")["Status"] == "Enabled"


@pytest.mark.parametrize("name", PACKAGES)
def test_a_function_is_what_its_package_is_for(cloud: Cloud, name: str) -> None:
    found = cloud.client("lambda").get_function_configuration(FunctionName=f"it-{name}")
    assert found["Handler"] == f"{PACKAGES[name].entry}.handler"
    assert found["Runtime"] == "python3.12"
    variables = found["Environment"]["Variables"]
    assert variables["FITSVAULT_BUCKET"] == "science-frames"
    assert variables["FITSVAULT_SECRET_ARN"] == PARAMETERS["DatabaseSecretArn"]
    assert not any("PASSWORD" in one or "DATABASE_URL" in one for one in variables)


@pytest.mark.parametrize("name", PACKAGES)
def test_a_role_names_what_it_may_touch(cloud: Cloud, name: str) -> None:
    iam = cloud.client("iam")
    role = found_role(cloud, name)
    (policy,) = iam.list_role_policies(RoleName=role)["PolicyNames"]
    statements = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]["Statement"]
    assert iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"] == []
    for statement in statements:
        assert statement["Resource"] != "*"
        assert not any("*" in action for action in statement["Action"])
    actions = {action for one in statements if "science-frames" in one["Resource"] for action in one["Action"]}
    assert actions == {"s3:GetObject", "s3:GetObjectVersion", "s3:ListBucket"}


def found_role(cloud: Cloud, name: str) -> str:
    kind, role = cloud.resources()[f"{name.capitalize()}Role"]
    assert kind == "AWS::IAM::Role"
    return role


def test_the_api_is_behind_an_http_api_that_other_origins_may_use(cloud: Cloud) -> None:
    gateway = cloud.client("apigatewayv2")
    (api,) = gateway.get_apis()["Items"]
    assert api["ProtocolType"] == "HTTP"
    assert api["CorsConfiguration"]["AllowOrigins"] == ["https://www.example.org"]
    (integration,) = gateway.get_integrations(ApiId=api["ApiId"])["Items"]
    assert integration["IntegrationUri"].endswith(":function:it-api")
    assert integration["PayloadFormatVersion"] == "2.0"
    (route,) = gateway.get_routes(ApiId=api["ApiId"])["Items"]
    assert route["RouteKey"] == "$default"


def test_the_clock_calls_reconcile_and_bundle(cloud: Cloud) -> None:
    events = cloud.client("events")
    called = {}
    for rule in events.list_rules()["Rules"]:
        (target,) = events.list_targets_by_rule(Rule=rule["Name"])["Targets"]
        called[target["Arn"].rsplit(":", 1)[-1]] = rule["ScheduleExpression"]
    assert called == {"it-reconcile": "rate(15 minutes)", "it-bundle": "rate(1 minute)"}


def test_alarms_go_to_the_topic(cloud: Cloud) -> None:
    alarms = cloud.client("cloudwatch").describe_alarms()["MetricAlarms"]
    watched = {(one["Namespace"], one["MetricName"], one["Dimensions"][0]["Value"]) for one in alarms}
    assert {
        ("AWS/SQS", "ApproximateNumberOfMessagesVisible", "it-events-dead"),
        ("AWS/SQS", "ApproximateAgeOfOldestMessage", "it-events"),
        *(("AWS/Lambda", "Errors", f"it-{name}") for name in PACKAGES),
    } <= watched
    assert any(namespace == "AWS/ApiGateway" and metric == "5xx" for namespace, metric, _ in watched)
    assert {tuple(one["AlarmActions"]) for one in alarms} == {(PARAMETERS["AlarmTopicArn"],)}


def test_the_dashboard_is_json() -> None:
    body = load_template()["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    assert len(json.loads(body)["widgets"]) == 5
