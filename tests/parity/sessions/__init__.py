"""What is compared: sessions of docker commands, each on a daemon of its own that has only the image.

A line is the words after `docker`. `until PATTERN: words` repeats them until the output has the pattern;
`sorted: words` compares the lines of the output in alphabetical order, where the daemon promises none.
`machine: words` is a command of the machine's. A line `daemon: flags` has the daemon started just there.

Each module has its sessions, and beside them the differences from Docker 20.10 that we mean to have, each
with its reason; any other fails the test. A line that only one side has must match a rule of its scenario,
and every rule must be needed, so that these tables stay true.
"""

from tests.parity.difference import Difference
from tests.parity.sessions import (
    addressing,
    containers,
    files,
    images,
    lan,
    links,
    networks,
    parameters,
    ports,
    sharing,
)

_MODULES = (networks, addressing, containers, lan, links, images, ports, parameters, sharing, files)
SCENARIOS: dict[str, tuple[str, ...]] = {
    name: commands for module in _MODULES for name, commands in module.SCENARIOS.items()
}
DIFFERENCES: dict[str, tuple[Difference, ...]] = {
    name: rules for module in _MODULES for name, rules in module.DIFFERENCES.items()
}
