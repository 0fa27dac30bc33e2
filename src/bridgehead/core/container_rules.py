"""What a container request may not say, whatever the state: checked before anything is looked up."""

import ipaddress
from collections.abc import Iterable

from bridgehead.core import health, signals
from bridgehead.core.endpoint_rules import SHARED
from bridgehead.core.etc import HOST_GATEWAY
from bridgehead.core.model.errors import InvalidParameter
from bridgehead.core.model.network import EndpointWish
from bridgehead.core.model.requests import ContainerRequest
from bridgehead.core.oci.capabilities import unknown

_LONGEST_HOSTNAME = 64
_LEAST_MEMORY = 6 << 20
_WITHOUT_LINKS = ("container", "host", "none")
_CONFLICTING = "conflicting options: "


def check(request: ContainerRequest) -> None:
    """
    Raises:
        InvalidParameter: in Docker's words, naming what is wrong.
    """
    if len(request.hostname) > _LONGEST_HOSTNAME:
        raise InvalidParameter(f'hostname "{request.hostname}" is too long (maximum 64 bytes)')
    if 0 < request.limits.memory < _LEAST_MEMORY:
        raise InvalidParameter("Minimum memory limit allowed is 6MB")
    if request.auto_remove and request.restart.name not in {"", "no"}:
        raise InvalidParameter("can't create 'AutoRemove' container with restart policy")
    if request.health:
        health.check(request.health)
    _check_mode(request)
    _check_links(request)
    _check_process(request)
    _check_hosts(request.extra_hosts)
    for server in request.dns:
        if not _is_address(server):
            raise InvalidParameter(f"invalid name server address: {server}")


def _check_mode(request: ContainerRequest) -> None:
    """In another's network everything is the other's to say; in the host's, links have addresses already."""
    mode = request.network_mode
    kind, _, target = mode.partition(":")
    mac = request.mac or any(wish.mac for wish in request.networks.values())
    if mac and (kind == "container" or mode == "host"):
        raise InvalidParameter(f"{_CONFLICTING}mac-address and the network mode")
    if kind != "container":
        return
    if not target:
        raise InvalidParameter("invalid network mode: invalid container format container:<name|id>")
    for said, what in (
        (request.hostname, "hostname and the network mode"),
        (request.dns, "dns and the network mode"),
        (request.extra_hosts, "custom host-to-IP mapping and the network mode"),
        (
            request.published_ports or request.publish_all,
            "port publishing and the container type network mode",
        ),
        (request.exposed_ports, "port exposing and the container type network mode"),
    ):
        if said:
            raise InvalidParameter(f"{_CONFLICTING}{what}")
    if any(name != mode for name in request.networks):
        raise InvalidParameter(SHARED)
    _check_no_endpoint(request.networks.get(mode, EndpointWish()))


def _check_no_endpoint(wish: EndpointWish) -> None:
    """Who has no endpoint can ask nothing of it; links are refused in words of their own."""
    if wish.addresses or wish.link_local:
        raise InvalidParameter("user specified IP address is supported on user defined networks only")
    if wish.aliases:
        raise InvalidParameter("network-scoped aliases are only supported for user-defined networks")
    if wish.driver_options or wish.gateway_priority:
        raise InvalidParameter(f"{_CONFLICTING}endpoint options and the network mode")


def _check_links(request: ContainerRequest) -> None:
    mode = request.network_mode
    wish = request.networks.get(mode)
    kind = "container" if mode.startswith("container:") else mode
    if wish is not None and wish.links and kind in _WITHOUT_LINKS:
        what = "container type network" if kind == "container" else f"{kind} type networking"
        raise InvalidParameter(
            f"conflicting options: {what} can't be used with links. This would result in undefined behavior"
        )


def _check_process(request: ContainerRequest) -> None:
    for field, names in (("CapAdd", request.cap_add), ("CapDrop", request.cap_drop)):
        for name in unknown(names):
            raise InvalidParameter(f'invalid {field}: unknown capability: "{name}"')
    if request.working_directory and not request.working_directory.startswith("/"):
        raise InvalidParameter(
            f"the working directory '{request.working_directory}' is invalid, it needs to be an absolute path"
        )
    if request.stop_signal:
        signals.number(request.stop_signal)


def _check_hosts(entries: Iterable[str]) -> None:
    for entry in entries:
        name, colon, address = entry.partition(":")
        if not (name and colon and address):
            raise InvalidParameter(f'bad format for add-host: "{entry}"')
        if address != HOST_GATEWAY and not _is_address(address):
            raise InvalidParameter(f'invalid IP address in add-host: "{address}"')


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return False
    return True
