"""What a local archive keeps between two starts: keys that it made, ports that it found."""

import errno
import json
import secrets
import socket
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from shared.errors import FitsvaultError
from shared.files import write_private

__all__ = [
    "GRPC_OFFSET",
    "PORT_NAMES",
    "LocalState",
    "StartError",
    "check_port",
    "free_port",
    "load_state",
]

PORT_NAMES = ("master", "volume", "filer", "s3_grpc", "admin", "metrics", "events")
"""Ports of loopback doors that nobody but the archive itself uses."""

GRPC_OFFSET = 10_000
"""Where SeaweedFS's parts look for each other's gRPC: so far above their HTTP port."""


class StartError(FitsvaultError):
    """A part of the archive cannot start."""


@dataclass(frozen=True, slots=True)
class LocalState:
    """Keys and ports of one local archive."""

    access_key: str
    secret_key: str = field(repr=False)
    event_secret: str = field(repr=False)
    filer_secret: str = field(repr=False)
    ports: Mapping[str, int]


def load_state(home: Path) -> LocalState:
    """Return the state of the archive in ``home``, made at first; ports that others took meanwhile are changed."""
    path = home / "state.json"
    kept = json.loads(path.read_text()) if path.exists() else {}
    ports = {name: kept.get("ports", {}).get(name, 0) for name in PORT_NAMES}
    for name in PORT_NAMES:
        if not ports[name] or not _is_free_pair(ports[name]):
            ports[name] = _free_pair(set(ports.values()))
    state = LocalState(
        access_key=kept.get("access_key") or f"fitsvault{secrets.token_hex(5)}",
        secret_key=kept.get("secret_key") or secrets.token_urlsafe(30),
        event_secret=kept.get("event_secret") or secrets.token_urlsafe(30),
        filer_secret=kept.get("filer_secret") or secrets.token_urlsafe(30),
        ports=ports,
    )
    write_private(path, json.dumps(asdict(state), indent=1))
    return state


def free_port(taken: set[int]) -> int:
    """Return a loopback port that nobody listens on just now and that is none of ``taken``."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        if port not in taken:
            return port


def _free_pair(taken: set[int]) -> int:
    for _ in range(1000):
        port = 20_000 + secrets.randbelow(12_000)
        if port not in taken and _is_free_pair(port):
            return port
    raise StartError("no free ports between 20000 and 42000 on 127.0.0.1")


def _is_free_pair(port: int) -> bool:
    return _is_free(port) and _is_free(port + GRPC_OFFSET)


def _is_free(port: int) -> bool:
    try:
        _bind("127.0.0.1", port)
    except OSError:
        return False
    return True


def _bind(host: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))


def check_port(host: str, port: int, setting: str) -> None:
    """Raise StartError if nobody can listen on the port; port 0 stands for any free one."""
    try:
        _bind(host, port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise StartError(f"port {port} is taken by another program; set {setting} to a free one") from error
        raise StartError(f"cannot listen on {host}, port {port}: {error.strerror}") from error
