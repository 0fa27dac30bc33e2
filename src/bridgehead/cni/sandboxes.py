"""A container's sandbox at the daemon: found by what it is labelled with, made, joined, left.

The runtime's id stands in a label of the sandbox, the configuration's name and the interface's in driver
options of each attachment. So the daemon's record is the only one, and there is no state of our own to lose.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from bridgehead.cni.configuration import Configuration
from bridgehead.cni.door import CONFLICT, FORBIDDEN, NOT_FOUND, Door
from bridgehead.cni.failures import Refused
from bridgehead.cni.request import Attachment, Request

CONTAINER_LABEL = "bridgehead.cni.container"
CONFIGURATION_OPTION = "bridgehead.cni.configuration"
PORTS_LABEL = "bridgehead.cni.ports"
INTERFACE_OPTION = "com.docker.network.endpoint.ifname"
_IN_THE_MAKING_S = 5.0
_PAUSE_S = 0.02

Record = Mapping[str, Any]


class Joined(NamedTuple):
    """One network a sandbox is on; `configuration` is empty where it was joined by others."""

    network: str
    interface: str
    configuration: str
    settings: Record


class Sandbox(NamedTuple):
    identity: str
    name: str
    container: str
    netns: str
    ports: frozenset[str]
    record: Record

    @property
    def joined(self) -> Sequence[Joined]:
        return tuple(_joined(self.record))

    def attached(self, interface: str) -> Joined | None:
        return next((joined for joined in self.joined if joined.interface == interface), None)

    def attachment(self, joined: Joined) -> Attachment:
        return Attachment(self.container, joined.interface)


def _joined(record: Record) -> Iterator[Joined]:
    networks: Mapping[str, Record] = (record.get("NetworkSettings") or {}).get("Networks") or {}
    for name, settings in networks.items():
        options = settings.get("DriverOpts") or {}
        interface = options.get(INTERFACE_OPTION, "")
        yield Joined(name, interface, options.get(CONFIGURATION_OPTION, ""), settings)


def _sandbox(record: Record) -> Sandbox:
    labels = record.get("Labels") or {}
    return Sandbox(
        identity=record["Id"],
        name=str(record.get("Name", "")).removeprefix("/"),
        container=labels.get(CONTAINER_LABEL, ""),
        netns=record.get("Netns") or "",
        ports=frozenset(labels.get(PORTS_LABEL, "").split()),
        record=record,
    )


class Sandboxes(NamedTuple):
    """Whatever it is asked, a `Refused` or `Unreachable` of the daemon's passes through."""

    door: Door

    def of(self, container: str) -> Sandbox | None:
        """The sandbox of the runtime's container with that id."""
        return next(iter(self._labelled(f"{CONTAINER_LABEL}={container}")), None)

    def all(self) -> Sequence[Sandbox]:
        """Every sandbox that a container engine made through CNI."""
        return self._labelled(CONTAINER_LABEL)

    def _labelled(self, label: str) -> Sequence[Sandbox]:
        found = self.door.get("/sandboxes", {"filters": f'{{"label":["{label}"]}}'}) or []
        return tuple(_sandbox(record) for record in found)

    def known(self, identity: str) -> Sandbox | None:
        try:
            return _sandbox(self.door.get(f"/sandboxes/{identity}"))
        except Refused as error:
            if error.status == NOT_FOUND:
                return None
            raise

    def make(self, request: Request, wanted: Configuration) -> str:
        """A sandbox with its first attachment, whole or not at all; its id."""
        body = {
            "Netns": request.netns,
            "Labels": {**wanted.labels, **_own_labels(request, wanted)},
            "ExposedPorts": {port.key: {} for port in wanted.ports},
            "HostConfig": {
                "NetworkMode": wanted.network,
                "PortBindings": bindings(wanted),
                "Dns": list(wanted.names.servers),
                "DnsSearch": list(wanted.names.searches),
                "DnsOptions": list(wanted.names.options),
            },
            "NetworkingConfig": {"EndpointsConfig": {wanted.network: _endpoint(request, wanted)}},
        }
        made = self.door.post("/sandboxes/create", body, {"name": wanted.sandbox})
        return str(made["Id"])

    def join(self, sandbox: Sandbox, request: Request, wanted: Configuration) -> None:
        body = {"Container": sandbox.identity, "EndpointConfig": _endpoint(request, wanted)}
        self.door.post(f"/networks/{wanted.network}/connect", body)

    def leave(self, sandbox: Sandbox, joined: Joined) -> None:
        """One that is gone already is no error."""
        body = {"Container": sandbox.identity, "Force": True}
        network = joined.settings.get("NetworkID") or joined.network
        _unless_gone(self.door, "POST", f"/networks/{network}/disconnect", body)

    def remove(self, identity: str) -> None:
        _unless_gone(self.door, "DELETE", f"/sandboxes/{identity}")

    def remove_if_alone(self, sandbox: Sandbox) -> None:
        """Remove a sandbox that is on no network any more."""
        left = self.known(sandbox.identity)
        if left is not None and not left.joined:
            self.remove(left.identity)

    def make_network(self, wanted: Configuration) -> bool:
        """Make the network as the configuration says, unless it is there; was it made?

        Somebody else's may be in the making: its name is taken then, and it is not there yet.
        """
        if wanted.create is None:
            return False
        deadline = time.monotonic() + _IN_THE_MAKING_S
        while not self.has_network(wanted.network):
            try:
                self.door.post("/networks/create", {**wanted.create, "Name": wanted.network})
            except Refused as error:
                if error.status != CONFLICT or time.monotonic() > deadline:
                    raise
                time.sleep(_PAUSE_S)
            else:
                return True
        return False

    def has_network(self, network: str) -> bool:
        try:
            self.door.get(f"/networks/{network}")
        except Refused as error:
            if error.status == NOT_FOUND:
                return False
            raise
        return True

    def remove_network(self, network: str) -> None:
        """One that somebody else uses by now stays."""
        try:
            _unless_gone(self.door, "DELETE", f"/networks/{network}")
        except Refused as error:
            if error.status not in {FORBIDDEN, CONFLICT}:
                raise


def _own_labels(request: Request, wanted: Configuration) -> dict[str, str]:
    ports = " ".join(str(port) for port in wanted.ports)
    return {CONTAINER_LABEL: request.container, **({PORTS_LABEL: ports} if ports else {})}


def bindings(wanted: Configuration) -> dict[str, list[dict[str, str]]]:
    """Port mappings as the API's PortBindings."""
    found: dict[str, list[dict[str, str]]] = {}
    for port in wanted.ports:
        found.setdefault(port.key, []).append({"HostIp": port.host_address, "HostPort": str(port.host_port)})
    return found


def _endpoint(request: Request, wanted: Configuration) -> dict[str, object]:
    return {
        "IPAMConfig": {"IPv4Address": wanted.ipv4, "IPv6Address": wanted.ipv6},
        "MacAddress": wanted.mac,
        "Aliases": list(wanted.aliases),
        "GwPriority": wanted.gateway_priority,
        "DriverOpts": {INTERFACE_OPTION: request.interface, CONFIGURATION_OPTION: wanted.name},
    }


def _unless_gone(door: Door, method: str, path: str, body: Mapping[str, object] | None = None) -> None:
    try:
        door.call(method, path, body=body)
    except Refused as error:
        if error.status != NOT_FOUND:
            raise
