import ipaddress

import pytest

from bridgehead.core.ipam.pools import PREDEFINED_POOLS, Pool, choose
from bridgehead.core.model.addresses import Prefix


def prefixes(*texts: str) -> list[Prefix]:
    return [ipaddress.ip_network(text) for text in texts]


def chosen(given: list[Prefix], avoid: list[Prefix] | None = None) -> Prefix:
    found = choose(PREDEFINED_POOLS, given, avoid or [])
    assert found is not None
    return found


def test_the_first_networks_get_dockers_addresses() -> None:
    taken = prefixes("172.17.0.0/16")

    for expected in ("172.18.0.0/16", "172.19.0.0/16", "172.20.0.0/16", "172.21.0.0/16"):
        taken.append(chosen(taken))
        assert ipaddress.ip_network(expected) == taken[-1]


def test_after_dockers_thirty_there_are_thousands_more() -> None:
    taken: list[Prefix] = []

    for _ in range(600):
        taken.append(chosen(taken))

    assert len(set(taken)) == 600
    assert ipaddress.ip_network("192.168.240.0/20") == taken[30]
    assert ipaddress.ip_network("10.128.0.0/24") == taken[31]
    assert not any(one.overlaps(other) for one in taken[:40] for other in taken[:40] if one is not other)


@pytest.mark.parametrize(
    ("taken", "expected"),
    [
        (["172.16.0.0/12"], "192.168.0.0/20"),
        (["172.17.255.0/24", "172.18.4.4/32"], "172.19.0.0/16"),
        (["0.0.0.0/1"], "172.17.0.0/16"),
        (["172.17.0.0/16", "172.18.0.0/16", "172.20.0.0/16"], "172.19.0.0/16"),
    ],
)
def test_whatever_is_in_the_way_is_stepped_over(taken: list[str], expected: str) -> None:
    assert ipaddress.ip_network(expected) == chosen([], prefixes(*taken))


def test_pools_of_a_fixed_size_are_spent_when_their_blocks_are() -> None:
    pools = (Pool(ipaddress.ip_network("10.0.0.0/24"), 25),)

    assert choose(pools, prefixes("10.0.0.0/25", "10.0.0.128/25")) is None
