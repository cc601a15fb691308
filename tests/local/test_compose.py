"""The Compose file: its settings are real ones, its secrets are made and not written in it, nothing runs as root.

There is no Docker where these tests run: they read the files, and have the programs that are there read them.
"""

import json
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from localstack.allocator import ALLOCATOR
from localstack.compose_secrets import make_secrets
from shared.settings import Settings
from tests.archive import REPOSITORY

FOLDER = REPOSITORY / "localstack"
TEXT = (FOLDER / "docker-compose.yml").read_text()
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(TEXT)["services"]
OURS = ("prepare", "ingest", "api")
DEPLOYED = ("prepare-production", "worker", "reconcile", "web")
TARGETS = {"prepare": "prepare", "ingest": "ingest", "api": "api", "worker": "ingest", "reconcile": "ingest"}
TARGETS |= {"web": "api", "prepare-production": "prepare"}
DOCKERFILES = (REPOSITORY / "infra" / "Dockerfile", *sorted(FOLDER.glob("*.Dockerfile")))


def secrets(tmp_path: Path) -> dict[str, str]:
    path = tmp_path / ".env"
    assert make_secrets(path)
    return dict(line.split("=", 1) for line in path.read_text().splitlines())


def filled_in(value: str, given: dict[str, str]) -> str:
    """Interpolate as Compose does, innermost first."""

    def one(match: re.Match[str]) -> str:
        name, rule, default = match.groups()
        if rule == ":?":
            return given[name]
        return given.get(name) or default

    before = None
    while value != before:
        before, value = value, re.sub(r"\$\{([A-Z0-9_]+)(:[-?])([^${}]*)\}", one, value)
    assert "$" not in value
    return value


