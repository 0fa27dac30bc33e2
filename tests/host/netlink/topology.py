"""A small network as values, and ways to bring a plane to it."""

import ipaddress
from collections.abc import Mapping
from pathlib import Path

from bridgehead.core.plan.diff import diff
from bridgehead.core.plan.key import Key
from bridgehead.core.plan.objects import Bridge, KernelObject, LinkAddress, Namespace, Route, State, Veth
from bridgehead.host.netlink.plane import LinkPlane
from tests.host.netlink.conftest import ip

BRIDGE = Bridge("br-test", "02:42:00:00:00:01", 1500)
BRIDGE_ADDRESSES = (
    LinkAddress("", "br-test", ipaddress.ip_interface("172.30.0.1/16")),
    LinkAddress("", "br-test", ipaddress.ip_interface("fd00:30::1/64")),
)
NETWORK = (BRIDGE, *BRIDGE_ADDRESSES)


def endpoint(folder: str, number: int, *, ipv6: bool = True) -> tuple[KernelObject, ...]:
    namespace = f"{folder}/{number}"
    families = [("172.30.0.{}/16", "0.0.0.0/0", "172.30.0.1"), ("fd00:30::{}/64", "::/0", "fd00:30::1")]
    objects: list[KernelObject] = [Namespace(namespace), veth(folder, number, ipv6=ipv6)]
    for address, everywhere, gateway in families if ipv6 else families[:1]:
        host = ipaddress.ip_interface(address.format(number))
        via = ipaddress.ip_address(gateway)
        objects.append(LinkAddress(namespace, "eth0", host))
        objects.append(Route(namespace, ipaddress.ip_network(everywhere), "eth0", via))
    return tuple(objects)


def veth(folder: str, number: int, *, ipv6: bool = True) -> Veth:
    mac = f"02:42:ac:1e:00:{number:02x}"
    return Veth(f"veth{number}", "br-test", f"{folder}/{number}", "eth0", mac, 1500, ipv6)


def reach(plane: LinkPlane, desired: State) -> Mapping[Key, Exception]:
    return plane.apply(diff(plane.observe(), desired))


def settled(plane: LinkPlane, desired: State) -> bool:
    """A namespace that nobody keeps takes its links along a little later."""
    return plane.observe() == desired


def index(name: str, namespace: str = "") -> str:
    return ip("-o", "link", "show", name, namespace=namespace).partition(":")[0]


def kept(folder: str) -> list[str]:
    return sorted(entry.name for entry in Path(folder).iterdir())
