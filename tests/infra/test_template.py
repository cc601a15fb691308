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
from localstack.allocator import ALLOCATOR
from shared.schema import REVISIONS
from tests.infra.aws import aws_tool, running_moto
from tests.infra.policies import load_template, statements_of

STACK = "it"
PARAMETERS = {
    "FramesBucketName": "science-frames",
    "DerivedBucketName": "science-derived",
    "DatabaseSecretArn": "arn:aws:secretsmanager:us-east-1:123456789012:secret:it-abcdef",
    "AlarmTopicArn": "arn:aws:sns:us-east-1:123456789012:alarms",
    "DomainName": "archive.example.org",
    "CertificateArn": "arn:aws:acm:us-east-1:123456789012:certificate/00000000-0000-0000-0000-000000000000",
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
        data = io.BytesIO()
        with zipfile.ZipFile(data, "w") as archive:
            archive.writestr("handler.py", "")
        s3.put_object(Bucket="artifacts", Key="code.zip", Body=data.getvalue())

    def client(self, service: str) -> Any:
        make: Any = self._session.client
        return make(service, endpoint_url=self._url)

    def deploy(self) -> dict[str, str]:
        """Make or update both stacks, and return the outputs. moto's nested stacks have none: the inner comes first."""
        inner = (REPOSITORY / "infra" / "storage.yaml").read_text()
        names = {name: PARAMETERS[name] for name in ("FramesBucketName", "DerivedBucketName")}
        storage = self._deploy(f"{STACK}-storage", inner, names | {"QueueName": f"{STACK}-events"})
        template = load_template()
        assert template["Resources"].pop("Storage")["Properties"]["TemplateURL"] == "storage.yaml"
        template["Resources"].pop("Schema")  # moto would run its function, which needs Docker
        for resource in template["Resources"].values():
            if resource["Type"] == "AWS::Lambda::Function":
                resource["Properties"]["Code"] = {"S3Bucket": "artifacts", "S3Key": "code.zip"}
                resource.pop("DependsOn", None)
        return self._deploy(STACK, json.dumps(_with_outputs(template, storage)), PARAMETERS)

    def _deploy(self, name: str, body: str, values: dict[str, str]) -> dict[str, str]:
        formation = self.client("cloudformation")
        exists = any(one["StackName"] == name for one in formation.describe_stacks()["Stacks"])
        change = formation.update_stack if exists else formation.create_stack
        parameters = [{"ParameterKey": key, "ParameterValue": value} for key, value in values.items()]
        change(StackName=name, TemplateBody=body, Parameters=parameters, Capabilities=["CAPABILITY_IAM"])
        (stack,) = formation.describe_stacks(StackName=name)["Stacks"]
        assert stack["StackStatus"] == ("UPDATE_COMPLETE" if exists else "CREATE_COMPLETE")
        return {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}

    def resources(self) -> dict[str, tuple[str, str]]:
        """Return type and id of what the stack has, by logical name."""
        found = self.client("cloudformation").describe_stack_resources(StackName=STACK)["StackResources"]
        made = [one for one in found if "PhysicalResourceId" in one]
        return {one["LogicalResourceId"]: (one["ResourceType"], one["PhysicalResourceId"]) for one in made}


def _with_outputs(node: Any, outputs: dict[str, str]) -> Any:
    match node:
        case {"Fn::GetAtt": ["Storage", attribute]}:
            return outputs[attribute.removeprefix("Outputs.")]
        case dict():
            return {name: _with_outputs(value, outputs) for name, value in node.items()}
        case list():
            return [_with_outputs(value, outputs) for value in node]
    return node


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


@pytest.mark.parametrize("bucket", ["Frames", "Derived"])
def test_uploads_that_were_broken_off_go(bucket: str) -> None:
    rules = load_template("storage.yaml")["Resources"][bucket]["Properties"]["LifecycleConfiguration"]["Rules"]
    assert any("AbortIncompleteMultipartUpload" in rule for rule in rules)


def test_what_the_queue_has_goes_to_ingest(cloud: Cloud) -> None:
    queue = "arn:aws:sqs:us-east-1:123456789012:it-events"
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


@pytest.mark.parametrize("name", PACKAGES)
def test_a_function_is_what_its_package_is_for(cloud: Cloud, name: str) -> None:
    found = cloud.client("lambda").get_function_configuration(FunctionName=f"it-{name}")
    assert found["Handler"] == f"{PACKAGES[name].entry}.handler"
    assert found["Runtime"] == "python3.12"
    variables = found["Environment"]["Variables"]
    assert variables.get("FITSVAULT_BUCKET") == (None if name == "migrate" else "science-frames")
    assert variables["FITSVAULT_SECRET_ARN"] == PARAMETERS["DatabaseSecretArn"]
    assert not any("PASSWORD" in one or "DATABASE_URL" in one for one in variables)
    memory = {one: value for one, value in variables.items() if one.startswith("MALLOC_")}
    assert memory == (ALLOCATOR if name in ("api", "bundle") else {})


@pytest.mark.parametrize("name", PACKAGES)
def test_a_role_names_what_it_may_touch(cloud: Cloud, name: str) -> None:
    kind, role = cloud.resources()[f"{name.capitalize()}Role"]
    assert kind == "AWS::IAM::Role"
    iam = cloud.client("iam")
    assert iam.list_role_policies(RoleName=role)["PolicyNames"] == [name]
    assert iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"] == []
    arns = {f"{name.capitalize()}Log.Arn": "arn:of:its:log", "Storage.Outputs.QueueArn": "arn:of:the:queue"}
    statements = statements_of(name, PARAMETERS | arns)
    for statement in statements:
        assert statement["Resource"] != "*"
        assert not any("*" in action for action in statement["Action"])
    actions = {action for one in statements if "science-frames" in one["Resource"] for action in one["Action"]}
    assert actions == (set() if name == "migrate" else {"s3:GetObject", "s3:GetObjectVersion", "s3:ListBucket"})


def test_the_schema_comes_with_each_deployment_and_before_the_functions() -> None:
    resources = load_template()["Resources"]
    schema = resources["Schema"]["Properties"]
    assert schema["ServiceToken"] == {"Fn::GetAtt": ["MigrateFunction", "Arn"]}
    assert schema["Revision"] == REVISIONS[-1], "CloudFormation calls it again when this changes"
    assert all(
        resources[f"{name.capitalize()}Function"]["DependsOn"] == ["Schema"] for name in PACKAGES.keys() - {"migrate"}
    )
    sids = {one["Sid"] for one in statements_of("migrate", PARAMETERS | {"MigrateLog.Arn": "arn:of:its:log"})}
    assert sids == {"Log", "ReadSecret"}


def test_all_requests_go_to_the_api_function() -> None:
    """moto makes no HTTP API from a template."""
    resources = load_template()["Resources"]
    assert resources["Api"]["Properties"]["ProtocolType"] == "HTTP"
    integration = resources["ApiIntegration"]["Properties"]
    assert integration["IntegrationUri"] == {"Fn::GetAtt": ["ApiFunction", "Arn"]}
    assert integration["PayloadFormatVersion"] == "2.0"
    assert resources["ApiRoute"]["Properties"]["RouteKey"] == "$default"


def test_the_clock_calls_reconcile_and_bundle(cloud: Cloud) -> None:
    events = cloud.client("events")
    called = {}
    for rule in events.list_rules()["Rules"]:
        (target,) = events.list_targets_by_rule(Rule=rule["Name"])["Targets"]
        called[target["Arn"].rsplit(":", 1)[-1]] = rule["ScheduleExpression"]
    assert called == {"it-reconcile": "rate(15 minutes)", "it-bundle": "rate(1 minute)"}


def test_alarms_go_to_the_topic() -> None:
    alarms = [
        one["Properties"] for one in load_template()["Resources"].values() if one["Type"] == "AWS::CloudWatch::Alarm"
    ]
    watched = {(one["Namespace"], one["MetricName"], json.dumps(one["Dimensions"][0]["Value"])) for one in alarms}
    assert watched == {
        ("AWS/SQS", "ApproximateNumberOfMessagesVisible", '{"Fn::Sub": "${AWS::StackName}-events-dead"}'),
        ("AWS/SQS", "ApproximateAgeOfOldestMessage", '{"Fn::Sub": "${AWS::StackName}-events"}'),
        ("AWS/ApiGateway", "5xx", '{"Ref": "Api"}'),
        *(("AWS/Lambda", "Errors", f'{{"Ref": "{name.capitalize()}Function"}}') for name in PACKAGES),
    }
    for alarm in alarms:
        assert alarm["AlarmActions"] == {"Fn::If": ["HasAlarmTopic", [{"Ref": "AlarmTopicArn"}], []]}


def test_the_dashboard_is_json() -> None:
    body = load_template()["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    assert len(json.loads(body)["widgets"]) == 5
