"""What passes between networks, the host and the outside, with UDP sockets living in each of them.

pub1, pub2 on br-pub (masqueraded), bare on br-bare (not masqueraded), inner1, inner2 on br-int (internal),
apart1, apart2 on br-iso (no icc), guest on br-foreign (a bridge that is not ours), outside on an uplink
"""

import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from bridgehead.core.firewall.nft import NftSpelling, table
from bridgehead.core.plan.diff import diff
from bridgehead.core.plan.objects import state
from bridgehead.host.namespaces.entering import socket_in
from bridgehead.host.nft.plane import FirewallPlane
from tests.core.firewall.policies import policy
from tests.host.space import make_namespace, own_space

pytestmark = pytest.mark.host

POLICIES = (
    policy("br-pub", icc=True, internal=False, masquerade=True),
    policy("br-bare", icc=True, internal=False, masquerade=False),
    policy("br-int", icc=True, internal=True, masquerade=True),
    policy("br-iso", icc=False, internal=False, masquerade=True),
)
BRIDGES = {"br-pub": 1, "br-bare": 2, "br-int": 3, "br-iso": 4, "br-foreign": 5, "br-uplink": 9}
PLACES = {
    "pub1": ("br-pub", 11),
    "pub2": ("br-pub", 12),
    "bare": ("br-bare", 11),
    "inner1": ("br-int", 11),
    "inner2": ("br-int", 12),
    "apart1": ("br-iso", 11),
    "apart2": ("br-iso", 12),
    "guest": ("br-foreign", 11),
    "outside": ("br-uplink", 11),
}
PORT = 9000
SILENCE_S = 0.15


@dataclass(frozen=True)
class World:
    namespaces: Path

    def send(self, source: str, target: str) -> str | None:
        """The address that `target` sees when `source` greets it and hears back; None if either is lost."""
        with ExitStack() as opened:
            server, client = (opened.enter_context(self._socket(place)) for place in (target, source))
            server.bind(("0.0.0.0", PORT))
            client.connect((address(target), PORT))
            try:
                client.send(b"hello")
                seen = server.recvfrom(10)[1]
                server.sendto(b"well", seen)
                assert client.recv(10) == b"well"
            except (TimeoutError, OSError):
                return None
            return str(seen[0])

    def _socket(self, place: str) -> socket.socket:
        path = str(self.namespaces / place) if place in PLACES else ""
        channel = socket_in(path, socket.AF_INET, socket.SOCK_DGRAM, 0)
        channel.settimeout(SILENCE_S)
        return channel


def address(place: str) -> str:
    """Of a place, or of the host on a bridge."""
    if place in BRIDGES:
        return f"10.77.{BRIDGES[place]}.1"
    bridge, number = PLACES[place]
    return f"10.77.{BRIDGES[bridge]}.{number}"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("netns")
    with own_space(), ExitStack() as opened:
        plane = FirewallPlane(str(folder), socket_in)
        opened.callback(plane.close)
        wanted = state(
            table(), *(element for policy in POLICIES for element in NftSpelling().network(policy))
        )
        assert plane.apply(diff(plane.observe(), wanted)) == {}
        _ip("".join(_bridge(name) for name in BRIDGES))
        for name in ("net/ipv4/ip_forward", "net/bridge/bridge-nf-call-iptables"):
            Path("/proc/sys", name).write_text("1")
        for place in PLACES:
            _attach(place, make_namespace(folder / place))
        yield World(folder)


def _bridge(name: str) -> str:
    return f"link add {name} type bridge\naddress add {address(name)}/24 dev {name}\nlink set {name} up\n"


def _attach(place: str, namespace: str) -> None:
    bridge, _ = PLACES[place]
    outer = f"link add v{place} type veth peer name eth0 netns {namespace}"
    _ip(f"{outer}\nlink set v{place} master {bridge} up\n")
    inner = f"address add {address(place)}/24 dev eth0\nlink set eth0 up"
    _ip(f"{inner}\nroute add default via {address(bridge)}\n", "nsenter", f"--net={namespace}")


def _ip(batch: str, *prefix: str) -> None:
    subprocess.run([*prefix, "ip", "-batch", "-"], input=batch, text=True, check=True, timeout=10)


@pytest.mark.parametrize(
    ("source", "target", "seen_as"),
    [
        ("pub1", "pub2", "pub1"),
        ("inner1", "inner2", "inner1"),
        ("apart1", "apart2", None),
        # Between networks, in both directions.
        ("pub1", "bare", None),
        ("bare", "pub1", None),
        ("pub1", "inner1", None),
        ("inner1", "pub1", None),
        ("apart1", "pub1", None),
        # Out, and who they are there.
        ("pub1", "outside", "br-uplink"),
        ("bare", "outside", "bare"),
        ("apart1", "outside", "br-uplink"),
        ("inner1", "outside", None),
        # In, by routing.
        ("outside", "pub1", None),
        ("outside", "bare", None),
        ("outside", "inner1", None),
        # To the host and from it.
        ("pub1", "br-pub", "pub1"),
        ("inner1", "br-int", "inner1"),
        ("br-pub", "pub1", "br-pub"),
        ("br-int", "inner1", "br-int"),
        # Bridges that are not ours: among others as before, with ours as with anything outside.
        ("guest", "outside", "guest"),
        ("outside", "guest", "outside"),
        ("guest", "pub1", None),
        ("pub1", "guest", "br-foreign"),
    ],
)
def test_who_reaches_whom(world: World, source: str, target: str, seen_as: str | None) -> None:
    expected = address(seen_as) if seen_as else None

    assert expected == world.send(source, target)


def test_a_bridge_of_ours_without_a_verdict_lets_nothing_through(world: World) -> None:
    script = 'delete element inet bridgehead within { "br-pub" . "br-pub" }\n'
    restore = 'add element inet bridgehead within { "br-pub" . "br-pub" : accept }\n'

    subprocess.run(["nft", "-f", "-"], input=script, text=True, check=True, timeout=10)
    try:
        seen = world.send("pub2", "pub1")
    finally:
        subprocess.run(["nft", "-f", "-"], input=restore, text=True, check=True, timeout=10)

    assert seen is None
