"""Laws of the tree: nothing is lost, order and memory do not matter, and a packet meets few rules."""

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridgehead.core.firewall.iptables import IptablesSpelling
from bridgehead.core.firewall.iptables_chains import BRANCHING, is_branch, root
from bridgehead.core.firewall.rules import FamilyPolicy, NetworkPolicy, Published
from bridgehead.core.firewall.tree import FLAT, Chains, Place, arrange, grown
from bridgehead.core.plan.filtering import FirewallRule

SPELLING = IptablesSpelling()
LETTERS = "abc0123"


def policy(drawn: int) -> NetworkPolicy:
    """One number stands for one network: fifty draws a rule set would cost more than all that is tested."""
    rest, traits = divmod(drawn, 8)
    rest, number = divmod(rest, 1 << 16)
    prefix = f"fd00:{number:x}::/64" if traits & 1 else f"10.{number >> 8}.{number & 255}.0/24"
    return NetworkPolicy(
        f"br-{_name(rest)}",
        (FamilyPolicy(ip_network(prefix)),),
        icc=bool(traits & 2),
        internal=bool(traits & 4),
    )


def _name(drawn: int) -> str:
    """Few letters, so that many names begin alike; 12 of them at most."""
    rest, letter = divmod(drawn, len(LETTERS))
    return LETTERS[letter] + (_name(rest - 1) if rest else "")


def published(networks: list[NetworkPolicy], drawn: int) -> Published:
    rest, host_port = divmod(drawn, 65535)
    rest, port = divmod(rest, 65535)
    rest, container = divmod(rest, 199)
    rest, protocol = divmod(rest, 3)
    rest, special = divmod(rest, 2)
    at, also = divmod(rest, 4)
    own = networks[at % len(networks)]
    hosts = ("0.0.0.0", "192.0.2.1") if own.families[0].prefix.version == 4 else ("::", "2001:db8::1")
    return Published(
        own,
        ("tcp", "udp", "sctp")[protocol],
        ip_address(hosts[special]),
        host_port + 1,
        own.families[0].prefix[container + 2],
        port + 1,
        tuple(networks[(at + step) % len(networks)] for step in range(1, also + 1)),
    )


POLICIES = st.lists(st.integers(0, 8 * (1 << 16) * 7**12 - 1), max_size=30)
_PORT = st.integers(0, 65535**2 * 199 * 6 * 4 * 30 - 1)
PORTS = st.lists(_PORT, max_size=20) | st.lists(_PORT, min_size=FLAT, max_size=60)


@st.composite
def rule_sets(draw: st.DrawFn) -> list[FirewallRule]:
    networks = [policy(drawn) for drawn in draw(POLICIES)]
    found = [*SPELLING.base()]
    for network in networks:
        found += SPELLING.network(network)
    for drawn in draw(PORTS) if networks else ():
        found += SPELLING.published(published(networks, drawn))
    return list(dict.fromkeys(rule for rule in found if isinstance(rule, FirewallRule)))


def leaves(chains: Chains) -> list[tuple[str, str]]:
    return sorted(
        (root(chain), text)
        for chain, texts in chains.items()
        for text in texts
        if not is_branch(text.rpartition(" ")[2])
    )


@given(rule_sets())
def test_every_rule_stands_once_below_the_chain_it_is_meant_for(rules: list[FirewallRule]) -> None:
    arranged = arrange(rules)

    assert sorted((rule.family, rule.table, rule.chain, rule.text) for rule in rules) == sorted(
        (*place, *leaf) for place, chains in arranged.items() for leaf in leaves(chains)
    )


@given(rule_sets(), st.randoms(use_true_random=False))
def test_the_order_of_the_rules_does_not_matter(rules: list[FirewallRule], chance: object) -> None:
    shuffled = list(rules)
    chance.shuffle(shuffled)  # type: ignore[attr-defined] # random.Random, which core tests do not import

    assert arrange(rules) == arrange(shuffled)


@given(rule_sets())
def test_every_branch_is_reached_from_exactly_one_place(rules: list[FirewallRule]) -> None:
    for chains in arrange(rules).values():
        jumps = [text.rpartition(" ")[2] for texts in chains.values() for text in texts]

        assert sorted(filter(is_branch, jumps)) == sorted(filter(is_branch, chains))
        assert all(len(name) <= 28 for name in chains)


@given(rule_sets())
def test_a_branch_is_entered_by_whatever_its_rules_match(rules: list[FirewallRule]) -> None:
    """Each word of a jump's condition is true of each rule below it."""
    for chains in arrange(rules).values():
        for texts in chains.values():
            for text in texts:
                condition, _, target = text.rpartition(" -j ")
                if is_branch(target):
                    for leaf in _below(chains, target):
                        assert _implied(leaf, condition), (leaf, condition)


def _below(chains: Chains, chain: str) -> list[str]:
    found = []
    for text in chains[chain]:
        target = text.rpartition(" ")[2]
        found += _below(chains, target) if is_branch(target) else [text]
    return found


