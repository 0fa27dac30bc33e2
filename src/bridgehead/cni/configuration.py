"""The network configuration as values: which of our networks, and what this container wants there.

Wishes come from three places, of which the first that names one counts: `runtimeConfig` (for the capabilities
that the configuration declares), `args.cni`, CNI_ARGS.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from bridgehead.cni.failures import INVALID_CONFIGURATION, UNSUPPORTED_FIELD, Failure
from bridgehead.cni.request import Fields, Request

DEFAULT_SOCKET = "/run/bridgehead/bridgehead.sock"
CAPABILITIES = ("portMappings", "ips", "mac", "aliases", "dns")
_UNSUPPORTED = ("ipam", "ipMasq")  # both are properties of the network, which is Bridgehead's
_OUR_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+")  # what the daemon takes as a name


class Port(NamedTuple):
    """`host_address` is empty for all of the host's addresses."""

    host_port: int
    port: int
    protocol: str
    host_address: str

    @property
    def key(self) -> str:
        return f"{self.port}/{self.protocol}"

    def __str__(self) -> str:
        """As docker writes it: 127.0.0.1:8080:80/tcp."""
        address = f"[{self.host_address}]" if ":" in self.host_address else self.host_address
        return f"{address}:{self.host_port}:{self.key}".removeprefix(":")


class Names(NamedTuple):
    """DNS as a runtime asks for it; upstream servers, for the daemon's own answers first."""

    servers: tuple[str, ...]
    searches: tuple[str, ...]
    options: tuple[str, ...]


class Configuration(NamedTuple):
    """`create` is how the network is made when it is not there; None when it must be."""

    name: str
    network: str
    socket: str
    create: Fields | None
    gateway_priority: int
    sandbox: str
    aliases: tuple[str, ...]
    ports: tuple[Port, ...]
    ipv4: str
    ipv6: str
    mac: str
    names: Names
    labels: Mapping[str, str]
    previous: Fields | None


def configuration(request: Request) -> Configuration:
    """
    Raises:
        Failure: a field is of the wrong kind, or asks for what we do not do.
    """
    fields, arguments = request.fields, request.arguments
    runtime = _mapping(fields, "runtimeConfig")
    _refuse_unsupported(fields, runtime)
    args = _mapping(_mapping(fields, "args"), "cni")
    name = str(fields["name"])
    ipv4, ipv6 = _addresses(
        _texts(runtime, "ips") or _texts(args, "ips") or tuple(arguments.get("IP", "").split(","))
    )
    sandbox, other_names = _sandbox_names(request)
    return Configuration(
        name=name,
        network=_text(fields, "network") or name,
        socket=_socket(_text(fields, "socket")),
        create=_mapping(fields, "create") if "create" in fields else None,
        gateway_priority=_number(fields, "gatewayPriority"),
        sandbox=sandbox,
        aliases=tuple(dict.fromkeys((*other_names, *_aliases(runtime, name)))),
        ports=tuple(_port(entry) for entry in _list(runtime, "portMappings")),
        ipv4=ipv4,
        ipv6=ipv6,
        mac=_text(runtime, "mac") or _text(args, "mac") or arguments.get("MAC", ""),
        names=_names(_mapping(fields, "dns"), _mapping(runtime, "dns")),
        labels=dict(_label(entry) for entry in _list(args, "labels")),
        previous=_previous(fields),
    )


def _refuse_unsupported(fields: Fields, runtime: Fields) -> None:
    unknown = {key: runtime[key] for key in runtime if key not in CAPABILITIES}
    asked = {key: fields[key] for key in _UNSUPPORTED if fields.get(key)}
    for key, value in {**asked, **unknown}.items():
        raise Failure(
            UNSUPPORTED_FIELD,
            f"{key} is not supported: {value!r}",
            "addresses and masquerading are settings of the Bridgehead network"
            if key in _UNSUPPORTED
            else f"capabilities are {', '.join(CAPABILITIES)}",
        )


