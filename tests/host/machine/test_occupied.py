"""What the host uses of the address space, as the kernel shows it now."""

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.support.testhost import Host

pytestmark = pytest.mark.host

_ASK = """
import json
from bridgehead.host.machine.occupied import HostSurroundings
print(json.dumps([[str(one.prefix), one.by] for one in HostSurroundings().occupied({"ours"})]))
"""


@pytest.fixture
def machine() -> Iterator[Host]:
    with Host("occupied") as host:
        host.outside()
        yield host


def _occupied(host: Host) -> dict[str, str]:
    outcome: subprocess.CompletedProcess[str] = host.run(sys.executable, "-c", _ASK)
    return dict(json.loads(outcome.stdout))


def _add_routes(host: Host, *routes: str) -> None:
    for route in routes:
        host.run("ip", *route.split())


def test_a_route_is_seen_as_soon_as_it_is_there(machine: Host) -> None:
    before = _occupied(machine)
    _add_routes(machine, "route add 10.50.0.0/16 via 198.51.100.1")

    after = _occupied(machine)

    assert "10.50.0.0/16" not in before
    assert after["10.50.0.0/16"] == "the route 10.50.0.0/16 via 198.51.100.1 dev uplink"
    assert after["198.51.100.0/24"] == "the route 198.51.100.0/24 dev uplink"


_ASK_TWICE = """
import subprocess, sys
from bridgehead.host.machine.occupied import HostSurroundings
around = HostSurroundings()
def ip(words):
    subprocess.run(["ip", *words.split()], check=True)
def seen():
    return {str(one.prefix) for one in around.occupied({"ours"})}
seen()
for words in sys.argv[1:]:
    ip(words)
    print(sorted(prefix for prefix in seen() if not prefix.startswith("198.51.100.")))
"""


def test_later_changes_are_seen_by_who_looked_before(machine: Host) -> None:
    steps = (
        ("route add 10.50.0.0/16 via 198.51.100.1", "['10.50.0.0/16']"),
        ("link add ours type bridge", "['10.50.0.0/16']"),
        ("address add 10.80.0.1/24 dev ours", "['10.50.0.0/16']"),
        ("link set ours up", "['10.50.0.0/16']"),
        ("address add 10.51.0.1/32 dev lo", "['10.50.0.0/16', '10.51.0.1/32']"),
        ("route del 10.50.0.0/16", "['10.51.0.1/32']"),
        ("link del ours", "['10.51.0.1/32']"),
        ("route add blackhole 10.52.0.0/16", "['10.51.0.1/32', '10.52.0.0/16']"),
        ("-6 route add fd52::/48 dev uplink", "['10.51.0.1/32', '10.52.0.0/16', 'fd52::/48']"),
    )

    shown = machine.run(sys.executable, "-c", _ASK_TWICE, *(words for words, _ in steps)).stdout

    assert shown.splitlines() == [expected for _, expected in steps]


def test_the_way_to_everywhere_is_no_block(machine: Host) -> None:
    _add_routes(
        machine, "route add 0.0.0.0/1 via 198.51.100.1", "-6 route add 2000::/3 dev uplink", "route show"
    )

    found = _occupied(machine)

    assert not {"0.0.0.0/0", "0.0.0.0/1", "2000::/3", "::/0"} & found.keys()


def test_routes_that_refuse_are_blocks_too(machine: Host) -> None:
    _add_routes(machine, "route add blackhole 10.60.0.0/16", "-6 route add blackhole fd60::/48")

    found = _occupied(machine)

    assert found["10.60.0.0/16"] == "the route 10.60.0.0/16"
    assert "fd60::/48" in found


def test_addresses_and_name_servers_of_both_families_count(machine: Host) -> None:
    (machine.folder / "resolv.conf").write_text(
        "nameserver 10.9.9.9\nnameserver fd99::9\nnameserver 127.0.0.1\n"
    )
    _add_routes(machine, "address add 10.70.0.1/32 dev lo", "-6 address add fd70::1/64 dev uplink nodad")

    found = _occupied(machine)

    assert found["10.70.0.1/32"] == "the address 10.70.0.1 of lo"
    assert found["fd70::1/128"] == "the address fd70::1 of uplink"
    assert found["10.9.9.9/32"] == "the name server 10.9.9.9"
    assert found["fd99::9/128"] == "the name server fd99::9"
    assert not any(prefix.startswith(("127.", "fe80", "ff")) for prefix in found)


def test_what_is_on_our_own_interfaces_does_not_count(machine: Host) -> None:
    _add_routes(
        machine,
        "link add ours type bridge",
        "address add 10.80.0.1/24 dev ours",
        "-6 address add fd80::1/64 dev ours nodad",
        "link set ours up",
    )

    assert not any(prefix.startswith(("10.80.", "fd80:")) for prefix in _occupied(machine))


def test_hundreds_of_addresses_are_all_seen(machine: Host) -> None:
    lines = "\n".join(f"address add 10.90.{number}.1/32 dev lo" for number in range(200))
    machine.run("ip", "-batch", "-", stdin=lines)

    found = _occupied(machine)

    assert sum(1 for prefix in found if prefix.startswith("10.90.")) == 200
