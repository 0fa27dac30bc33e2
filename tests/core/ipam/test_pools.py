import ipaddress
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridgehead.core.ipam.pools import PREDEFINED_POOLS, Pool, choose, choose_of_size, with_own_ipv6
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


def fill(avoid: list[Prefix], most: int) -> list[Prefix]:
    """Networks until the pools are spent, or `most`."""
    taken: list[Prefix] = []
    covered: list[Prefix] = []  # the same in few pieces, which makes thousands of choices quick
    while len(taken) < most and (found := choose(PREDEFINED_POOLS, covered, avoid)):
        taken.append(found)
        covered = list(ipaddress.collapse_addresses([*covered, found]))  # type: ignore[type-var]
    return taken


@pytest.mark.parametrize(
    ("avoid", "at_least"),
    [
        (["10.0.0.0/8"], 4000),  # a VPN of a company
        (["10.0.0.0/8", "192.168.0.0/16"], 4000),
        (["172.16.0.0/12", "192.168.0.0/16"], 4000),
        (["10.0.0.0/8", "172.16.0.0/12"], 250),  # Docker: 16
        (["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/17"], 100),
    ],
)
def test_blocks_become_smaller_where_the_host_uses_most_of_the_room(avoid: list[str], at_least: int) -> None:
    taken = fill(prefixes(*avoid), at_least)

    assert len(taken) == at_least
    sizes = [block.prefixlen for block in taken]
    assert max(sizes) <= 28


def test_the_last_blocks_are_the_smallest() -> None:
    taken = fill(prefixes("10.0.0.0/8", "172.16.0.0/12"), 10_000)

    assert ipaddress.ip_network("192.168.0.0/20") == taken[0]
    assert taken[-1].prefixlen == 28
    assert choose(PREDEFINED_POOLS, taken, prefixes("10.0.0.0/8", "172.16.0.0/12")) is None


def test_pools_its_owner_chose_are_cut_as_he_said() -> None:
    pools = (Pool(ipaddress.ip_network("10.0.0.0/16"), 24),)
    taken: list[Prefix] = []
    while found := choose(pools, taken):
        taken.append(found)

    assert len(taken) == 256
    assert {block.prefixlen for block in taken} == {24}


BLOCKS = st.builds(
    lambda start, length: ipaddress.ip_network((start, length), strict=False),
    st.integers(min_value=0, max_value=2**32 - 1),
    st.integers(min_value=6, max_value=32),
)


@settings(max_examples=60)
@given(st.lists(BLOCKS, max_size=12), st.integers(min_value=1, max_value=40))
def test_no_block_touches_another_or_what_the_host_uses(avoid: list[Prefix], count: int) -> None:
    taken = fill(avoid, count)

    ordered = sorted((int(block.network_address), int(block.broadcast_address)) for block in taken)
    assert all(before[1] < after[0] for before, after in pairwise(ordered))
    for block in taken:
        assert not any(block.overlaps(other) for other in avoid)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("size", "expected"), [(16, "172.17.0.0/16"), (12, None), (14, "172.20.0.0/14"), (30, "172.17.0.0/30")]
)
def test_a_block_of_a_wanted_size_comes_from_any_pool_that_has_one(size: int, expected: str | None) -> None:
    found = choose_of_size(PREDEFINED_POOLS, size, [])

    if expected is None:
        assert found == ipaddress.ip_network("10.128.0.0/12")
    else:
        assert ipaddress.ip_network(expected) == found


def test_every_host_has_ipv6_blocks_of_its_own_and_keeps_them() -> None:
    one, again, other = (with_own_ipv6((), host) for host in ("a", "a", "b"))

    assert one == again != other
    block = choose(one, [])
    assert block is not None
    assert block.prefixlen == 64
    assert ipaddress.IPv6Network("fd00::/8").supernet_of(block)  # type: ignore[arg-type]
    assert choose(one, [block]) != block


def test_ipv6_pools_its_owner_chose_stand_alone() -> None:
    own = (Pool(ipaddress.ip_network("fd00:1::/48"), 64),)

    assert with_own_ipv6(own, "a") == own
