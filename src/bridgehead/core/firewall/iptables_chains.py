"""The chains of the iptables spelling: which there are, what stands in them in which order, whose it is.

DOCKER and DOCKER-USER are where people look and put rules of their own, and another dockerd may know them
too. The rest is named after us, so all that stands there is ours. Docker's text leaves no room for a mark, so
in a chain that we share a rule is ours by its shape alone (`shape`), and only if the bridge it names is ours:
that, whoever looks at the machine must add.
"""

import re
from typing import NamedTuple

DEFAULT_BRIDGE = "docker0"
# The group that all bridges of ours are in, so that one rule speaks of all of them.
BRIDGE_GROUP = 0x62726964
FROM_OURS = f"-m devgroup --src-group {BRIDGE_GROUP:#x}"
TO_OURS = f"-m devgroup --dst-group {BRIDGE_GROUP:#x}"
ESTABLISHED = "-m conntrack --ctstate RELATED,ESTABLISHED"
TRANSLATED = "-m conntrack --ctstate DNAT"

USER = "DOCKER-USER"
PUBLISHED = "DOCKER"
FORWARD = "BRIDGEHEAD-FORWARD"
INWARD = "BRIDGEHEAD-INWARD"
INTERNAL = "BRIDGEHEAD-INTERNAL"
HAIRPIN = "BRIDGEHEAD-HAIRPIN"
OUTPUT = "BRIDGEHEAD-OUTPUT"
LEAVING = "BRIDGEHEAD-LEAVING"
LOOPBACK = "BRIDGEHEAD-LOOPBACK"

# Before a table's name: the table of that name in the iptables (legacy or nft) that is not the one in use.
OTHER = "other/"

OWN = frozenset({FORWARD, INWARD, INTERNAL, HAIRPIN, OUTPUT, LEAVING, LOOPBACK})
FIXED_CHAINS = OWN | {USER, PUBLISHED}
_BRANCH = re.compile(rf"({'|'.join(sorted(OWN | {PUBLISHED}, key=len, reverse=True))})\.[0-9a-f]{{8}}")

# What the rules of a chain differ in, most telling part first; `tree` spreads them by it. "port" is of either
# end.
BRANCHING = {
    ("filter", PUBLISHED): ("-d", "-p", "port"),
    ("filter", INWARD): ("-o",),
    ("filter", INTERNAL): ("-i",),
    ("nat", PUBLISHED): ("-p", "port"),
    ("nat", HAIRPIN): ("-p", "port"),
    ("nat", LEAVING): ("-s", "-d"),
}


def root(chain: str) -> str:
    """The chain that a branch grew from; others are their own."""
    found = _BRANCH.fullmatch(chain)
    return found[1] if found else chain


def is_branch(chain: str) -> bool:
    return _BRANCH.fullmatch(chain) is not None


def is_own(chain: str) -> bool:
    """Whether all that stands in it is ours."""
    return chain in OWN or is_branch(chain)


class Shape(NamedTuple):
    """What a rule in a shared chain looks like. `bridge` is the one it names, '' if it names none."""

    rank: int
    bridge: str


_NAME = r"(?P<bridge>\S+)"
_CIDR = r"[0-9a-f.:]+/\d+"
_PORT = r"-p (?P<p>tcp|udp|sctp) -m (?P=p) --(?:dport|sport) \d+"
_LOCAL = r"-m addrtype --dst-type LOCAL"
_OUTSIDE = r"(?:! -d 127\.0\.0\.0/8|! -s fe80::/10)"


def _patterns(*texts: str) -> list[re.Pattern[str]]:
    return [re.compile(text, re.ASCII) for text in texts]


_COMPANIONS = (rf"{FROM_OURS} -j ACCEPT", rf"{TO_OURS} -j ACCEPT")

