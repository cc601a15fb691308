"""The Compose file: its settings are real ones, its secrets are made and not written in it, nothing runs as root."""

import re
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from localstack.compose_secrets import make_secrets
from shared.settings import Settings
from tests.archive import REPOSITORY

FOLDER = REPOSITORY / "localstack"
TEXT = (FOLDER / "docker-compose.yml").read_text()
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(TEXT)["services"]
OURS = ("prepare", "ingest", "api")


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


@pytest.mark.parametrize("part", OURS)
def test_every_setting_is_one(part: str, tmp_path: Path) -> None:
    given = secrets(tmp_path)
    names = {f"FITSVAULT_{name.upper()}" for name in Settings.model_fields}
    environment = SERVICES[part]["environment"]
    assert set(environment) <= names
    values = {name.removeprefix("FITSVAULT_").lower(): filled_in(value, given) for name, value in environment.items()}
    settings = Settings.model_validate(values)
    assert settings.store == "minio"
    assert settings.s3_public_url == "http://localhost:9000"
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


def test_secrets_are_made_once_and_for_their_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    values = secrets(tmp_path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not make_secrets(path)
    assert path.read_text() == "".join(f"{name}={value}\n" for name, value in values.items())
    assert all(len(value) >= 16 for value in values.values())
    asked = set(re.findall(r"\$\{([A-Z0-9_]+):\?", TEXT))
    assert asked == set(values)
    for name in ("SECRET", "PASSWORD", "TOKEN"):
        for line in TEXT.splitlines():
            if re.match(rf"\s+\w*{name}\w*:", line):
                assert ":?" in line, line


def test_nothing_runs_as_root_and_what_serves_is_watched() -> None:
    for name, service in SERVICES.items():
        assert "no-new-privileges:true" in service["security_opt"]
        assert "healthcheck" in service or name == "prepare"
        assert all("ARCHIVE_ADDRESS:-127.0.0.1" in port for port in service.get("ports", []))
    for name in ("Dockerfile", "minio.Dockerfile"):
        users = re.findall(r"^USER (\S+)$", (FOLDER / name).read_text(), re.MULTILINE)
        assert users
        assert "root" not in users


def test_what_the_image_copies_is_there() -> None:
    lines = (FOLDER / "Dockerfile").read_text().splitlines()
    allowed = {line[1:] for line in (REPOSITORY / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    for line in lines:
        if line.startswith("COPY "):
            for source in line.split()[1:-1]:
                assert (REPOSITORY / source).exists(), source
                assert source in allowed, f"{source} is kept from the image by .dockerignore"
