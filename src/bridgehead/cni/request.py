"""What a runtime asks: the act and its parameters from the environment, the configuration from stdin."""

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from bridgehead.cni.failures import (
    INCOMPATIBLE_VERSION,
    INVALID_CONFIGURATION,
    INVALID_ENVIRONMENT,
    UNDECODABLE,
    Failure,
)

VERSIONS = ("0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0")
NEWEST = VERSIONS[-1]

# Which parameters an act must have, and the first version of the specification that knows it.
_NEEDED: Mapping[str, tuple[str, ...]] = {
    "ADD": ("CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME"),
    "DEL": ("CNI_CONTAINERID", "CNI_IFNAME"),
    "CHECK": ("CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME"),
    "GC": (),
    "STATUS": (),
    "VERSION": (),
}
_SINCE: Mapping[str, str] = {"CHECK": "0.4.0", "GC": "1.1.0", "STATUS": "1.1.0"}
_IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]*")
_INTERFACE = re.compile(r"[^\s/:]{1,15}")

Fields = Mapping[str, Any]


class Attachment(NamedTuple):
    """One interface of one container: what an ADD makes and a DEL ends."""

    container: str
    interface: str


class Request(NamedTuple):
    """`arguments` are CNI_ARGS, `fields` the configuration as it was sent."""

    command: str
    container: str
    netns: str
    interface: str
    arguments: Mapping[str, str]
    version: str
    fields: Fields

    @property
    def attachment(self) -> Attachment:
        return Attachment(self.container, self.interface)


def version_of(text: bytes) -> str:
    """The version a runtime speaks, as far as that can be read; for answers to what cannot."""
    try:
        fields = json.loads(text)
    except ValueError:
        return NEWEST
    version = fields.get("cniVersion") if isinstance(fields, dict) else None
    return version if isinstance(version, str) and version else NEWEST


def parse(environment: Mapping[str, str], text: bytes) -> Request:
    """
    Raises:
        Failure: with the specification's code for what is missing or wrong.
    """
    command = environment.get("CNI_COMMAND", "")
    if not command:
        raise Failure(
            INVALID_ENVIRONMENT,
            "CNI_COMMAND is not set: this is a CNI plugin, which container engines run (see docs/cni.md)",
        )
    if command not in _NEEDED:
        raise Failure(INVALID_ENVIRONMENT, f"unknown CNI_COMMAND {command!r}", f"known: {', '.join(_NEEDED)}")
    missing = [name for name in _NEEDED[command] if not environment.get(name)]
    if missing:
        raise Failure(INVALID_ENVIRONMENT, f"{command} needs {' and '.join(missing)}")
    request = Request(
        command=command,
        container=environment.get("CNI_CONTAINERID", ""),
        netns=environment.get("CNI_NETNS", ""),
        interface=environment.get("CNI_IFNAME", ""),
        arguments={},
        version=version_of(text),
        fields=_decoded(text, command),
    )
    if command == "VERSION":
        return request
    _check_version(request)
    _check_words(request)
    return request._replace(arguments=_arguments(environment.get("CNI_ARGS", "")))


def _decoded(text: bytes, command: str) -> Fields:
    if command == "VERSION" and not text.strip():
        return {}
    try:
        fields = json.loads(text)
    except ValueError as error:
        raise Failure(UNDECODABLE, f"the network configuration is no JSON: {error}") from error
    if not isinstance(fields, dict):
        raise Failure(UNDECODABLE, "the network configuration is no JSON object")
    return fields


def _check_version(request: Request) -> None:
    if not isinstance(request.fields.get("cniVersion"), str):
        raise Failure(INCOMPATIBLE_VERSION, "the network configuration names no cniVersion")
    if request.version not in VERSIONS:
        raise Failure(
            INCOMPATIBLE_VERSION,
            f"CNI version {request.version!r} is not supported",
            f"supported: {', '.join(VERSIONS)}",
        )
    since = _SINCE.get(request.command, VERSIONS[0])
    if VERSIONS.index(request.version) < VERSIONS.index(since):
        raise Failure(
            INCOMPATIBLE_VERSION,
            f"{request.command} came with CNI {since}, and the configuration is of {request.version}",
        )


def _check_words(request: Request) -> None:
    if request.container and not _IDENTIFIER.fullmatch(request.container):
        raise Failure(INVALID_ENVIRONMENT, f"invalid CNI_CONTAINERID {request.container!r}")
    interface = request.interface
    if interface and (not _INTERFACE.fullmatch(interface) or interface in {".", ".."}):
        raise Failure(
            INVALID_ENVIRONMENT,
            f"invalid CNI_IFNAME {interface!r}: at most 15 characters, without '/', ':' or space",
        )
    name = request.fields.get("name")
    if not isinstance(name, str) or not _IDENTIFIER.fullmatch(name):
        raise Failure(INVALID_CONFIGURATION, f"invalid network name {name!r}")


# What runtimes are known to send.
_ARGUMENTS = {
    "IgnoreUnknown",
    "IP",
    "MAC",
    "K8S_POD_NAME",
    "K8S_POD_NAMESPACE",
    "K8S_POD_INFRA_CONTAINER_ID",
    "K8S_POD_UID",
}


def _arguments(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for pair in filter(None, text.split(";")):
        name, separator, value = pair.partition("=")
        if not separator:
            raise Failure(INVALID_ENVIRONMENT, f"CNI_ARGS has {pair!r}, which is no NAME=VALUE")
        found[name] = value
    unknown = sorted(found.keys() - _ARGUMENTS)
    if unknown and found.get("IgnoreUnknown", "").lower() not in {"1", "true"}:
        raise Failure(
            INVALID_ENVIRONMENT, f"unknown CNI_ARGS {', '.join(unknown)}", "IgnoreUnknown=1 lets them pass"
        )
    return found