# In each chain, in the order in which they must stand. Shared chains name all we ever write there.
_ORDER: dict[tuple[str, str], list[re.Pattern[str]]] = {
    ("filter", "FORWARD"): _patterns(
        rf"-j {USER}",
        rf"-j {FORWARD}",
        rf"-i {_NAME} -o (?P=bridge) -j (?:ACCEPT|DROP)",
        *_COMPANIONS,
    ),
    ("filter", PUBLISHED): _patterns(
        rf"-d {_CIDR} ! -i {_NAME} -o (?P=bridge) {_PORT} -j ACCEPT",
        rf"-s {_CIDR} -d {_CIDR} -i {_NAME} -o (?P=bridge) {_PORT} -j ACCEPT",
        rf".* -j {PUBLISHED}\.[0-9a-f]{{8}}",
    ),
    ("filter", FORWARD): _patterns(
        rf".*{ESTABLISHED} -j ACCEPT",
        rf".*-j {INTERNAL}",
        rf".*{TRANSLATED} -j {PUBLISHED}",
        rf"-i {_NAME} -o (?P=bridge) -j {PUBLISHED}",
        rf"-i {_NAME} -o (?P=bridge) .*-j ACCEPT",
        rf"-i {_NAME} -o (?P=bridge) -j RETURN",
        rf".*-j {INWARD}",
        r".*-j DROP",
        r".*-j ACCEPT",
    ),
    ("filter", INWARD): _patterns(
        rf"-i {_NAME} -o (?P=bridge) -j {PUBLISHED}",
        rf"-i {_NAME} -o (?P=bridge) (?:-p|-m) .*-j ACCEPT",
        rf"-i {_NAME} -o (?P=bridge) -j (?:ACCEPT|DROP)",
    ),
    ("nat", "PREROUTING"): _patterns(
        rf"{_OUTSIDE} {_LOCAL} -j {PUBLISHED}", rf"{_OUTSIDE} {_LOCAL} -j {HAIRPIN}"
    ),
    ("nat", "OUTPUT"): _patterns(rf"(?:! -s fe80::/10 ! -d ::1/128 )?{_LOCAL} -j {OUTPUT}"),
    ("nat", PUBLISHED): _patterns(
        rf"-d {_CIDR} ! -i {_NAME} {_PORT} -j DNAT --to-destination \S+",
        rf"! -i {_NAME} {_PORT} -j DNAT --to-destination \S+",
        rf".* -j {PUBLISHED}\.[0-9a-f]{{8}}",
    ),
    ("nat", HAIRPIN): _patterns(r"-d .*", r"-i .*"),
    ("nat", "POSTROUTING"): _patterns(
        rf"-j {LEAVING}",
        rf"-s {_CIDR} ! -o {_NAME} -j (?:MASQUERADE|SNAT --to-source \S+)",
    ),
    ("nat", LEAVING): _patterns(
        r"-s 127\.0\.0\.0/8 .*",
        rf"-s {_CIDR} -d .*-j MASQUERADE",
        rf"-s {_CIDR} -o {_NAME} .*-j MASQUERADE",
        rf"-s {_CIDR} .*-j ACCEPT",
    ),
    ("raw", "PREROUTING"): _patterns(rf"-d 127\.0\.0\.0/8 ! -i lo -j {LOOPBACK}"),
}
_BY_POSITION = {
    ("filter", "FORWARD"),
    ("nat", "PREROUTING"),
    ("nat", "POSTROUTING"),
}
# Other people's bridges stand here in rules of the same shape, as libvirt's; we write of one bridge alone.
_CROWDED = {"FORWARD", "POSTROUTING"}


def is_ordered(table: str, chain: str) -> bool:
    """Whether what is ours in a shared chain must stand in the order of its ranks."""
    return (table.removeprefix(OTHER), chain) in _BY_POSITION


def may_name(chain: str, bridge: str) -> bool:
    """Whether a rule of ours in this shared chain could name this bridge, judged by the name."""
    return chain not in _CROWDED or bridge == DEFAULT_BRIDGE


def rank(table: str, chain: str, text: str) -> int:
    patterns = _ORDER.get((table.removeprefix(OTHER), chain), [])
    return next((at for at, pattern in enumerate(patterns) if pattern.fullmatch(text)), len(patterns))


def shape(table: str, chain: str, text: str) -> Shape | None:
    """None: not a rule that we would write into this shared chain, in whichever variant of iptables."""
    for at, pattern in enumerate(_ORDER.get((table.removeprefix(OTHER), chain), [])):
        if (found := pattern.fullmatch(text)) is not None:
            return Shape(at, found.groupdict().get("bridge", ""))
    return None
