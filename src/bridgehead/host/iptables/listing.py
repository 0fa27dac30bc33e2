"""What iptables-save prints, as values."""

from dataclasses import dataclass, field

# Each chain's rules, in order, as they stand after "-A CHAIN ".
Chains = dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Table:
    """`policies`: of the built-in chains alone."""

    chains: Chains = field(default_factory=dict)
    policies: dict[str, str] = field(default_factory=dict)


Listing = dict[str, Table]


def parse(text: str) -> Listing:
    listing: Listing = {}
    table = Table()
    for line in text.splitlines():
        if line.startswith("*"):
            table = listing.setdefault(line[1:], Table())
        elif line.startswith(":"):
            chain, policy = line[1:].split()[:2]
            table.chains.setdefault(chain, [])
            if policy != "-":
                table.policies[chain] = policy
        elif line.startswith("-A "):
            _, chain, rule = line.split(" ", 2)
            table.chains.setdefault(chain, []).append(rule)
    return listing
