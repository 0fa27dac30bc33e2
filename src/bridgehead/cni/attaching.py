"""ADD: one more interface for a container, in a sandbox that its first one makes."""

import os

from bridgehead.cni.configuration import Configuration
from bridgehead.cni.door import CONFLICT
from bridgehead.cni.failures import (
    ATTACHED_ALREADY,
    INTERNAL,
    INVALID_CONFIGURATION,
    INVALID_ENVIRONMENT,
    Failure,
    Refused,
)
from bridgehead.cni.namespace import is_own, look, same
from bridgehead.cni.request import Request
from bridgehead.cni.results import Result, addresses, dns, result
from bridgehead.cni.sandboxes import Sandbox, Sandboxes


def add(request: Request, wanted: Configuration, sandboxes: Sandboxes) -> Result:
    """
    Raises:
        Failure: nothing of the attachment is left then, nor of what was made for it.
    """
    _check_namespace(request)
    found = _living(request, sandboxes)
    if found is not None:
        _check_room(found, request, wanted)
    told = _names(found)
    made_network = sandboxes.make_network(wanted)
    try:
        identity = _attach(request, wanted, sandboxes, found)
        try:
            return _described(request, sandboxes, identity, told, wanted.previous or {})
        except BaseException:
            _detach(request, sandboxes, identity)
            raise
    except BaseException:
        if made_network:
            sandboxes.remove_network(wanted.network)
        raise


def _check_namespace(request: Request) -> None:
    if not os.path.exists(request.netns):
        raise Failure(INVALID_ENVIRONMENT, f"there is no network namespace at {request.netns}")
    if is_own(request.netns):
        raise Failure(INVALID_ENVIRONMENT, f"CNI_NETNS {request.netns} is the host's own network namespace")


def _living(request: Request, sandboxes: Sandboxes) -> Sandbox | None:
    """The container's sandbox; one of an earlier life, in another namespace, is removed."""
    found = sandboxes.of(request.container)
    if found is not None and not same(found.netns, request.netns):
        sandboxes.remove(found.identity)
        return None
    return found


def _check_room(found: Sandbox, request: Request, wanted: Configuration) -> None:
    there = found.attached(request.interface)
    if there is not None:
        raise Failure(
            ATTACHED_ALREADY,
            f"interface {request.interface} of container {request.container} is already attached to network "
            f"{there.network}",
        )
    new_ports = [str(port) for port in wanted.ports if str(port) not in found.ports]
    if new_ports:
        raise Failure(
            INVALID_CONFIGURATION,
            f"container {found.name} cannot publish {', '.join(new_ports)} any more: ports are published "
            "with a container's first network",
            'declare the capability "portMappings" for each of its networks',
        )


def _attach(request: Request, wanted: Configuration, sandboxes: Sandboxes, found: Sandbox | None) -> str:
    if found is None:
        try:
            return sandboxes.make(request, wanted)
        except Refused as error:
            # Runtimes may attach several networks of one container at the same time.
            found = sandboxes.of(request.container) if error.status == CONFLICT else None
            if found is None or not same(found.netns, request.netns):
                raise
            _check_room(found, request, wanted)
    sandboxes.join(found, request, wanted)
    return found.identity


def _described(
    request: Request, sandboxes: Sandboxes, identity: str, told: Result, previous: Result
) -> Result:
    """Name servers are told once for a container: podman, when a network is left, takes those away that came
    with it, although another network had told the same.
    """
    sandbox = sandboxes.known(identity)
    joined = sandbox.attached(request.interface) if sandbox else None
    seen = look(request.netns, request.interface)
    if sandbox is None or joined is None or seen is None:
        raise Failure(INTERNAL, f"interface {request.interface} is gone again")
    names = _names(sandbox)
    return result(
        request.version,
        request.netns,
        seen,
        addresses(joined.settings),
        {} if names == told else names,
        previous,
    )


def _names(sandbox: Sandbox | None) -> Result:
    path = sandbox.record.get("ResolvConfPath") if sandbox else None
    try:
        with open(path or "", encoding="utf-8", errors="replace") as file:
            return dns(file.read())
    except OSError:
        return {}


def _detach(request: Request, sandboxes: Sandboxes, identity: str) -> None:
    sandbox = sandboxes.known(identity)
    if sandbox is None:
        return
    joined = sandbox.attached(request.interface)
    if joined is not None:
        sandboxes.leave(sandbox, joined)
    sandboxes.remove_if_alone(sandbox)
