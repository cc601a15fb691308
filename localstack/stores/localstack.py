"""LocalStack as stand-in for AWS: S3, SQS and CloudFormation in an environment of its own."""

from collections.abc import Callable
from typing import ClassVar

from localstack.environment import made_environment
from shared.settings import Settings

__all__ = ["LocalstackServer"]


class LocalstackServer:
    """LocalStack's community edition without Docker. It checks no keys, and all that it holds is in memory."""

    folder: ClassVar[str] = "localstack"
    health_path: ClassVar[str] = "/_localstack/health"
    notice: ClassVar[str] = (
        "LocalStack keeps objects only as long as it runs: stop it and they are gone, and at the next start reconcile"
        " takes their frames out of the index. It checks no keys."
    )

    def __init__(self, settings: Settings, tell: Callable[[str], None]) -> None:
        self._settings = settings
        self._tell = tell
        self._address = f"127.0.0.1:{settings.s3_port}"

    def write_configuration(self) -> None:
        """Write nothing: LocalStack takes all from its environment."""

    def command(self) -> list[str]:
        """Return the command line, once its environment is made, which takes a minute the first time."""
        return [str(made_environment("localstack", self._tell)), "-I", "-m", "localstack.runtime.main"]

    def environment(self) -> dict[str, str]:
        """Return what keeps it on loopback, in our folder, and off the network."""
        folder = str(self._settings.home.resolve() / self.folder)
        return {
            "GATEWAY_LISTEN": self._address,
            "LOCALSTACK_HOST": self._address,
            "SERVICES": "s3,sqs,cloudformation",
            "STRICT_SERVICE_LOADING": "1",
            "SQS_ENDPOINT_STRATEGY": "path",
            "LOCALSTACK_VOLUME_DIR": folder,
            "TMPDIR": folder,
            "DNS_ADDRESS": "0",
            "DISABLE_EVENTS": "1",
            "SKIP_SSL_CERT_DOWNLOAD": "1",
        }