def _sandbox_names(request: Request) -> tuple[str, tuple[str, ...]]:
    """The sandbox's name, which names resolve to it, and the names it has besides.

    Kubernetes' pod names are unique within their namespace only, podman's container names everywhere. What
    the daemon would not take as a name (one letter) becomes an alias.
    """
    pod = request.arguments.get("K8S_POD_NAME", "")
    namespace = request.arguments.get("K8S_POD_NAMESPACE", "")
    if pod and namespace:
        return f"{pod}.{namespace}", (pod,)
    if _OUR_NAME.fullmatch(pod):
        return pod, ()
    return request.container, (pod,) if pod else ()


def _socket(text: str) -> str:
    path = text.removeprefix("unix://") or DEFAULT_SOCKET
    if not path.startswith("/"):
        raise Failure(INVALID_CONFIGURATION, f"socket must be an absolute path, not {text!r}")
    return path


def _aliases(runtime: Fields, name: str) -> tuple[str, ...]:
    """CNI's conventions say a list; podman sends a mapping from the network's name to one."""
    if isinstance(runtime.get("aliases"), Mapping):
        return _texts(runtime["aliases"], name)
    return _texts(runtime, "aliases")


def _addresses(texts: Sequence[str]) -> tuple[str, str]:
    """One IPv4 and one IPv6 address at most; a prefix length is dropped, as the network has its own."""
    found = {False: "", True: ""}
    for text in texts:
        address = text.strip().partition("/")[0]
        if address and found[":" in address]:
            raise Failure(INVALID_CONFIGURATION, f"only one address of each family, not also {address}")
        if address:
            found[":" in address] = address
    return found[False], found[True]


def _port(entry: Any) -> Port:
    if not isinstance(entry, Mapping):
        raise Failure(INVALID_CONFIGURATION, f"portMappings has {entry!r}, which is no object")
    numbers = entry.get("hostPort"), entry.get("containerPort")
    for number in numbers:
        if not isinstance(number, int) or not 0 < number < 1 << 16:
            raise Failure(INVALID_CONFIGURATION, f"invalid port {number!r} in {dict(entry)!r}")
    return Port(
        host_port=int(entry["hostPort"]),
        port=int(entry["containerPort"]),
        protocol=str(entry.get("protocol") or "tcp").lower(),
        host_address=str(entry.get("hostIP") or ""),
    )


def _label(entry: Any) -> tuple[str, str]:
    if not isinstance(entry, Mapping) or not isinstance(entry.get("key"), str):
        raise Failure(INVALID_CONFIGURATION, f"labels has {entry!r}, which has no key")
    return entry["key"], str(entry.get("value", ""))


def _previous(fields: Fields) -> Fields | None:
    """prevResult, in whose lists there are objects only; None when there is none."""
    if fields.get("prevResult") is None:
        return None
    previous = _mapping(fields, "prevResult")
    for key in ("interfaces", "ips", "routes"):
        for entry in _list(previous, key):
            if not isinstance(entry, Mapping):
                raise _wrong(f"prevResult.{key}", "a list of objects", previous[key])
    return previous


def _names(ours: Fields, runtime: Fields) -> Names:
    domain = _text(ours, "domain")
    searches = _texts(runtime, "searches") or _texts(ours, "search") or ((domain,) if domain else ())
    return Names(
        servers=_texts(runtime, "servers") or _texts(ours, "nameservers"),
        searches=searches,
        options=_texts(runtime, "options") or _texts(ours, "options"),
    )


def _mapping(fields: Fields, key: str) -> Fields:
    value = fields.get(key)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise _wrong(key, "an object", value)
    return value


def _list(fields: Fields, key: str) -> Sequence[Any]:
    value = fields.get(key)
    if value is None:
        return ()
    if not isinstance(value, list):
        raise _wrong(key, "a list", value)
    return value


def _texts(fields: Fields, key: str) -> tuple[str, ...]:
    values = _list(fields, key)
    if not all(isinstance(value, str) for value in values):
        raise _wrong(key, "a list of strings", values)
    return tuple(values)


def _text(fields: Fields, key: str) -> str:
    value = fields.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _wrong(key, "a string", value)
    return value


def _number(fields: Fields, key: str) -> int:
    value = fields.get(key, 0)
    if not isinstance(value, int) or isinstance(value, bool):
        raise _wrong(key, "a number", value)
    return value


def _wrong(key: str, kind: str, value: object) -> Failure:
    return Failure(INVALID_CONFIGURATION, f"{key} must be {kind}, not {value!r}")