@pytest.mark.parametrize("target", ["up", "down"])
def test_a_missing_compose_is_told_before_anything_is_made(target: str) -> None:
    command = ["make", "-C", str(REPOSITORY), target, "COMPOSE=false", "PYTHON=false"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "needs Docker with its Compose plugin: 'false version' fails" in done.stderr


@pytest.mark.parametrize("part", [*OURS, *DEPLOYED])
def test_every_setting_is_one(part: str, tmp_path: Path) -> None:
    given = secrets(tmp_path)
    names = {f"FITSVAULT_{name.upper()}" for name in Settings.model_fields}
    environment = SERVICES[part]["environment"]
    assert set(environment) - ALLOCATOR.keys() <= names
    values = {name.removeprefix("FITSVAULT_").lower(): filled_in(value, given) for name, value in environment.items()}
    settings = Settings.model_validate(values)
    assert settings.store == "minio"
    assert settings.s3_public_url == ("http://localhost:9000" if part in OURS else "https://store.localhost")
    assert settings.metrics_token is not None
    assert given["POSTGRES_PASSWORD"] in settings.effective_database_url


def test_minio_tells_the_ingest_host(tmp_path: Path) -> None:
    given = secrets(tmp_path)
    minio = {name: filled_in(value, given) for name, value in SERVICES["minio"]["environment"].items()}
    ingest = {name: filled_in(value, given) for name, value in SERVICES["ingest"]["environment"].items()}
    assert minio["MINIO_NOTIFY_WEBHOOK_AUTH_TOKEN_FITSVAULT"] == ingest["FITSVAULT_EVENT_SECRET"]
    port = ingest["FITSVAULT_EVENT_PORT"]
    assert minio["MINIO_NOTIFY_WEBHOOK_ENDPOINT_FITSVAULT"] == f"http://ingest:{port}/events"
    assert (minio["MINIO_ROOT_USER"], minio["MINIO_ROOT_PASSWORD"]) == (
        ingest["FITSVAULT_S3_ACCESS_KEY"],
        ingest["FITSVAULT_S3_SECRET_KEY"],
    )
    assert "/queue" in [volume.split(":")[1] for volume in SERVICES["minio"]["volumes"]]


def test_minio_feeds_the_queue_that_workers_share(tmp_path: Path) -> None:
    given = secrets(tmp_path)
    minio = {name: filled_in(value, given) for name, value in SERVICES["minio"]["environment"].items()}
    prepared, worker, reconcile = (
        Settings.model_validate(
            {
                name.removeprefix("FITSVAULT_").lower(): filled_in(value, given) or None
                for name, value in SERVICES[part]["environment"].items()
            }
        )
        for part in ("prepare-production", "worker", "reconcile")
    )
    assert worker.nats_url is not None
    address = urlsplit(worker.nats_url.get_secret_value())
    assert minio["MINIO_NOTIFY_NATS_ADDRESS_FITSVAULT"] == f"{address.hostname}:{address.port}"
    assert minio["MINIO_NOTIFY_NATS_SUBJECT_FITSVAULT"] == f"{worker.nats_stream}.events"
    assert (minio["MINIO_NOTIFY_NATS_USERNAME_FITSVAULT"], minio["MINIO_NOTIFY_NATS_PASSWORD_FITSVAULT"]) == (
        address.username,
        address.password,
    )
    assert minio["MINIO_NOTIFY_NATS_JETSTREAM_FITSVAULT"] == "on"
    assert minio["MINIO_NOTIFY_NATS_QUEUE_DIR_FITSVAULT"] == "/queue"
    assert prepared.minio_webhook_arns == ["arn:minio:sqs::FITSVAULT:nats"]
    assert prepared.nats_url == worker.nats_url
    assert worker.reconcile_seconds == 0
    assert reconcile.nats_url is None
    assert reconcile.reconcile_seconds > 0
    assert reconcile.backup_seconds == 86400
    assert "nats" in SERVICES[str(address.hostname)]["image"]


def test_the_queue_takes_its_configuration_and_password(tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("nats-server")
    command = [str(program), "--config", str(FOLDER / "nats.conf"), "-t"]
    done = subprocess.run(command, env={"NATS_PASSWORD": "x"}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    without = subprocess.run(command, env={}, capture_output=True, text=True, check=False)
    assert without.returncode != 0, "a queue without a password is open to all"


def test_nobody_comes_in_but_by_the_proxy() -> None:
    """In production only the proxy is published, and the API believes the address alone that it comes from."""
    published = {
        name for name in SERVICES if SERVICES[name].get("profiles") == ["production"] and SERVICES[name].get("ports")
    }
    assert published == {"proxy"}
    networks = SERVICES["proxy"]["networks"]
    trusted = SERVICES["web"]["environment"]["FITSVAULT_TRUSTED_PROXIES"]
    assert trusted == json.dumps([networks["front"]["ipv4_address"]])
    alias = SERVICES["web"]["networks"]["front"]["aliases"][0]
    caddyfile = (FOLDER / "Caddyfile").read_text()
    assert f"dynamic a {alias} 8000" in caddyfile
    assert "path /metrics /metrics/" in caddyfile
    for name in ("ARCHIVE_HOST", "STORE_HOST"):
        assert f"{{${name}}}" in caddyfile
        assert name in SERVICES["proxy"]["environment"]


@pytest.mark.parametrize("profile", ["local", "production"])
def test_parts_wait_for_parts_of_their_profile(profile: str) -> None:
    there = {name for name, service in SERVICES.items() if service.get("profiles", [profile]) == [profile]}
    for name in there:
        assert set(SERVICES[name].get("depends_on", {})) <= there, name


@pytest.mark.parametrize("profile", ["local", "production"])
def test_compose_takes_the_file(profile: str, tmp_path: Path) -> None:
    """Where Compose is; it needs no engine for that."""
    program = shutil.which("docker-compose")
    if program is None:
        pytest.skip("no docker-compose on PATH: it is made from its sources, see docs/on-premises.md")
    secrets(tmp_path)
    files = ["--file", str(FOLDER / "docker-compose.yml"), "--env-file", str(tmp_path / ".env")]
    command = [program, *files, "--profile", profile, "config", "--quiet"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_secrets_are_made_once_and_for_their_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    values = secrets(tmp_path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not make_secrets(path)
    lines = path.read_text()
    path.write_text("".join(line for line in lines.splitlines(keepends=True) if "NATS" not in line).removesuffix("\n"))
    assert make_secrets(path), "an earlier version's file should get what it lacks"
    values["NATS_PASSWORD"] = dict(line.split("=", 1) for line in path.read_text().splitlines())["NATS_PASSWORD"]
    path.write_text("".join(f"{name}={value}\n" for name, value in values.items()))
    assert path.read_text() == "".join(f"{name}={value}\n" for name, value in values.items())
    assert all(len(value) >= 16 for value in values.values())
    asked = set(re.findall(r"\$\{([A-Z0-9_]+):\?", TEXT))
    assert asked == set(values)
    for name in ("SECRET", "PASSWORD", "TOKEN"):
        for line in TEXT.splitlines():
            if re.match(rf"\s+\w*{name}\w*:", line):
                assert ":?" in line, line
    assert "password: $NATS_PASSWORD" in (FOLDER / "nats.conf").read_text()


def test_nothing_runs_as_root_and_what_serves_is_watched() -> None:
    for name, service in SERVICES.items():
        assert "no-new-privileges:true" in service["security_opt"]
        assert "healthcheck" in service or name.startswith("prepare")
        assert name == "proxy" or all("ARCHIVE_ADDRESS:-127.0.0.1" in port for port in service.get("ports", []))
        assert service.get("cap_drop") == ["ALL"] or name == "postgres"
        assert "cap_add" not in service
        assert "privileged" not in service
    for path in DOCKERFILES:
        stages = re.split(r"^FROM ", path.read_text(), flags=re.MULTILINE)[1:]
        users = re.findall(r"^USER (\S+)$", stages[-1], re.MULTILINE) or re.findall(
            r"^USER (\S+)$", path.read_text(), re.MULTILINE
        )
        assert users, path
        assert all(user.isdecimal() and user != "0" for user in users), path


def test_every_part_has_an_image_of_its_own() -> None:
    text = DOCKERFILES[0].read_text()
    stages = dict(re.findall(r"^FROM (\S+) AS (\S+)$", text, re.MULTILINE))
    targets = {target for _, target in re.findall(r"^FROM (\S+) AS (\S+)$", text, re.MULTILINE)}
    assert stages
    assert {"api", "ingest", "prepare", "tools"} <= targets
    for name, target in TARGETS.items():
        assert SERVICES[name]["build"]["target"] == target
        assert SERVICES[name]["build"]["dockerfile"] == "infra/Dockerfile"
    pruned = next(line for line in text.splitlines() if line.startswith("RUN pip uninstall"))
    assert {"astropy", "numpy", "pillow"} <= set(pruned.split())


def test_dockerfiles_keep_to_the_rules() -> None:
    program = Path(sys.executable).with_name("hadolint")
    for path in DOCKERFILES:
        done = subprocess.run([str(program), str(path)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


def test_what_the_image_copies_is_there() -> None:
    lines = [line for line in DOCKERFILES[0].read_text().splitlines() if "--from=" not in line]
    allowed = {line[1:] for line in (REPOSITORY / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    for line in lines:
        if line.startswith("COPY "):
            for source in line.split()[1:-1]:
                assert (REPOSITORY / source).exists(), source
                assert source in allowed, f"{source} is kept from the image by .dockerignore"


def test_the_api_keeps_memory_as_it_does_without_containers() -> None:
    environment = SERVICES["api"]["environment"]
    assert {name: value for name, value in environment.items() if name.startswith("MALLOC")} == ALLOCATOR


def test_pages_that_may_write_are_those_of_the_archive_s_addresses() -> None:
    allowed = filled_in(SERVICES["minio"]["environment"]["MINIO_API_CORS_ALLOW_ORIGIN"], {}).split(",")
    told = [SERVICES[name]["environment"]["FITSVAULT_ALLOWED_ORIGINS"] for name in ("prepare", "prepare-production")]
    assert [origin for value in told for origin in json.loads(filled_in(value, {}))] == allowed
    named = filled_in(SERVICES["minio"]["environment"]["MINIO_API_CORS_ALLOW_ORIGIN"], {"ARCHIVE_HOST": "a.example"})
    assert named.endswith(",https://a.example")
