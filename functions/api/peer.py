"""Who is at the other end of a connection, as far as that can be believed."""

import ipaddress
from collections.abc import Sequence

from starlette.requests import HTTPConnection

from functions.api.dependencies import get_services

__all__ = ["client_address", "forwarded_address", "is_https"]


def client_address(connection: HTTPConnection) -> str | None:
    """Return the client's address: the peer's, or what trusted proxies say of it. On AWS the gateway's word."""
    peer = connection.client.host if connection.client else None
    trusted = get_services(connection).settings.trusted_proxies
    return forwarded_address(peer, connection.headers.getlist("x-forwarded-for"), trusted)


def is_https(connection: HTTPConnection) -> bool:
    """Tell whether the client came by TLS, itself or up to a trusted proxy."""
    if connection.url.scheme == "https":
        return True
    peer = connection.client.host if connection.client else ""
    told = connection.headers.get("x-forwarded-proto", "").rpartition(",")[2].strip().lower()
    return told == "https" and _is_trusted(peer, get_services(connection).settings.trusted_proxies)


def forwarded_address(peer: str | None, forwarded: Sequence[str], trusted: Sequence[str]) -> str | None:
    """Return the right-most address that is no trusted proxy's; what stands left of it anybody may have written.

    Parameters
    ----------
    peer
        Address of the other end of the connection.
    forwarded
        Values of X-Forwarded-For.
    trusted
        Networks of proxies.
    """
    found = peer
    for entry in reversed(",".join(forwarded).split(",")):
        if found is None or not _is_trusted(found, trusted):
            return found
        address = _parse(entry.strip())
        if address is None:
            return found
        found = address
    return found


def _is_trusted(address: str, trusted: Sequence[str]) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(parsed in ipaddress.ip_network(network) for network in trusted)


def _parse(entry: str) -> str | None:
    """Return the address in ``192.0.2.1``, ``192.0.2.1:1234``, ``2001:db8::1`` or ``[2001:db8::1]:1234``."""
    bare = entry[1:].partition("]")[0] if entry.startswith("[") else entry
    if bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        return str(ipaddress.ip_address(bare))
    except ValueError:
        return None
