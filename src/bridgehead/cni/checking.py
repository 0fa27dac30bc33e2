"""CHECK and STATUS: is an attachment as ADD left it; could an ADD be done at all?"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bridgehead.cni.configuration import Configuration
from bridgehead.cni.door import NOT_FOUND
from bridgehead.cni.failures import (
    DIFFERENT,
    INVALID_CONFIGURATION,
    NOT_AVAILABLE,
    UNKNOWN_CONTAINER,
    Failure,
    Refused,
    Unreachable,
)
from bridgehead.cni.namespace import Seen, look, same
from bridgehead.cni.request import Request
from bridgehead.cni.results import addresses
from bridgehead.cni.sandboxes import Joined, Sandbox, Sandboxes


def check(request: Request, wanted: Configuration, sandboxes: Sandboxes) -> None:
    """
    Raises:
        Failure: the daemon does not know the attachment, or what stands in the namespace differs from the
            daemon's record or from the result of ADD, all differences in one sentence.
    """
    previous = wanted.previous
    if previous is None:
        raise Failure(INVALID_CONFIGURATION, "CHECK needs prevResult, the result of ADD")
    sandbox = sandboxes.of(request.container)
    if sandbox is None:
        raise Failure(UNKNOWN_CONTAINER, f"the daemon knows no container {request.container}")
    joined = sandbox.attached(request.interface)
    if joined is None or joined.configuration != wanted.name:
        raise Failure(DIFFERENT, f"interface {request.interface} is not attached by network {wanted.name}")
    problems = list(_problems(request, sandbox, joined, previous))
    if problems:
        raise Failure(DIFFERENT, "; ".join(problems))


def _problems(
    request: Request, sandbox: Sandbox, joined: Joined, previous: Mapping[str, Any]
) -> Iterator[str]:
    if not same(sandbox.netns, request.netns):
        yield f"the sandbox's network namespace is {sandbox.netns}, not {request.netns}"
    seen = look(request.netns, request.interface)
    if seen is None:
        yield f"there is no interface {request.interface} in {request.netns}"
        return
    mac = str(joined.settings.get("MacAddress", "")).lower()
    if mac and mac != seen.link.mac:
        yield f"{request.interface} has the MAC address {seen.link.mac}, not {mac}"
    given = [address.address for address in addresses(joined.settings)]
    yield from _missing(request.interface, given, seen, "the daemon gave it")
    yield from _told(request, previous, given, seen)


def _missing(interface: str, wanted: Iterable[str], seen: Seen, why: str) -> Iterator[str]:
    for address in wanted:
        if address not in seen.addresses:
            yield f"{interface} does not have the address {address} ({why})"


def _told(request: Request, previous: Mapping[str, Any], given: list[str], seen: Seen) -> Iterator[str]:
    """What the result of ADD says of this interface, later plugins' changes included."""
    interfaces = previous.get("interfaces") or []
    places = [
        place
        for place, entry in enumerate(interfaces)
        if entry.get("name") == request.interface and entry.get("sandbox")
    ]
    if not places:
        yield f"the result of ADD does not tell of {request.interface}"
    for place in places:
        mac = str(interfaces[place].get("mac") or "").lower()
        if mac and mac != seen.link.mac:
            yield f"{request.interface} has the MAC address {seen.link.mac}, not {mac} (the result of ADD)"
    told = [
        entry.get("address", "") for entry in previous.get("ips") or [] if entry.get("interface") in places
    ]
    yield from _missing(request.interface, set(told) - set(given), seen, "the result of ADD")


def status(wanted: Configuration, sandboxes: Sandboxes) -> None:
    """
    Raises:
        Failure: an ADD would fail, whatever the container.
    """
    try:
        if wanted.create is None:
            sandboxes.door.get(f"/networks/{wanted.network}")
        sandboxes.all()
    except Unreachable as error:
        raise Failure(NOT_AVAILABLE, error.message) from error
    except Refused as error:
        hint = (
            "make it, or say in the configuration how: create" if error.status == NOT_FOUND else error.details
        )
        raise Failure(NOT_AVAILABLE, error.message, hint) from error
