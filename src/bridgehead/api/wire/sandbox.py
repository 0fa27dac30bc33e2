"""Sandboxes that are no containers: what a client asks for one, and what it is shown of it."""

from collections.abc import Iterator, Mapping
from typing import Any

from bridgehead.api.version import Version
from bridgehead.api.wire import attachments, container_request
from bridgehead.api.wire.container_body import CreateBody, Int64
from bridgehead.core.layout import Layout
from bridgehead.core.model.container import Container
from bridgehead.core.model.errors import InvalidParameter
from bridgehead.core.model.guest import GuestRequest
from bridgehead.core.model.requests import ContainerRequest

_KNOWN = {
    "Netns",
    "Pid",
    "Labels",
    "ExposedPorts",
    "Hostname",
    "Domainname",
    "HostConfig",
    "NetworkingConfig",
}
_KNOWN_OF_HOST = {
    "PortBindings",
    "PublishAllPorts",
    "Links",
    "Dns",
    "DnsSearch",
    "DnsOptions",
    "ExtraHosts",
    "NetworkMode",
}


class SandboxBody(CreateBody, rename="pascal"):
    """A container's, with a namespace in place of an image and a command."""

    netns: str = ""
    pid: Int64 = 0


def where(asked: SandboxBody) -> GuestRequest:
    return GuestRequest(asked.netns, asked.pid)


def request(asked: SandboxBody, document: Mapping[str, Any], name: str, version: Version) -> ContainerRequest:
    """
    Raises:
        InvalidParameter: a text in it does not parse, or something needs a network and none is named.
    """
    named = list(asked.networking_config.endpoints_config)
    if not asked.host_config.network_mode:
        asked.host_config.network_mode = named[0] if named else "none"
    if asked.host_config.network_mode == "none" and asked.host_config.links:
        raise InvalidParameter("links need a network: say which one the sandbox starts in")
    return container_request.request(asked, document, name, version)


def warnings(document: Mapping[str, Any]) -> list[str]:
    """Of what has no meaning where no process is ours. `document` is a body whose form was checked."""
    host = document.get("HostConfig") or {}
    names = [*_unknown(document, _KNOWN), *_unknown(host, _KNOWN_OF_HOST)]
    return [f"{name} has no effect on a sandbox that is no container" for name in names]


def _unknown(document: Mapping[str, Any], known: set[str]) -> Iterator[str]:
    return (name for name, value in document.items() if value and name not in known)


def show(container: Container, view: attachments.View, layout: Layout) -> dict[str, object]:
    folder, guest = layout.container(container.id), container.guest
    return {
        "Id": container.id,
        "Name": container.name,
        "Netns": guest.source if guest else "",
        "Pid": guest.pid if guest else 0,
        "Labels": dict(container.spec.labels),
        "Created": container.created,
        "NetworkSettings": attachments.settings(container, view, layout),
        "ResolvConfPath": f"{folder}/resolv.conf",
        "HostsPath": f"{folder}/hosts",
        "HostnamePath": f"{folder}/hostname",
    }
