"""Ports of the host that lead to containers: from where they are reached, and under whose address."""

import json
import socket
import struct
import subprocess
from collections.abc import Iterator

import pytest

from bridgehead.host.namespaces.entering import inside as run_inside
from tests.host.nft.world import (
    ON_LOOPBACK,
    ON_UPLINK,
    PLACES,
    PORT,
    PROTOCOLS,
    PUBLISHED,
    VERSIONS,
    World,
    address,
    furnished,
)

pytestmark = pytest.mark.host


@pytest.fixture(scope="module", params=[True, False], ids=["bridged", "unbridged"])
def bridged(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, bridged: bool) -> Iterator[World]:
    with furnished(tmp_path_factory.mktemp("netns"), bridged=bridged) as made:
        yield made


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    ("source", "destination", "port", "seen_as", "seen_as_unbridged"),
    [
        # From outside, the client's address stays.
        ("outside", "br-uplink", 8001, "outside", "outside"),
        ("outside", "br-uplink", 8002, "outside", "outside"),
        ("outside", "br-uplink", 8003, "outside", "outside"),
        ("outside", "br-uplink", 8004, "outside", "outside"),
        ("outside", "br-uplink", 8005, "outside", "outside"),
        ("outside", "br-uplink", 8006, "outside", "outside"),
        ("outside", "br-uplink", 8007, "outside", "outside"),
        ("outside", "br-pub", 8001, "outside", "outside"),
        ("guest", "br-foreign", 8001, "guest", "guest"),
        # From the host, by each of its addresses.
        ("host", "br-uplink", 8001, "br-uplink", "br-uplink"),
        ("host", "br-pub", 8001, "br-pub", "br-pub"),
        ("host", "br-pub", 8002, "br-pub", "br-pub"),
        # From the same network; from oneself only the host's address can work.
        ("pub2", "br-pub", 8001, "pub2", "br-pub"),
        ("pub2", "br-uplink", 8001, "pub2", "br-pub"),
        ("pub1", "br-pub", 8001, "br-pub", "br-pub"),
        ("pub1", "br-uplink", 8001, "br-pub", "br-pub"),
        ("apart2", "br-iso", 8002, "apart2", "br-iso"),
        ("apart1", "br-uplink", 8002, "br-iso", "br-iso"),
        # From other networks, the client's address stays.
        ("bare", "br-uplink", 8001, "bare", "bare"),
        ("bare", "br-bare", 8002, "bare", "bare"),
        ("apart1", "br-iso", 8001, "apart1", "apart1"),
        ("pub1", "br-pub", 8002, "pub1", "pub1"),
        ("loose", "br-uplink", 8001, "loose", "loose"),
        ("named", "br-uplink", 8001, "named", "named"),
        # The client has a second leg elsewhere.
        ("multi", "br-uplink", 8002, "multi", "multi"),
        ("multi", "br-uplink", 8007, "multi", "multi"),
        ("open", "br-uplink", 8001, "open", "open"),
        # From a network that the published container has a second leg in, and from its own.
        ("loose", "br-uplink", 8003, "br-pub", "br-pub"),
        ("pub2", "br-uplink", 8003, "pub2", "br-pub"),
        ("host", "br-loose", 8003, "br-pub", "br-pub"),
        # Internal networks: neither out to a published port nor in by one.
        ("inner1", "br-int", 8001, None, None),
        ("outside", "br-uplink", 8008, None, None),
        # On one address only.
        ("outside", "br-uplink", ON_UPLINK, "outside", "outside"),
        ("outside", "br-pub", ON_UPLINK, None, None),
        ("host", "br-uplink", ON_UPLINK, "br-uplink", "br-uplink"),
        ("host", "loopback", ON_UPLINK, None, None),
        ("outside", "br-uplink", ON_LOOPBACK, None, None),
        ("host", "br-uplink", ON_LOOPBACK, None, None),
    ],
)
def test_a_published_port_is_reached(
    world: World,
    bridged: bool,
    source: str,
    destination: str,
    port: int,
    seen_as: str | None,
    seen_as_unbridged: str | None,
    protocol: str,
    version: int,
) -> None:
    target = PUBLISHED.get(port, "pub1")
    expected = seen_as if bridged else seen_as_unbridged

    seen = world.seen(source, target, address(destination, version), port, protocol=protocol, version=version)

    assert seen == (address(expected, version) if expected else None)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    ("port", "seen_as"), [(8001, "br-pub"), (8002, "br-iso"), (8004, "br-bare"), (ON_LOOPBACK, "br-pub")]
)
def test_localhost_leads_to_a_container(world: World, port: int, seen_as: str, protocol: str) -> None:
    seen = world.seen("host", PUBLISHED.get(port, "pub1"), "127.0.0.1", port, protocol=protocol, version=4)

    assert seen == address(seen_as)


def test_ipv6_localhost_is_left_to_whoever_listens_there(world: World) -> None:
    with world.socket("host", "tcp", 6) as listener, world.socket("host", "tcp", 6) as client:
        listener.bind(("::1", 8001))
        listener.listen()

        client.connect(("::1", 8001))

        listener.accept()[0].close()


def crafted(source: str, destination: str, source_port: int, port: int) -> bytes:
    """An IPv4 UDP packet of which no socket would let one choose every field."""
    payload = b"hello"
    datagram = struct.pack(">HHHH", source_port, port, 8 + len(payload), 0) + payload
    ends = socket.inet_aton(source) + socket.inet_aton(destination)
    header = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(datagram), 1, 0, 64, 17, 0) + ends
    total = sum(struct.unpack(">10H", header))
    total = (total & 0xFFFF) + (total >> 16)
    checksum = ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF
    return header[:10] + struct.pack(">H", checksum) + header[12:] + datagram


def send_crafted(world: World, place: str, packet: bytes) -> None:
    """Through the place's interface, straight to the host's MAC, whatever the routing there says."""

    def send() -> None:
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0x0800) as wire:
            wire.bind(("eth0", 0x0800))
            wire.send(gateway + wire.getsockname()[4] + b"\x08\x00" + packet)

    shown = subprocess.run(
        ["ip", "-j", "link", "show", PLACES[place][0]], capture_output=True, check=True, timeout=10
    )
    gateway = bytes.fromhex(json.loads(shown.stdout)[0]["address"].replace(":", ""))
    run_inside(str(world.namespaces / place), send)


@pytest.mark.parametrize("place", ["outside", "pub2", "apart2"])
def test_a_crafted_packet_does_not_reach_what_is_published_on_localhost(world: World, place: str) -> None:
    with world.socket("pub1", "udp", 4) as container, world.socket("host", "udp", 4) as listener:
        container.bind(("0.0.0.0", PORT))
        listener.bind(("127.0.0.1", ON_LOOPBACK))

        send_crafted(world, place, crafted(address(place), "127.0.0.1", 4000, ON_LOOPBACK))

        for channel in (container, listener):
            with pytest.raises(TimeoutError):
                channel.recv(10)


def test_a_container_cannot_pretend_to_be_localhost(world: World) -> None:
    with world.socket("host", "udp", 4) as listener:
        listener.bind((address("br-pub"), PORT))

        send_crafted(world, "pub2", crafted("127.0.0.1", address("br-pub"), 4000, PORT))
        with pytest.raises(TimeoutError):
            listener.recv(10)
        send_crafted(world, "pub2", crafted(address("pub2"), address("br-pub"), 4000, PORT))

        assert listener.recv(10) == b"hello"
