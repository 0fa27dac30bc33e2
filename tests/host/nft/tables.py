"""Tables for the tests of the plane, and the `nft` command as the judge of them."""

import json
import socket
import struct
import subprocess
from collections.abc import Callable
from ipaddress import ip_address, ip_network
from typing import Any

from bridgehead.core.firewall.nft import NftSpelling
from bridgehead.core.firewall.nft_skeleton import table
from bridgehead.core.firewall.rules import FamilyPolicy, LinkAccept, NetworkPolicy, Published
from bridgehead.core.model.network import GatewayMode
from bridgehead.core.plan.diff import diff
from bridgehead.core.plan.objects import State, state
from bridgehead.host.nft.conversation import NETLINK_NETFILTER
from bridgehead.host.nft.plane import FirewallPlane
from bridgehead.host.nft.wire import SUBSYSTEM, Flag, attributes, read_number, received
from tests.core.firewall.policies import policy

SPELLING = NftSpelling()
ONE = policy("br-one", icc=True, internal=False, masquerade=True)
TWO = policy("br-two", icc=False, internal=True, masquerade=True)
WANTED = state(table(), *SPELLING.network(ONE), *SPELLING.network(TWO))
SIX = policy("br-six", prefix="fd00:6::/64")
RICH = NetworkPolicy(
    "br-rich",
    (
        FamilyPolicy(ip_network("10.1.0.0/16"), GatewayMode.NAT, source=ip_address("192.0.2.1")),
        FamilyPolicy(ip_network("fd00:1::/64"), GatewayMode.UNPROTECTED, source=ip_address("2001:db8::1")),
    ),
    icc=False,
    trusted=("wg0", "tailscale0"),
)
GET_GENERATION = 16
NewPlane = Callable[[], FirewallPlane]


def nft(*words: str, script: str = "") -> str:
    command = ["nft", *words] if words else ["nft", "-f", "-"]
    return subprocess.run(
        command, input=script, capture_output=True, text=True, check=True, timeout=20
    ).stdout


def settle(plane: FirewallPlane, wanted: State) -> None:
    assert plane.apply(diff(plane.observe(), wanted)) == {}


def listed(kind: str) -> list[Any]:
    listing = json.loads(nft("-j", "list", "table", "inet", "bridgehead"))["nftables"]
    return [item[kind] for item in listing if kind in item]


def everything() -> State:
    """Every kind of element there is."""
    ends = [("10.1.0.2", "0.0.0.0", "192.0.2.7"), ("fd00:1::2", "::", "2001:db8::7")]
    published = [
        Published(RICH, protocol, ip_address(host), number, ip_address(container), 80, (ONE, SIX))
        for container, *hosts in ends
        for host, number in zip(hosts, (8080, 8081), strict=True)
        for protocol in ("tcp", "udp", "sctp")
    ]
    links = [
        LinkAccept(RICH, ip_address(f"{prefix}3"), ip_address(f"{prefix}2"), "tcp", 5432)
        for prefix in ("10.1.0.", "fd00:1::")
    ]
    return state(
        *WANTED.values(),
        *SPELLING.network(RICH),
        *SPELLING.network(SIX),
        *(element for item in published for element in SPELLING.published(item)),
        *(element for item in links for element in SPELLING.link(item)),
    )


def generation() -> int:
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER) as channel:
        channel.settimeout(5)
        channel.send(struct.pack("=IHHII4x", 20, SUBSYSTEM << 8 | GET_GENERATION, Flag.REQUEST, 1, 0))
        (_, _, _, payload), *_ = received(channel.recv(4096))
    return read_number(attributes(payload[4:])[1])
