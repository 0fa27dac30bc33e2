"""What driver options may ask of one attachment's interface: its name, and kernel settings of its own.

Source: behaviour.md 1.9 and 2.4.
"""

import re
from collections.abc import Mapping

from bridgehead.core.model.errors import InvalidParameter

_INTERFACE_NAME = "com.docker.network.endpoint.ifname"
_SYSCTLS = "com.docker.network.endpoint.sysctls"
_PLACEHOLDER = "IFNAME"

_NAME = re.compile(r"[^\s/:%]{1,15}")
_SETTING = re.compile(r"net\.(?:ipv4|ipv6|mpls)\.[a-z0-9_]+\.IFNAME\.[a-z0-9_.]+=[!-~][ -~]*")
_OF_CONTAINER = re.compile(r"net\.(ipv4|ipv6|mpls)\.([a-z0-9_]+)\.eth0\.([a-z0-9_.]+)")
_LONGEST = 250  # a link's alias takes no more, and remembers them


def interface_name(options: Mapping[str, str]) -> str:
    """The exact name wanted inside the container; '' leaves it to us.

    Raises:
        InvalidParameter: no interface can be called that.
    """
    name = options.get(_INTERFACE_NAME, "")
    if name and (not _NAME.fullmatch(name) or name in {".", "..", "lo", "all", "default"}):
        raise InvalidParameter(
            f"invalid interface name {name!r}: at most 15 characters, without '/', ':', '%' or space, "
            "and none that the kernel keeps for itself"
        )
    return name


def sysctls(options: Mapping[str, str]) -> tuple[str, ...]:
    """Settings as `net.X.Y.IFNAME.Z=V`, in the order given.

    Raises:
        InvalidParameter: one of them is something else; in Docker's words.
    """
    text = options.get(_SYSCTLS, "")
    # docker makes the whole option lower-case where it stands in a long --network.
    settings = tuple(
        item.strip().replace(".ifname.", f".{_PLACEHOLDER}.") for item in text.split(",") if item.strip()
    )
    for setting in settings:
        if not _SETTING.fullmatch(setting):
            raise InvalidParameter(
                f"unrecognised network interface sysctl '{setting}'; represent 'net.X.Y.ethN.Z=V' as "
                "'net.X.Y.IFNAME.Z=V', 'X' must be 'ipv4', 'ipv6' or 'mpls'"
            )
    if len(text) > _LONGEST:
        raise InvalidParameter(
            f"the settings of one interface may take {_LONGEST} characters, not {len(text)}"
        )
    return settings


def setting_path(setting: str, interface: str) -> tuple[str, str]:
    """(path below /proc/sys/net, value); a dot in the interface's name is no separator."""
    name, _, value = setting.partition("=")
    words = name.removeprefix("net.").split(".")
    return "/".join(interface if word == _PLACEHOLDER else word for word in words), value


def moved_from_container(given: Mapping[str, str]) -> tuple[dict[str, str], str]:
    """A container's settings without those of eth0, and these as one endpoint option's value.

    That interface does not exist when a runtime would write them.
    """
    kept, moved = {}, []
    for name, value in given.items():
        if found := _OF_CONTAINER.fullmatch(name):
            moved.append(f"net.{found[1]}.{found[2]}.{_PLACEHOLDER}.{found[3]}={value}")
        else:
            kept[name] = value
    return kept, ",".join(moved)


def with_sysctls(options: Mapping[str, str], more: str) -> Mapping[str, str]:
    joined = ",".join(filter(None, (options.get(_SYSCTLS, ""), more)))
    return {**options, _SYSCTLS: joined} if more else options
