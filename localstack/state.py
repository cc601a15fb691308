"""What a local archive keeps between two starts: keys that it made, ports that it found."""

import atexit
import errno
import fcntl
import json
import os
import secrets
import socket
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
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
        if not ports[name] or not _take_pair(ports[name]):
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


_held = ExitStack()
atexit.register(_held.close)


def _hold(port: int) -> bool:
    """Keep a port from the other archives of this account for as long as this process lives; False if one has it.

    Between looking for a free port and listening on it a second passes, in which another archive may choose the same.
    """
    folder = Path(tempfile.gettempdir()) / f"fitsvault-ports-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    file = (folder / str(port)).open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        return False
    _held.enter_context(file)
    return True


def free_port(taken: set[int]) -> int:
    """Return a loopback port that nobody listens on just now and that is none of ``taken``."""
    return _choose(range(23_000, 30_000), taken, lambda port: _is_free(port) and _hold(port))


def _free_pair(taken: set[int]) -> int:
    return _choose(range(20_000, 22_700), taken, _take_pair)


def _choose(ports: range, taken: set[int], take: Callable[[int], bool]) -> int:
    """Choose below 32768, where Linux takes no ports for outgoing connections."""
    for _ in range(1000):
        port = secrets.choice(ports)
        if port not in taken and take(port):
            return port
    raise StartError("no free ports between 20000 and 32700 on 127.0.0.1")


def _take_pair(port: int) -> bool:
    return all(_is_free(one) and _hold(one) for one in (port, port + GRPC_OFFSET))


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
