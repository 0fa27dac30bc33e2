"""`--network` and the options that shape the endpoint in it, as the API's `EndpointsConfig`."""

import re
from typing import TypedDict

from bridgehead.cli.client import Body, CommandFailed

NOT_USER_DEFINED = {"default", "bridge", "host", "none", ""}
MAC = re.compile(r"[0-9a-fA-F]{2}([:-][0-9a-fA-F]{2}){5}")
_NUMBER = re.compile(r"[+-]?\d+")
_FIELDS = {"name", "alias", "ip", "ip6", "link-local-ip", "mac-address", "driver-opt", "gw-priority"}


class EndpointWishes(TypedDict):
    network: tuple[str, ...]
    network_alias: tuple[str, ...]
    ip: str
    ip6: str
    link_local_ip: tuple[str, ...]
    link: tuple[str, ...]
    mac_address: str


def network_mode(wishes: EndpointWishes) -> str:
    """The first network: the one the container starts with."""
    return _fields(wishes["network"][0])["name"][0] if wishes["network"] else "default"


def endpoints(wishes: EndpointWishes) -> Body:
    """One entry for each network that something was asked of."""
    _check(wishes)
    first, *others = [_fields(word) for word in wishes["network"]] or [{"name": ["default"]}]
    first = _merged(first, wishes)
    named = [first, *others] if len(first) > 1 or others else []
    modes = [fields["name"][0] for fields in [first, *others]]
    if others and not all(user_defined(mode) for mode in modes):
        raise CommandFailed(
            "conflicting options: cannot attach both user-defined and non-user-defined network-modes", 125
        )
    return {fields["name"][0]: _endpoint(fields) for fields in named}


def user_defined(mode: str) -> bool:
    return mode not in NOT_USER_DEFINED and not mode.startswith("container:")


def _check(wishes: EndpointWishes) -> None:
    mode = network_mode(wishes)
    if wishes["mac_address"] and not MAC.fullmatch(wishes["mac_address"]):
        raise CommandFailed(f"{wishes['mac_address']} is not a valid mac address", 125)
    if wishes["network_alias"] and not user_defined(mode):
        raise CommandFailed("network-scoped aliases are only supported for user-defined networks", 125)


def _merged(fields: dict[str, list[str]], wishes: EndpointWishes) -> dict[str, list[str]]:
    """The options that stand for themselves belong to the first network."""
    links = wishes["link"] if user_defined(fields["name"][0]) else ()
    own = {
        "alias": list(wishes["network_alias"]),
        "ip": [wishes["ip"]] if wishes["ip"] else [],
        "ip6": [wishes["ip6"]] if wishes["ip6"] else [],
        "link-local-ip": list(wishes["link_local_ip"]),
        "mac-address": [wishes["mac_address"]] if wishes["mac_address"] else [],
        "link": list(links),
    }
    return {**fields, **{key: fields.get(key, []) + said for key, said in own.items() if said}}


def _fields(word: str) -> dict[str, list[str]]:
    """A plain name, or the long form `name=n,alias=a,ip=…`."""
    if "=" not in word:
        return {"name": [word]}
    fields: dict[str, list[str]] = {}
    for part in word.split(","):
        key, given, value = part.partition("=")
        key = key.strip().lower()
        if not given or key not in _FIELDS or (key == "gw-priority" and not _NUMBER.fullmatch(value)):
            raise CommandFailed(
                f'invalid argument "{word}" for "--network" flag: invalid field "{part}"', 125
            )
        fields.setdefault(key, []).append(value)
    if "name" not in fields:
        raise CommandFailed(
            f'invalid argument "{word}" for "--network" flag: network name/id is not specified', 125
        )
    return fields


def _endpoint(fields: dict[str, list[str]]) -> Body:
    addresses = {
        "IPv4Address": "".join(fields.get("ip", [])[-1:]),
        "IPv6Address": "".join(fields.get("ip6", [])[-1:]),
        "LinkLocalIPs": fields.get("link-local-ip", []),
    }
    return {
        "IPAMConfig": {key: said for key, said in addresses.items() if said},
        "Aliases": fields.get("alias", []),
        "Links": fields.get("link", []),
        "MacAddress": "".join(fields.get("mac-address", [])[-1:]),
        "DriverOpts": dict(word.partition("=")[::2] for word in fields.get("driver-opt", [])),
        "GwPriority": int("".join(fields.get("gw-priority", [])[-1:]) or 0),
    }
