"""The iptables spelling as text, for each option by itself. `tests/host/iptables` has iptables read it."""

from ipaddress import ip_address
from typing import Any

import pytest

from bridgehead.core.firewall.iptables import IptablesSpelling
from bridgehead.core.firewall.iptables_chains import is_own, shape
from bridgehead.core.firewall.nft import NftSpelling
from bridgehead.core.firewall.rules import LinkAccept, NetworkPolicy, Published
from bridgehead.core.model.errors import InvalidParameter
from bridgehead.core.plan.filtering import FirewallRule
from bridgehead.core.plan.objects import state
from tests.core.firewall.iptables_cases import BOTH, CASES, ONE, golden, spelled


def test_every_case_has_its_golden_text() -> None:
    assert list(CASES) == list(golden())


@pytest.mark.parametrize("name", CASES)
def test_the_spelling_reads_as_designed(name: str) -> None:
    assert golden()[name] == spelled(name)


def test_families_that_are_not_ours_get_no_rules() -> None:
    spelling = IptablesSpelling(families=(4,))
    item = Published(BOTH, "tcp", ip_address("::"), 80, ip_address("fd00:17::4"), 80)
    link = LinkAccept(BOTH, ip_address("fd00:17::2"), ip_address("fd00:17::3"), "tcp", 80)

    found = [*spelling.base(), *spelling.network(BOTH), *spelling.published(item), *spelling.link(link)]

    assert {rule.family for rule in found if isinstance(rule, FirewallRule)} == {4}


def test_a_guard_stands_beside() -> None:
    guard = NftSpelling()
    spelling = IptablesSpelling(guard=guard)
    item = Published(ONE, "tcp", ip_address("0.0.0.0"), 80, ip_address("172.17.0.4"), 80)
    link = LinkAccept(ONE, ip_address("172.17.0.2"), ip_address("172.17.0.3"), "tcp", 80)

    found = state(*spelling.base(), *spelling.network(ONE), *spelling.published(item), *spelling.link(link))

    expected = state(*guard.base(), *guard.network(ONE), *guard.published(item), *guard.link(link))
    assert expected == {key: value for key, value in found.items() if not isinstance(value, FirewallRule)}


@pytest.mark.parametrize("names", [{"bridge": "br+"}, {"bridge": "br-1", "trusted": ("wg+",)}])
def test_a_name_that_iptables_reads_as_a_pattern_is_refused_whatever_the_backend(names: Any) -> None:
    with pytest.raises(InvalidParameter):
        NetworkPolicy(**names)


@pytest.mark.parametrize("name", CASES)
def test_whatever_we_write_we_know_again(name: str) -> None:
    for rule in CASES[name]:
        assert isinstance(rule, FirewallRule)
        assert is_own(rule.chain) or shape(rule.table, rule.chain, rule.text) is not None


@pytest.mark.parametrize(
    ("table", "chain", "text"),
    [
        ("filter", "DOCKER", "! -s 8.8.8.8/32 -i docker0 -j DROP"),
        ("filter", "DOCKER", "-d 172.17.0.4/32 -o docker0 -p tcp -m tcp --dport 80 -j ACCEPT"),
        ("filter", "DOCKER", "-d 172.17.0.4/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport 80 -j DROP"),
        ("filter", "DOCKER-USER", "-j RETURN"),
        ("filter", "FORWARD", "-i eth0 -o docker0 -j ACCEPT"),
        ("filter", "FORWARD", "-j DOCKER-ISOLATION-STAGE-1"),
        ("filter", "INPUT", "-j DOCKER-USER"),
        ("nat", "DOCKER", "-i docker0 -j RETURN"),
        ("nat", "PREROUTING", "-m addrtype --dst-type LOCAL -j DOCKER"),
        ("nat", "OUTPUT", "-m addrtype --dst-type LOCAL -j DOCKER"),
        ("nat", "POSTROUTING", "-s 172.17.0.2/32 -d 172.17.0.2/32 -p tcp -m tcp --dport 80 -j MASQUERADE"),
    ],
)
def test_what_others_write_is_not_taken_for_ours(table: str, chain: str, text: str) -> None:
    assert not is_own(chain)
    assert shape(table, chain, text) is None
