import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from bridgehead.core.firewall.iptables_chains import BRIDGE_GROUP
from bridgehead.core.plan.diff import diff
from bridgehead.core.plan.objects import State
from bridgehead.host.iptables.plane import IptablesPlane
from bridgehead.host.iptables.programs import Programs, Variant
from tests.host.space import own_space


@dataclass
class Machine:
    """A network namespace with docker0 and br-two, which are ours, and br-guest, which is not."""

    variant: Variant
    programs: Programs = field(init=False)

    def __post_init__(self) -> None:
        self.programs = Programs(self.variant)

    def run(self, words: str) -> str:
        """An iptables or ip6tables command of this variant."""
        name, rest = words.split(" ", 1)
        return command(f"{name}-{self.variant} {rest}")

    def rules(self, table: str = "filter", family: int = 4) -> list[str]:
        """What `iptables-save` prints of a table's rules: a witness who shares no code with us."""
        name = "iptables" if family == 4 else "ip6tables"
        saved = command(f"{name}-{self.variant}-save -t {table}")
        return [line for line in saved.splitlines() if line.startswith("-A ")]

    def settle(self, plane: IptablesPlane, wanted: State) -> int:
        """Make it so; how many processes that took besides looking."""
        ops = diff(plane.observe(), wanted)
        before = list(plane.child_pids)
        assert plane.apply(ops) == {}
        started = len([pid for pid in plane.child_pids if pid not in before])
        assert diff(plane.observe(), wanted) == []
        return started


def command(words: str, *, script: str | None = None) -> str:
    done = subprocess.run(words.split(), check=True, capture_output=True, text=True, input=script, timeout=30)
    return done.stdout


@pytest.fixture(params=list(Variant))
def machine(request: pytest.FixtureRequest) -> Iterator[Machine]:
    with own_space():
        for name in ("docker0", "br-two"):
            command(f"ip link add {name} group {BRIDGE_GROUP:#x} type bridge")
        command("ip link add br-guest type bridge")
        yield Machine(request.param)


@pytest.fixture
def new_plane(machine: Machine) -> Callable[[], IptablesPlane]:
    """Makes planes that know nothing of one another, as after a restart of the daemon."""
    return lambda: IptablesPlane(Programs(machine.variant))


@pytest.fixture
def plane(new_plane: Callable[[], IptablesPlane]) -> IptablesPlane:
    return new_plane()
