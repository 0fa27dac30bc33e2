"""The differences from Docker 20.10 that we mean to have, each with its reason; any other fails the test.

A line that only one side has must match a rule of its scenario, and every rule must be needed, so that this
table stays true.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher

from tests.parity.normalise import Normaliser
from tests.parity.session import Step


@dataclass(frozen=True, slots=True)
class Difference:
    """`oracle` and `ours` are patterns of whole lines that only that side shows; '' when there is none."""

    why: str
    oracle: str = ""
    ours: str = ""


@dataclass(slots=True)
class Comparison:
    """Unexplained lines by command, and the rules that were never needed."""

    unexplained: list[str] = field(default_factory=list)
    unused: list[Difference] = field(default_factory=list)

    @property
    def report(self) -> str:
        idle = [f"rule without a use: {rule}" for rule in self.unused]
        return "\n".join([*self.unexplained, *idle])


def compare(oracle: Iterable[Step], ours: Iterable[Step], rules: Iterable[Difference]) -> Comparison:
    pending = {(rule, side) for rule in rules for side in ("oracle", "ours") if getattr(rule, side)}
    wanted = tuple(pending)
    result = Comparison()
    masks = Normaliser(), Normaliser()
    for reference, actual in zip(oracle, ours, strict=True):
        strange = []
        lines = map(Normaliser.lines, masks, (reference.answer, actual.answer))
        for side, line in _only_one_side(
            *(sorted(shown) if reference.unordered else shown for shown in lines)
        ):
            matching = {
                (rule, at) for rule, at in wanted if at == side and re.fullmatch(getattr(rule, at), line)
            }
            pending -= matching
            if not matching:
                strange.append(f"  only {side}: {line}")
        if strange:
            result.unexplained += [f"$ docker {reference.command}", *strange]
    result.unused = sorted({rule for rule, _ in pending}, key=lambda rule: rule.why)
    return result


def _only_one_side(oracle: Sequence[str], ours: Sequence[str]) -> Iterable[tuple[str, str]]:
    for tag, start, end, our_start, our_end in SequenceMatcher(None, oracle, ours, False).get_opcodes():
        if tag != "equal":
            yield from (("oracle", line) for line in oracle[start:end])
            yield from (("ours", line) for line in ours[our_start:our_end])


_LOOPBACK_V6 = Difference(
    "the loopback interface keeps ::1, as Docker 27 and later",
    ours=r"out  (inet6 ::1/128 scope host|valid_lft forever preferred_lft forever)",
)
_FILTER_CASE = Difference(
    "the wording of Docker 23 and later",
    oracle=r"err Error response from daemon: Invalid filter '.*'",
    ours=r"err Error response from daemon: invalid filter '.*'",
)
_GATHERED = Difference(
    "as Docker 25 and later, everything wrong with an endpoint is said at once, under one heading",
    oracle=r"err (docker: )?Error .*: (user specified IP address is .*|invalid IPv4 address: .*)",
    ours=r"err ((docker: )?Error .*: invalid endpoint settings:|user specified IP .*|invalid IPv4 .*)",
)
_HOLDER = Difference(
    "an address in use is said with its holder",
    oracle=r"err (docker: )?Error response from daemon: Address already in use",
    ours=r"err (docker: )?Error response from daemon: Address already in use: \S+ is .*",
)

_EXEC_GOES_ON = Difference(
    "exec works on while a source is down, and sees neither its variables nor its name",
    oracle=r"exit 1|err Error response from daemon: Cannot link to a non running container: .*",
    ours=r"exit 0|out (127|::1|f[ef]0|172\.17|HOME|PATH|HOSTNAME)\S*( .*)?|err ping: bad address 'webdb'",
)

DIFFERENCES: dict[str, tuple[Difference, ...]] = {
    "chapter": (
        _LOOPBACK_V6,
        Difference(
            "as in Docker 29, a network in use is said with its users",
            oracle=r"err Error response from daemon: .* network backend id ID\d+ has active endpoints",
            ours=r'err Error .* active endpoints \(name:"container1" id:"ID\d+", name:"container2" .*\)',
        ),
    ),
    "default-bridge": (
        _LOOPBACK_V6,
        _GATHERED,
        Difference(
            "the gateway that the default bridge has is shown, as Docker does from its second start on",
            oracle=r'out  "Subnet": "172.17.0.0/16"',
            ours=r'out  "(Subnet": "172.17.0.0/16",|Gateway": "172.17.0.1")',
        ),
        Difference(
            "the mount's source says whose it is",
            oracle=r"out overlay on / OPTIONS",
            ours=r"out bridgehead on / type overlay .*",
        ),
        Difference(
            "masked as in Docker 28 and later: it lets one container watch the others",
            ours=r"out tmpfs on /proc/interrupts type tmpfs .*",
        ),
    ),
    "network-objects": (_FILTER_CASE,),
    "network-errors": (
        Difference(
            "as Docker 25 and later, a subnet is checked before anything is made, and host bits are refused",
            oracle=r"err Error response from daemon: Invalid subnet nonsense .*|exit 0|out ID|out hostbits",
            ours=r"err (Error response from daemon: invalid network config:|invalid subnet .*)|exit 1",
        ),
        Difference(
            "what is wrong with the request itself comes before what is in its way",
            oracle=r"err Error response from daemon: Pool overlaps with other one on this address space",
            ours=r"err Error response from daemon: bridge driver doesn't support multiple subnets",
        ),
        Difference(
            "a subnet in use is said with its holder",
            oracle=r"err Error response from daemon: Pool overlaps with other one on this address space",
            ours=r"err Error .* Pool overlaps .*: \S+ overlaps \S+ of network (taken|bridge)",
        ),
    ),
    "connect": (
        _LOOPBACK_V6,
        _HOLDER,
        Difference(
            "the wording of Docker 28: it says what to do",
            oracle=r"err Error .* container cannot be disconnected from host network or connected .*",
            ours=r"err Error .* cannot connect container to host network - container must be created in .*",
        ),
        Difference(
            "as Docker 28 and later, an interface takes the lowest free number",
            oracle=r"out .* dev eth2( .*)?",
            ours=r"out .* dev eth0( .*)?",
        ),
    ),
    "stopped": (
        Difference(
            "a network that is gone is called by its name",
            oracle=r"err Error response from daemon: network ID\d+ not found",
            ours=r"err Error response from daemon: network blue not found",
        ),
    ),
    "internal": (
        Difference(
            "as Docker 25 and later, an internal network gives no default route",
            oracle=r"out( --- .* ping statistics ---| 1 packets transmitted, 0 packets received, .*)?",
            ours=r"err ping: sendto: Network is unreachable",
        ),
    ),
    "static-addresses": (
        _GATHERED,
        _HOLDER,
        Difference(
            "the wording of Docker 29",
            oracle=r"err .* Invalid address 10.31.0.9: It does not belong to any of this network's subnets",
            ours=r"err no configured subnet contains IP address 10.31.0.9",
        ),
        Difference(
            "an address that cannot be had is refused before a container is made, so none is left behind",
            oracle=r"exit 0|out three|out ID",
            ours=r"exit 1|err Error response from daemon: No such container: three",
        ),
    ),
    "exit-codes": (
        Difference(
            "nothing is pulled by this version",
            oracle=r"err docker: Error response from daemon: Get .*registry-1.docker.io.*",
            ours=r"err docker: Error response from daemon: cannot pull .*: pulling is not built yet; .*",
        ),
    ),
    "life": (
        Difference(
            "what exec cannot start is told on standard error, and a missing command gives 127, as in run",
            oracle=r"(out OCI runtime exec failed: .*|exit 126)",
            ours=r"(err OCI runtime exec failed: .*|exit 127)",
        ),
        Difference(
            "the wording of Docker 23 and later",
            oracle=r"err Error .* (Container ID\d+ is .*|You cannot remove .*|Invalid signal: .*)",
            ours=r"err Error .* (container ID\d+ is .*|cannot remove container .*|invalid signal: NONSENSE)",
        ),
    ),
    "lists": (_FILTER_CASE,),
    "links": (
        Difference(
            "a row of consecutive ports ends where its protocol does",
            oracle=r"out \w+_PORT_8000_UDP(_PORT)?_END=.*8003",
            ours=r"out \w+_PORT_8000_TCP(_PORT)?_END=.*8002",
        ),
        Difference(
            "a link ends with its source",
            oracle=r"out /data:/front/db",
        ),
        _EXEC_GOES_ON,
    ),
    "links-restart": (_EXEC_GOES_ON,),
}
