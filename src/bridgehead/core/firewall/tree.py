"""Where each iptables rule stands: chains as trees, so that a packet meets few of many rules.

A tree is a function of the set of rules alone: whoever knows the rules knows the chains. Up to `FLAT` rules
stay in the chain they are meant for, where people expect to read them. More are spread by what they match
on (`BRANCHING`), one digit a level: two bits of an address or a port, one letter of an interface's name.
Digits that all rules of a branch share cost no level.
"""

import hashlib
import ipaddress
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple

from bridgehead.core.firewall.iptables_chains import BRANCHING, FIXED_CHAINS, rank
from bridgehead.core.plan.filtering import FirewallRule

FLAT = 16
_LEAF = 8
_END = "$"  # after the last letter of a name: the whole name, and no longer one that begins with it


class Place(NamedTuple):
    """A table of one address family."""

    family: int
    table: str


Chains = dict[str, tuple[str, ...]]
# Each digit is "PART SYMBOL": "-d 01", "-o b", "-p tcp", "--dport 11".
Key = tuple[str, ...]


class _Leaf(NamedTuple):
    key: Key
    rank: int
    text: str


def arrange(rules: Iterable[FirewallRule]) -> dict[Place, Chains]:
    """Every chain that carries rules or is jumped to, with its rules in order."""
    meant: dict[Place, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for rule in rules:
        meant[Place(rule.family, rule.table)][rule.chain].append(rule.text)
    return {place: spread(place, chains) for place, chains in meant.items()}


def spread(place: Place, chains: Mapping[str, Iterable[str]]) -> Chains:
    """The same for one table."""
    found: Chains = {}
    for chain, texts in chains.items():
        found |= grown(place, chain, texts)
    return {name: () for name in targets(found) if name not in found} | found


def targets(chains: Mapping[str, Sequence[str]]) -> list[str]:
    """The fixed chains that rules lead to."""
    ends = {text.rpartition(" ")[2] for texts in chains.values() for text in texts}
    return sorted(ends & FIXED_CHAINS)


def grown(place: Place, chain: str, texts: Iterable[str]) -> Chains:
    """One chain's rules, as that chain and the branches below it."""
    parts = BRANCHING.get((place.table, chain), ())
    leaves = sorted(_Leaf(key_of(parts, text), rank(place.table, chain, text), text) for text in texts)
    tree = _Tree(place.family, chain)
    tree.grow(chain, leaves, 0)
    return tree.chains


@dataclass(slots=True)
class _Tree:
    family: int
    root: str
    chains: Chains = field(default_factory=dict)

    def grow(self, name: str, leaves: Sequence[_Leaf], depth: int) -> None:
        """Put `leaves`, sorted and alike up to `depth`, into the chain `name` and those below it."""
        depth = _agreed(leaves, depth)
        limit = FLAT if name == self.root else _LEAF
        if len(leaves) <= limit or len(leaves[-1].key) == depth:
            self.chains[name] = _texts(leaves)
            return
        self.chains[name] = ()
        loose = [leaf for leaf in leaves if len(leaf.key) == depth]
        closer = [*self._branches(leaves[len(loose) :], depth)]
        # What is matched less closely comes later, as a network after the addresses in it.
        self.chains[name] = (*closer, *_texts(loose))

    def _branches(self, leaves: Sequence[_Leaf], depth: int) -> Iterator[str]:
        for digit, group in groupby(leaves, key=lambda leaf: leaf.key[depth]):
            branch = list(group)
            if len(branch) == 1:
                yield branch[0].text
                continue
            key = branch[0].key
            below = _branch_name(self.root, (*key[:depth], digit))
            yield f"{_condition(self.family, key[: _agreed(branch, depth)], depth)} -j {below}"
            self.grow(below, branch, depth + 1)


def _texts(leaves: Iterable[_Leaf]) -> tuple[str, ...]:
    return tuple(leaf.text for leaf in sorted(leaves, key=lambda leaf: (leaf.rank, leaf.key, leaf.text)))


def _agreed(leaves: Sequence[_Leaf], depth: int) -> int:
    """How many digits all of them share, `depth` at least: as many as the first and the last in order."""
    if not leaves:
        return depth
    first, last = leaves[0].key, leaves[-1].key
    while depth < min(len(first), len(last)) and first[depth] == last[depth]:
        depth += 1
    return depth


def _branch_name(root: str, prefix: Key) -> str:
    """At most 28 letters, which is what iptables takes."""
    return f"{root}.{hashlib.sha256('/'.join(prefix).encode()).hexdigest()[:8]}"


@lru_cache(maxsize=1 << 16)
def key_of(parts: tuple[str, ...], text: str) -> Key:
    """What the rule matches on, as digits; it ends before the first of `parts` that the rule lacks."""
    words = text.split()
    digits: list[str] = []
    for part in parts:
        # "port" is either end's: a rule has one of them.
        names = ("--dport", "--sport") if part == "port" else (part,)
        name = next((item for item in names if item in words), None)
        if name is None or words[words.index(name) - 1] == "!":
            break
        digits += [f"{name} {symbol}" for symbol in _symbols(name, words[words.index(name) + 1])]
    return tuple(digits)


def _symbols(part: str, value: str) -> Sequence[str]:
    match part:
        case "-s" | "-d":
            block = ipaddress.ip_network(value)
            return _pairs(f"{int(block.network_address):0{block.max_prefixlen}b}"[: block.prefixlen])
        case "--dport" | "--sport":
            return _pairs(f"{int(value):016b}") if value.isdigit() else ()
        case "-i" | "-o":
            return (*value, _END)
        case _:
            return (value,)


def _pairs(bits: str) -> list[str]:
    return [bits[start : start + 2] for start in range(0, len(bits) - 1, 2)]


def _condition(family: int, prefix: Key, depth: int) -> str:
    """What a packet must have in common with every rule whose key begins with `prefix`.

    Parts that were tested in full on the way here, before `depth`, are not tested again.
    """
    values: dict[str, str] = {}
    new = set()
    for at, digit in enumerate(prefix):
        part, _, symbol = digit.partition(" ")
        values[part] = values.get(part, "") + symbol
        if at >= depth:
            new.add(part)
    # The test of a port names the protocol.
    if new & {"--dport", "--sport"}:
        new.discard("-p")
    return " ".join(_words(family, part, values) for part in values if part in new)


def _words(family: int, part: str, values: Mapping[str, str]) -> str:
    value = values[part]
    match part:
        case "-s" | "-d":
            block = ipaddress.IPv4Network if family == 4 else ipaddress.IPv6Network
            number = int(value.ljust(32 if family == 4 else 128, "0"), 2)
            return f"{part} {block((number, len(value)))}"
        case "--dport" | "--sport":
            low, high = int(value.ljust(16, "0"), 2), int(value.ljust(16, "1"), 2)
            ports = f"{low}" if low == high else f"{low}:{high}"
            return f"-p {values['-p']} -m {values['-p']} {part} {ports}"
        case "-i" | "-o":
            return f"{part} {value.removesuffix(_END)}" if value.endswith(_END) else f"{part} {value}+"
        case _:
            return f"{part} {value}"
