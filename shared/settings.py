"""The settings: one class, prefix ``FITSVAULT_``, every field documented here and nowhere else."""

import difflib
import ipaddress
import json
import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.secrets import read_secret

__all__ = [
    "LOCAL_SETTINGS_FILE",
    "Settings",
    "plain_settings",
    "problems",
    "settings",
    "settings_table",
    "unknown_variables",
]

LOCAL_SETTINGS_FILE = "archive.env"
"""Where a running local archive leaves its address and keys for the command line, below its home."""


_LONGEST_SECONDS = 3650 * 86400.0
_LEAST_SECRET = 16
_OF_THIS_MACHINE = ("127.0.0.1", "localhost", "0.0.0.0", "::")  # noqa: S104 - told, not bound
_OF_CLIENTS = ("FITSVAULT_URL", "FITSVAULT_TOKEN")


class Settings(BaseSettings):
    """What can be set from the environment or from a file ``.env``."""

    model_config = SettingsConfigDict(
        env_prefix="FITSVAULT_",
        env_file=".env",
        env_ignore_empty=True,
        hide_input_in_errors=True,
        enable_decoding=False,
        extra="ignore",
        frozen=True,
    )

    home: Path = Field(
        Path("data"),
        title="Home",
        description="Folder of all local state: embedded object store, SQLite index, generated keys.",
    )
    host: str = Field("127.0.0.1", title="Host", description="Address that the API listens on under `make run`.")
    port: int = Field(8000, ge=0, le=65535, title="Port", description="Port of the API under `make run`.")

    store: Literal["seaweedfs", "minio", "localstack"] = Field(
        "seaweedfs",
        title="Store",
        description="Object store that `make run` starts: seaweedfs, minio or localstack. With "
        "`FITSVAULT_S3_ENDPOINT_URL`: what that store is, so that it can be told to send its events.",
    )
    s3_port: int = Field(9000, ge=0, le=65535, title="S3 port", description="Port of the embedded object store.")
    s3_endpoint_url: str | None = Field(
        None, title="S3 endpoint", description="Use the object store at this address and start none. Unset on AWS."
    )
    s3_public_url: str | None = Field(
        None,
        title="Public S3 endpoint",
        description="Address of the object store as downloaders see it, if not the one that functions use.",
    )
    s3_access_key: str | None = Field(
        None, title="S3 access key", description="Made at first start by `make run`; on AWS the role's is used."
    )
    s3_secret_key: SecretStr | None = Field(
        None, title="S3 secret key", description="Made at first start by `make run`; on AWS the role's is used."
    )
    s3_region: str = Field("us-east-1", title="S3 region", description="Region that requests are signed for.")
    bucket: str = Field(
        "frames",
        title="Bucket",
        description="Bucket of the frames. What is in it is archived; ingest never changes it.",
    )
    derived_bucket: str = Field(
        "derived", title="Derived bucket", description="Bucket of previews and headers. Only functions write it."
    )

    event_host: str = Field(
        "127.0.0.1", title="Event host", description="Address that the ingest host takes the store's events on."
    )
    event_port: int | None = Field(
        None, ge=1, le=65535, title="Event port", description="Port of the ingest host. Unset: `make run` finds one."
    )
    event_secret: SecretStr | None = Field(
        None,
        min_length=16,
        title="Event secret",
        description="What a webhook must send as `Authorization: Bearer …`. Unset: made at first start by `make run`.",
    )
    allowed_origins: list[str] = Field(
        [],
        title="Allowed origins",
        description="Origins of web pages whose scripts may write to the bucket by links of `/uploads/`, as JSON: "
        '`["https://archive.example.org"]`; `["*"]` is all. Empty: the address of `make run`.',
    )
    minio_webhook_arns: list[str] = Field(
        ["arn:minio:sqs::FITSVAULT:webhook"],
        min_length=1,
        title="MinIO's webhooks",
        description="ARNs of the webhook targets of a MinIO that `make run` has not started, as JSON.",
    )
    queue_url: str | None = Field(
        None,
        title="Queue",
        description="URL of an SQS queue with the bucket's events; the ingest host polls it. "
        "`FITSVAULT_STORE=localstack` makes one.",
    )
    nats_url: SecretStr | None = Field(
        None,
        title="NATS",
        description="URL of a NATS server with JetStream that MinIO publishes the bucket's events to, as "
        "`nats://user:password@host:4222`, or several with commas; any number of ingest hosts share its stream.",
    )
    nats_stream: str = Field(
        "fitsvault",
        pattern=r"^[A-Za-z0-9_-]{1,64}$",
        title="NATS stream",
        description="Stream of the events, whose subject is `<stream>.events`; given up ones go to `<stream>-dead`.",
    )
    nats_ack_seconds: float = Field(
        60.0,
        ge=1,
        le=3600,
        title="NATS acknowledgement",
        description="Seconds after which the event of a worker that says nothing any more is given to another.",
    )
    nats_replicas: int = Field(
        1, ge=1, le=5, title="NATS replicas", description="Servers of a NATS cluster that each keep the stream."
    )

    database_url: SecretStr | None = Field(
        None,
        title="Database",
        description="SQLAlchemy URL of the index. Unset: SQLite in `FITSVAULT_HOME`.",
    )
    secret_arn: str | None = Field(
        None,
        title="Secret",
        description="ARN of a secret of AWS Secrets Manager: a JSON object of settings, such as `database_url`, or a "
        "database as RDS writes it. What is set otherwise outweighs it.",
    )
    database_read_url: SecretStr | None = Field(
        None,
        title="Read replica",
        description="SQLAlchemy URL of a replica of the index, for what the API reads of frames. Unset: the index.",
    )
    query_seconds: float = Field(
        20.0,
        ge=0,
        le=3600,
        title="Longest query",
        description="Seconds that a statement of the API about frames may take before it is given up. 0: no limit.",
    )

    name_resolver_url: str | None = Field(
        None,
        title="Name resolver",
        description="URL that gives the position of a target, with `{name}` in it, such as "
        "`https://cds.unistra.fr/cgi-bin/nph-sesame/-oI/SNV?{name}`; or one that answers JSON, `ra` and `dec` in "
        "degrees. Unset: names are not looked up.",
    )

    admin_username: str = Field("admin", title="Admin name", description="Superuser made at first start.")
    admin_password: SecretStr | None = Field(
        None,
        title="Admin password",
        description="Password of that superuser. Unset: a random one, written to a 0600 file in `FITSVAULT_HOME`.",
    )

    keyword_synonyms: dict[str, list[str]] = Field(
        {},
        title="Keyword synonyms",
        description="Further header keywords to try first, by archive field, as JSON: "
        '`{"site": ["OBSGEO"], "filter_name": ["FILT-ID"]}`.',
    )
    site_longitudes: dict[str, float] = Field(
        {},
        title="Site longitudes",
        description="Degrees east by SITEID, as JSON, for the night of frames without DAY-OBS and longitude.",
    )
    max_unpacked_bytes: int = Field(
        64 * 2**30,
        gt=0,
        title="Largest unpacked file",
        description="Bytes that a gzip or bzip2 file may unpack to before ingest gives up on it.",
    )
    work_dir: Path | None = Field(
        None, title="Work folder", description="Folder for an object's bytes during ingest. Unset: the system's."
    )

    path_formatter: str = Field(
        "{SITEID}/{DAY-OBS}/",
        title="Folder of uploads",
        description="Template of the folder that a frame uploaded to `/frames/create/` gets.",
    )
    filename_formatter: str | None = Field(
        None,
        title="Name of uploads",
        description="Template of the name of a frame uploaded to `/frames/create/`. Unset: FNAME up to its first dot.",
    )
    compress_uploads: bool = Field(
        False,
        title="Compress uploads",
        description="Pack frames uploaded to `/frames/create/` by lossless tile compression. Needs astropy in the API.",
    )
    max_upload_bytes: int = Field(
        16 * 2**30, gt=0, title="Largest upload", description="Bytes that one request to `/frames/create/` may have."
    )
    upload_wait_seconds: float = Field(
        20.0,
        ge=0,
        title="Wait for the index",
        description="Seconds that `/frames/create/` waits until a frame is indexed, and one more for each 10 MB of it.",
    )
    upload_link_seconds: int = Field(
        3600, ge=1, le=604800, title="Life of upload links", description="Seconds that a link of `/uploads/` lives."
    )

    ingest_workers: int = Field(
        2, ge=1, le=64, title="Ingest workers", description="Objects ingested at once under `make run`."
    )
    retry_attempts: int = Field(
        16,
        ge=1,
        le=100,
        title="Attempts",
        description="How often an object that cannot be read just now is tried, at growing intervals of up to 15 "
        "minutes, before it is left to `fitsvault failures`.",
    )
    reconcile_seconds: float = Field(
        900.0,
        ge=0,
        le=_LONGEST_SECONDS,
        title="Reconcile interval",
        description="Seconds between two sweeps that find what no event told. 0: none, for another runs them.",
    )
    trigger: Literal["events", "scan"] = Field(
        "events",
        title="Trigger",
        description="`events`: the store tells of new objects. `scan`: it cannot; its listing is read instead.",
    )
    scan_seconds: float = Field(
        15.0,
        gt=0,
        le=_LONGEST_SECONDS,
        title="Scan interval",
        description="Seconds between two scans, where `FITSVAULT_TRIGGER` is `scan`; more where a scan takes long.",
    )
    orphan_seconds: float = Field(
        3600.0,
        ge=0,
        le=_LONGEST_SECONDS,
        title="Grace of orphans",
        description="Seconds that headers and previews without a frame are left alone: it may be under work.",
    )
    link_seconds: int = Field(
        900, ge=1, le=604800, title="Life of links", description="Seconds that a presigned download link lives."
    )
    session_seconds: int = Field(
        14 * 86400,
        ge=60,
        title="Life of sessions",
        description="Seconds that a person stays logged in with a browser.",
    )
    trusted_proxies: list[str] = Field(
        [],
        title="Trusted proxies",
        description="Addresses or networks of proxies whose X-Forwarded-For and X-Forwarded-Proto are believed, "
        'as JSON: `["10.0.0.0/8"]`.',
    )
    stream_clients: list[str] = Field(
        ["Wget/", "aria2/", "Python-urllib/"],
        title="Clients to stream to",
        description="Beginnings of the User-Agent of clients that would send their token on to the object store; the "
        'API serves them frames itself. As JSON; `[""]` is every client.',
    )
    stream_limit_bytes: int | None = Field(
        None,
        ge=0,
        title="Largest streamed frame",
        description="Bytes of the largest frame that the API serves itself. Unset: no limit, but 4 MB on AWS Lambda.",
    )
    zip_limit_bytes: int | None = Field(
        None,
        ge=0,
        title="Largest zip",
        description="Bytes of the largest answer of `/frames/zip/`. Unset: no limit, but 4 MB on AWS Lambda.",
    )
    zip_limit_frames: int = Field(
        200_000, ge=1, title="Frames in a zip", description="Frames that one zip may have; each takes 1 kB of memory."
    )
    bundle_seconds: float = Field(
        3 * 86400.0,
        ge=60,
        le=_LONGEST_SECONDS,
        title="Life of bundles",
        description="Seconds that a bundle of `/bundles/` is kept in the derived bucket after it was built.",
    )
    bundle_function: str | None = Field(
        None,
        title="Bundle function",
        description="Name or ARN of the AWS Lambda function that builds bundles, called as soon as one is ordered. "
        "Unset: whoever builds them looks for new ones.",
    )
    notify_url: SecretStr | None = Field(
        None,
        title="Webhook",
        description="URL that each change of the index is posted to, signed: docs/notifications.md.",
    )
    notify_secret: SecretStr | None = Field(
        None,
        validate_default=True,
        title="Webhook secret",
        description="What those posts are signed with; needed with `FITSVAULT_NOTIFY_URL`, 16 characters or more.",
    )
    notify_queue_url: str | None = Field(
        None, title="Notification queue", description="URL of an SQS queue that each change of the index is sent to."
    )
    notify_topic_arn: str | None = Field(
        None, title="Notification topic", description="ARN of an SNS topic that each change is published to."
    )
    notify_topic_endpoint_url: str | None = Field(
        None,
        title="Topic's endpoint",
        description="Address of SNS where it is not AWS's, such as LocalStack's. A queue's is in its URL.",
    )
    notify_attempts: int = Field(
        40,
        ge=1,
        le=1000,
        title="Notification attempts",
        description="How often a notification is tried, at growing intervals of up to an hour, before it is left to "
        "`fitsvault notifications`. 40 take about a day.",
    )
    backup_seconds: float = Field(
        0.0,
        ge=0,
        le=_LONGEST_SECONDS,
        title="Backup interval",
        description="Seconds between two backups of the database to the derived bucket, made by the ingest host. "
        "0: none, for `fitsvault backup` or the database's own are used.",
    )
    backup_keep: int = Field(
        14, ge=1, title="Backups kept", description="How many of those are kept; older ones are deleted."
    )
    metrics_token: SecretStr | None = Field(
        None,
        min_length=16,
        title="Metrics token",
        description="What Prometheus must send to `/metrics` as `Authorization: Bearer …`. Staff can read it anyway.",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", title="Log level", description="DEBUG, INFO, WARNING or ERROR."
    )

    @field_validator(
        "keyword_synonyms",
        "site_longitudes",
        "trusted_proxies",
        "stream_clients",
        "minio_webhook_arns",
        "allowed_origins",
        mode="before",
    )
    @classmethod
    def _parse(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value)
        except ValueError as error:
            raise ValueError(f"not JSON: {error}") from error

    @field_validator("log_level", mode="before")
    @classmethod
    def _in_capitals(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value

    @field_validator("home", "work_dir")
    @classmethod
    def _expand(cls, value: Path | None) -> Path | None:
        return value.expanduser() if value is not None else None

    @field_validator("trusted_proxies")
    @classmethod
    def _check_networks(cls, value: list[str]) -> list[str]:
        return [str(ipaddress.ip_network(network, strict=False)) for network in value]

    @field_validator("allowed_origins")
    @classmethod
    def _check_origins(cls, value: list[str]) -> list[str]:
        for origin in value:
            if origin != "*" and not re.fullmatch(r"https?://[^/?#@,\s\"'<>*]+", origin):
                raise ValueError("not an origin as https://archive.example.org, without anything behind the host")
        return value

    @field_validator("name_resolver_url")
    @classmethod
    def _check_resolver(cls, value: str | None) -> str | None:
        if value is not None:
            before, _, behind = value.partition("{name}")
            if "{name}" not in value or "{name}" in behind or before.count("/") < 3:
                raise ValueError("needs {name} once, in its path or query")
            _check_url(value.replace("{name}", "x"))
        return value

    @field_validator("event_secret")
    @classmethod
    def _check_event_secret(cls, value: SecretStr | None) -> SecretStr | None:
        """Refuse what does not arrive in a header as it is, and blanks, which MinIO does not take."""
        if value is not None and not all("!" <= char <= "~" for char in value.get_secret_value()):
            raise ValueError("only visible ASCII characters, without blanks")
        return value

    @field_validator("notify_url")
    @classmethod
    def _check_notify_url(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            _check_url(value.get_secret_value())
        return value

    @field_validator("queue_url", "notify_queue_url", "notify_topic_endpoint_url")
    @classmethod
    def _check_address(cls, value: str | None) -> str | None:
        if value is not None:
            _check_url(value)
        return value

    @field_validator("notify_topic_arn")
    @classmethod
    def _check_topic(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"arn:[^:\s]+:sns:[^:\s]+:[^:\s]+:[^:\s]+", value):
            raise ValueError("not the ARN of an SNS topic")
        return value

    @field_validator("notify_secret")
    @classmethod
    def _check_notify_secret(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if value is None and info.data.get("notify_url") is not None:
            raise ValueError("needed with FITSVAULT_NOTIFY_URL")
        if value is not None and len(value.get_secret_value()) < _LEAST_SECRET:
            raise ValueError(f"needs {_LEAST_SECRET} characters or more")
        return value

    @property
    def page_origins(self) -> tuple[str, ...]:
        """Origins whose scripts may write to the bucket."""
        if self.allowed_origins:
            return tuple(self.allowed_origins)
        port = "" if self.port == 80 else f":{self.port}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        own = () if self.host in _OF_THIS_MACHINE else (host,)
        return tuple(f"http://{name}{port}" for name in ("127.0.0.1", "localhost", *own))

    @property
    def notify_targets(self) -> tuple[str, ...]:
        """Names of those who are told what the index holds of an object: webhook, queue, topic."""
        given = {"webhook": self.notify_url, "queue": self.notify_queue_url, "topic": self.notify_topic_arn}
        return tuple(name for name, place in given.items() if place is not None)

    @property
    def effective_database_url(self) -> str:
        """The index's URL, by default SQLite in the home folder."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite:///{(self.home / 'index.sqlite').resolve()}"


def _check_url(text: str) -> None:
    """Raise ValueError unless it is a URL that can be asked as it stands; the message does not repeat it."""
    try:
        url = urlsplit(text)
        is_url = url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0
    except ValueError:
        is_url = False
    if not is_url or url.fragment or not all("!" <= char <= "~" for char in text):
        raise ValueError("not an http:// or https:// URL, with its special characters escaped and without #fragment")


def settings_table() -> str:
    """Return every setting with its default and description, as a Markdown table."""
    rows = ["| variable | default | meaning |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = "unset" if field.default is None else f"`{json.dumps(field.default, default=str)}`"
        rows.append(f"| `FITSVAULT_{name.upper()}` | {default} | {field.description} |")
    return "\n".join(rows) + "\n"


def problems(error: ValidationError) -> list[str]:
    """Return what is wrong with settings, each problem with the variable to change."""
    told = []
    for problem in error.errors():
        name, *inside = map(str, problem["loc"])
        where = f" at {'.'.join(inside)}" if inside else ""
        message = problem["msg"].removeprefix("Value error, ")
        if problem["type"] == "too_short" and isinstance(problem["input"], str):  # pydantic counts a secret's "items"
            message = f"needs {problem['ctx']['min_length']} characters or more"
        told.append(f"FITSVAULT_{name.upper()}: {message}{where}")
    return told


def unknown_variables(names: Iterable[str]) -> list[str]:
    """Return those of the variables that look like settings and are none, each with what was meant, perhaps."""
    known = [f"FITSVAULT_{name.upper()}" for name in Settings.model_fields]
    told = []
    for name in sorted(names):
        if name.startswith("FITSVAULT_") and name not in {*known, *_OF_CLIENTS}:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.85)
            told.append(f"there is no setting {name}" + (f"; did you mean {near[0]}?" if near else ""))
    return told


def plain_settings(settings: Settings) -> dict[str, str]:
    """Return the settings as the texts that environment variables take; what is unset is left out."""
    plain = {}
    for name, value in settings.model_dump().items():
        if isinstance(value, SecretStr):
            plain[name] = value.get_secret_value()
        elif isinstance(value, dict | list):
            plain[name] = json.dumps(value)
        elif value is not None:
            plain[name] = str(value)
    return plain


@lru_cache(maxsize=1)
def settings() -> Settings:
    """Return the process's settings, read once.

    Where a local archive runs in the home folder and no other store is set, the address and keys that it left
    there fill in what is not set.
    """
    given = Settings()
    if given.secret_arn is not None:
        return _with_secret(given, given.secret_arn)
    left = given.home / LOCAL_SETTINGS_FILE
    if given.s3_endpoint_url is None and left.exists():
        return Settings(_env_file=(left, ".env"))
    return given


def _with_secret(given: Settings, arn: str) -> Settings:
    """Return the settings with those of the secret where nothing else sets them."""
    found = {name: value for name, value in read_secret(arn).items() if name in Settings.model_fields}
    return Settings(**{name: value for name, value in found.items() if name not in given.model_fields_set})  # type: ignore[arg-type]
