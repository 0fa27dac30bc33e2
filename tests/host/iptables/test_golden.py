"""iptables takes every line of the golden text, and prints it as it stands there."""

import pytest

from tests.core.firewall.iptables_cases import golden
from tests.host.iptables.conftest import Machine, command

pytestmark = pytest.mark.host
BUILT_IN = {"FORWARD", "PREROUTING", "OUTPUT", "POSTROUTING"}


def _script(lines: list[str], program: str) -> str:
    tables: dict[str, list[str]] = {}
    for words in (line.split(" ", 5) for line in lines):
        if words[0] == program:
            tables.setdefault(words[2], []).append(f"-A {words[4]} {words[5]}")
    return "".join(f"*{table}\n{_chains(rules)}{_joined(rules)}COMMIT\n" for table, rules in tables.items())


def _chains(rules: list[str]) -> str:
    names = {word for rule in rules for word in rule.split() if word.startswith(("DOCKER", "BRIDGEHEAD"))}
    return "".join(f":{name} - [0:0]\n" for name in sorted(names))


def _joined(rules: list[str]) -> str:
    return "".join(f"{rule}\n" for rule in rules)


@pytest.mark.parametrize("name", golden())
def test_iptables_reads_and_writes_the_same(machine: Machine, name: str) -> None:
    for family, program in ((4, "iptables"), (6, "ip6tables")):
        script = _script(golden()[name], program)

        command(f"{program}-{machine.variant}-restore --noflush --test", script=script)
        command(f"{program}-{machine.variant}-restore --noflush", script=script)

        shown = [line for table in ("raw", "nat", "filter") for line in machine.rules(table, family)]
        assert sorted(line for line in script.splitlines() if line.startswith("-A")) == sorted(shown)
