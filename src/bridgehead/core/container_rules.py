"""What a container request may not say, whatever the state: checked before anything is looked up."""

import ipaddress
from collections.abc import Iterable

from bridgehead.core import signals
from bridgehead.core.etc import HOST_GATEWAY
from bridgehead.core.model.errors import InvalidParameter
from bridgehead.core.model.requests import ContainerRequest
from bridgehead.core.oci.capabilities import unknown

_LONGEST_HOSTNAME = 64
_LEAST_MEMORY = 6 << 20
_WITHOUT_LINKS = ("container", "host", "none")


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
    _check_links(request)
    _check_process(request)
    _check_hosts(request.extra_hosts)
    for server in request.dns:
        if not _is_address(server):
            raise InvalidParameter(f"invalid name server address: {server}")


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