def _implied(rule: str, condition: str) -> bool:
    has, wants = _options(rule), _options(condition)
    for name, value in wants.items():
        match name:
            case "-s" | "-d":
                if not ip_network(has[name]).subnet_of(ip_network(value)):  # type: ignore[arg-type] # one family
                    return False
            case "--dport" | "--sport":
                low, _, high = value.partition(":")
                if not int(low) <= int(has[name]) <= int(high or low):
                    return False
            case "-i" | "-o":
                exact = not value.endswith("+")
                if has[name] != value if exact else not has[name].startswith(value[:-1]):
                    return False
            case _:
                if has[name] != value:
                    return False
    return True


def _options(text: str) -> dict[str, str]:
    words = text.split()
    return {
        word: words[at + 1] for at, word in enumerate(words) if word.startswith("-") and words[at - 1] != "!"
    }


@given(rule_sets())
def test_rules_about_one_thing_keep_their_order(rules: list[FirewallRule]) -> None:
    """A bridge's verdict comes after what is excepted from it, wherever they stand."""
    for chains in arrange(rules).values():
        for texts in chains.values():
            verdicts = [
                at for at, text in enumerate(texts) if text.startswith("-i ") and text.endswith(" -j DROP")
            ]
            for at in verdicts:
                ends = texts[at].removesuffix(" -j DROP")
                assert not any(text.startswith(ends) for text in texts[at + 1 :])


@pytest.mark.parametrize("count", [2, 40])
def test_who_must_come_back_by_the_host_is_told_before_who_may_keep_an_address(count: int) -> None:
    networks = [
        NetworkPolicy(f"br-{at}", (FamilyPolicy(ip_network(f"10.{at}.0.0/23")),)) for at in range(count)
    ]
    anywhere, also = ip_address("0.0.0.0"), tuple(networks[1:])
    rules = [rule for network in networks for rule in SPELLING.network(network)]
    for at in range(count):
        container = networks[0].families[0].prefix[at + 2]
        rules += SPELLING.published(Published(networks[0], "tcp", anywhere, 8000 + at, container, 80, also))
    (chains,) = (
        found
        for place, found in arrange(rule for rule in rules if isinstance(rule, FirewallRule)).items()
        if place.table == "nat"
    )

    met = _below(chains, "BRIDGEHEAD-LEAVING")

    for network in also:
        prefix = network.families[0].prefix
        own = [text.rpartition(" ")[2] for text in met if text.startswith(f"-s {prefix} ")]
        assert own == [*["MASQUERADE"] * count, "ACCEPT", "ACCEPT", "MASQUERADE"]


@pytest.mark.parametrize("count", [1, FLAT])
def test_few_rules_stay_where_people_look(count: int) -> None:
    texts = [_dnat(port) for port in range(5000, 5000 + count)]

    assert {"DOCKER": tuple(texts)} == grown(Place(4, "nat"), "DOCKER", texts)


@pytest.mark.parametrize(("count", "most"), [(100, 20), (1000, 30), (5000, 40), (50000, 50)])
def test_a_new_connection_meets_few_of_many_ports(count: int, most: int) -> None:
    chains = grown(Place(4, "nat"), "DOCKER", [_dnat(port) for port in range(10000, 10000 + count)])

    assert max(_met(chains, 10000 + count * step // 97) for step in range(97)) <= most


@pytest.mark.parametrize(("count", "most"), [(100, 30), (500, 40), (4000, 60)])
def test_a_new_connection_meets_few_of_many_bridges(count: int, most: int) -> None:
    names = [f"br-{number * 2654435761 % (1 << 48):012x}" for number in range(count)]
    texts = [f"-i {name} -o {name} -j {verdict}" for name in names for verdict in ("DOCKER", "ACCEPT")]
    chains = grown(Place(4, "filter"), "BRIDGEHEAD-INWARD", texts)

    def met(chain: str, name: str) -> int:
        number = 0
        for text in chains[chain]:
            number += 1
            out, target = _options(text)["-o"], text.rpartition(" ")[2]
            if is_branch(target) and (name == out or (out.endswith("+") and name.startswith(out[:-1]))):
                number += met(target, name)
        return number

    assert max(met("BRIDGEHEAD-INWARD", name) for name in names) <= most


def test_a_port_more_changes_few_chains() -> None:
    texts = [_dnat(port) for port in range(10000, 15000)]
    before = grown(Place(4, "nat"), "DOCKER", texts)
    after = grown(Place(4, "nat"), "DOCKER", [*texts, _dnat(15000)])

    assert len(before.items() ^ after.items()) <= 12


def test_every_chain_that_branches_is_known_by_its_name() -> None:
    assert all(root(f"{chain}.0123abcd") == chain for _, chain in BRANCHING)
    assert not is_branch("DOCKER.0123abcg")
    assert not is_branch("OTHER.0123abcd")


def _dnat(port: int) -> str:
    return f"! -i docker0 -p tcp -m tcp --dport {port} -j DNAT --to-destination 172.17.0.4:{port}"


def _met(chains: Chains, port: int, chain: str = "DOCKER") -> int:
    """How many rules of `chain` and below a packet to `port` is compared with."""
    number = 0
    for text in chains[chain]:
        number += 1
        low, _, high = _options(text)["--dport"].partition(":")
        target = text.rpartition(" ")[2]
        if int(low) <= port <= int(high or low):
            if not is_branch(target):
                return number
            return number + _met(chains, port, target)
    return number
