"""Who reaches whom at their own addresses, between networks, the host and the outside, with real packets."""

import subprocess
from collections.abc import Iterator

import pytest

from tests.host.nft.world import (
    CLOSED,
    LINKED,
    PORT,
    PROTOCOLS,
    VERSIONS,
    World,
    address,
    furnished,
)

pytestmark = pytest.mark.host


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with furnished(tmp_path_factory.mktemp("netns"), bridged=True) as made:
        yield made


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    ("source", "target", "port", "seen_as"),
    [
        # Within one network.
        ("pub1", "pub2", CLOSED, "pub1"),
        ("inner1", "inner2", CLOSED, "inner1"),
        ("apart1", "apart2", PORT, None),
        # With a link: one way, one port, one pair.
        ("apart2", "apart1", LINKED, "apart2"),
        ("apart2", "apart1", CLOSED, None),
        ("apart1", "apart2", LINKED, None),
        ("apart3", "apart1", LINKED, None),
        # Between networks: what is published is not open at the container's own address. Who comes in keeps
        # the address.
        ("pub1", "bare", PORT, None),
        ("bare", "pub1", PORT, None),
        ("pub1", "inner1", PORT, None),
        ("inner1", "pub1", PORT, None),
        ("apart1", "pub1", PORT, None),
        ("inner1", "loose", PORT, None),
        ("inner1", "open", PORT, None),
        ("loose", "pub1", PORT, None),
        ("open", "pub1", PORT, None),
        ("pub1", "loose", CLOSED, "pub1"),
        ("pub1", "open", PORT, "pub1"),
        ("pub1", "open", CLOSED, None),
        ("pub1", "direct", PORT, "pub1"),
        ("bare", "direct", PORT, "bare"),
        ("pub1", "direct", CLOSED, None),
        ("pub1", "shy", PORT, None),
        # Out, and who they are there.
        ("pub1", "outside", PORT, "br-uplink"),
        ("bare", "outside", PORT, "bare"),
        ("named", "outside", PORT, "br-friends"),
        ("apart1", "outside", PORT, "br-uplink"),
        ("loose", "outside", PORT, "br-uplink"),
        ("open", "outside", PORT, "open"),
        ("inner1", "outside", PORT, None),
        # In, by routing.
        ("outside", "pub1", PORT, None),
        ("outside", "pub1", CLOSED, None),
        ("outside", "bare", PORT, None),
        ("outside", "inner1", PORT, None),
        ("outside", "apart1", LINKED, None),
        ("outside", "loose", CLOSED, "outside"),
        ("outside", "open", PORT, "outside"),
        ("outside", "open", CLOSED, None),
        ("outside", "direct", PORT, "outside"),
        ("outside", "direct", CLOSED, None),
        ("outside", "shy", PORT, None),
        ("friend", "shy", PORT, "friend"),
        ("friend", "shy", CLOSED, None),
        ("friend", "pub1", PORT, None),
        # To the host and from it, which nothing filters.
        ("pub1", "br-pub", CLOSED, "pub1"),
        ("inner1", "br-int", CLOSED, "inner1"),
        ("br-pub", "pub1", CLOSED, "br-pub"),
        ("br-int", "inner1", CLOSED, "br-int"),
        ("br-iso", "apart1", CLOSED, "br-iso"),
        # Bridges that are not ours: among others as before, with ours as with anything outside.
        ("guest", "outside", PORT, "guest"),
        ("outside", "guest", PORT, "outside"),
        ("guest", "pub1", PORT, None),
        ("pub1", "guest", PORT, "br-foreign"),
    ],
)
def test_who_reaches_whom(
    world: World, source: str, target: str, port: int, seen_as: str | None, protocol: str, version: int
) -> None:
    expected = address(seen_as, version) if seen_as else None

    seen = world.seen(source, target, address(target, version), port, protocol=protocol, version=version)

    assert seen == expected


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("source", "target", "answers"),
    [
        ("outside", "open", True),
        ("pub1", "open", True),
        ("outside", "loose", True),
        ("outside", "pub1", False),
        ("outside", "direct", False),
        ("pub1", "outside", True),
        ("pub1", "pub2", True),
        ("apart1", "apart2", False),
        ("inner1", "outside", False),
    ],
)
def test_who_answers_pings(world: World, source: str, target: str, answers: bool, version: int) -> None:
    command = ["ping", "-c1", "-W0.3", "-n", address(target, version)]

    done = subprocess.run(
        ["nsenter", f"--net={world.namespaces / source}", *command],
        capture_output=True,
        timeout=10,
        check=False,
    )

    assert (done.returncode == 0) is answers


def test_what_a_container_forwards_for_others_keeps_its_address(world: World) -> None:
    subprocess.run(
        [
            "nsenter",
            f"--net={world.namespaces / 'pub1'}",
            "ip",
            "address",
            "add",
            "10.99.0.1/32",
            "dev",
            "lo",
        ],
        check=True,
        timeout=10,
    )
    subprocess.run(["ip", "route", "add", "10.99.0.1/32", "via", address("pub1")], check=True, timeout=10)
    with (
        world.socket("outside", "udp", 4) as server,
        world.socket("pub1", "udp", 4) as client,
    ):
        server.bind(("0.0.0.0", PORT))
        client.bind(("10.99.0.1", 0))
        client.sendto(b"hello", (address("outside"), PORT))

        seen = server.recvfrom(10)[1][0]

    assert seen == "10.99.0.1"
