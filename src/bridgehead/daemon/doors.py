"""Where the API listens: what `-H` may say, and what must be true before it is opened to a network."""

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bridgehead.core.model.errors import InvalidParameter

_PLAIN_PORT, _TLS_PORT = 2375, 2376


@dataclass(frozen=True, slots=True)
class Doors:
    """`tcp`: addresses and ports. `secured`: in TLS; `verified`: for clients with a certificate only."""

    paths: Sequence[str]
    tcp: Sequence[tuple[str, int]] = ()
    secured: bool = False
    verified: bool = False
    authority: str = ""
    certificate: str = ""
    key: str = ""


def doors(values: Mapping[str, Any]) -> Doors:
    """
    Raises:
        InvalidParameter: no such address; or one that would let the whole network in without saying so.
    """
    hosts: Sequence[str] = values["host"]
    verified = bool(values["tlsverify"])
    secured = verified or bool(values["tls"])
    if values["tlsverify"] and values["tls"] is False:
        raise InvalidParameter("--tls=false and --tlsverify contradict each other: leave one of them out")
    port = _TLS_PORT if secured else _PLAIN_PORT
    tcp = [_tcp(host, port) for host in hosts if not host.startswith("unix://")]
    if tcp:
        _check_meant(values, hosts, secured=secured, verified=verified)
    return Doors(
        paths=[_path(host) for host in hosts if host.startswith("unix://")],
        tcp=tcp,
        secured=secured,
        verified=verified,
        authority=_absolute("tlscacert", values) if verified else "",
        certificate=_absolute("tlscert", values),
        key=_absolute("tlskey", values),
    )


def _absolute(name: str, values: Mapping[str, Any]) -> str:
    return str(Path(values[name]).absolute())


def _path(host: str) -> str:
    path = host.removeprefix("unix://")
    if not path.startswith("/"):
        raise InvalidParameter(f"host {host!r}: a socket needs an absolute path, as in unix:///run/x.sock")
    return path


def _tcp(host: str, default_port: int) -> tuple[str, int]:
    scheme, marker, rest = host.partition("://")
    if not marker:
        scheme, rest = "tcp", host
    if scheme != "tcp":
        raise InvalidParameter(f"invalid bind address ({host}): unsupported proto '{scheme}'")
    try:
        parts = urlsplit(f"//{rest}")
        port = parts.port
    except ValueError as error:
        raise InvalidParameter(f"invalid bind address ({host}): {error}") from None
    if (
        parts.path
        or parts.query
        or parts.fragment
        or parts.username is not None
        or parts.netloc.endswith(":")
    ):
        raise InvalidParameter(f"invalid bind address ({host}): it must be tcp://ADDRESS:PORT and no more")
    if not rest:
        return "127.0.0.1", default_port
    return _address(parts.hostname or "", host), default_port if port is None else port


def _address(name: str, host: str) -> str:
    """An address of this machine; '' is every one of them."""
    if name in {"", "localhost"}:
        return "127.0.0.1" if name else ""
    try:
        return str(ipaddress.ip_address(name))
    except ValueError:
        raise InvalidParameter(
            f"invalid bind address ({host}): {name!r} is not an IP address; a daemon listens on addresses"
        ) from None


def _check_meant(values: Mapping[str, Any], hosts: Sequence[str], *, secured: bool, verified: bool) -> None:
    """Whoever reaches an API that does not ask for a certificate is root here: that must have been said."""
    if verified or values["tls"] is False or (secured and values["tlsverify"] is False):
        return
    named = ", ".join(host for host in hosts if not host.startswith("unix://"))
    danger = "anybody who can connect is root on this machine"
    if secured:
        raise InvalidParameter(
            f"{named}: with --tls alone {danger}. Give --tlsverify and --tlscacert, so that only clients "
            "with a certificate get in, or say --tlsverify=false"
        )
    raise InvalidParameter(
        f"{named}: without TLS {danger}. Give --tlsverify with --tlscacert, --tlscert and --tlskey, "
        "or say --tls=false to open it all the same"
    )
