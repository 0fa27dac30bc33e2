"""Taking it all down, and proof that nothing is left: on the example's machine, and on ours."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.support.testhost import cgroups_named

from demo.figure import CONTAINERS, DRIVERS, PREDEFINED
from demo.narrator import Narrator
from demo.stage import Stage

SETTLE_S = 5
COMPANIONS = ("bridgehead.host.resolver", "bridgehead.host.ports")


@dataclass(frozen=True, slots=True)
class Machine:
    """What the example could leave behind outside of its own namespaces."""

    links: frozenset[str]
    mounts: frozenset[str]
    named_namespaces: frozenset[str]
    folders: frozenset[str]


def machine() -> Machine:
    mounts = Path("/proc/self/mounts").read_text().splitlines()
    return Machine(
        links=_names("/sys/class/net"),
        mounts=frozenset(line.split()[1] for line in mounts if "bh-demo-" in line),
        named_namespaces=_names("/run/netns"),
        folders=frozenset(str(path) for path in Path("/tmp").glob("bh-demo-*")),
    )


def _names(folder: str) -> frozenset[str]:
    path = Path(folder)
    return frozenset(entry.name for entry in path.iterdir()) if path.is_dir() else frozenset()


def take_down(stage: Stage) -> None:
    say = stage.narrator
    say.heading("All of it taken down")
    identifiers = [stage.inspect("inspect", name)["Id"] for name in (*CONTAINERS, "con1")]
    networks = [name for name in DRIVERS if name not in PREDEFINED]
    removals = {
        "containers": ("rm", "-f", *CONTAINERS, "con1"),
        "networks": ("network", "rm", *networks),
        "image": ("rmi", "busybox"),
    }
    for what, words in removals.items():
        say.check(f"the {what} can be removed", expected=0, found=stage.run(*words).code)
    _check_links(stage)
    groups = [str(path) for container in identifiers for path in cgroups_named(container)]
    say.check("no control group is left", expected=[], found=groups)
    say.check("no mount is left", expected=[], found=_until_empty(lambda: _mounts(stage)))
    stage.narrator.command("kill $(cat /run/bridgehead.pid)")
    stage.daemon.stop()
    say.check(
        "no process is left, but for companions that serve nobody and end within a minute",
        expected=[],
        found=_until_empty(lambda: _processes(stage)),
    )


def _processes(stage: Stage) -> list[str]:
    """Without the daemon's companions."""
    names = stage.host.processes().values()
    return [name for name in names if not any(companion in name for companion in COMPANIONS)]


def _check_links(stage: Stage) -> None:
    found = json.loads(stage.host.run("ip", "-json", "link").stdout)
    names = sorted(link["ifname"] for link in found)
    stage.narrator.check("only docker0 is left", expected=["docker0", "lo", "uplink"], found=names)


def _mounts(stage: Stage) -> list[str]:
    """Container mounts: file systems, namespaces; not what the test host itself mounted."""
    marks = ("netns", "overlay", "merged", "rootfs")
    return [path for path in stage.host.mounts() if any(mark in path for mark in marks)]


def _until_empty(look: Callable[[], list[str]]) -> list[str]:
    deadline = time.monotonic() + SETTLE_S
    while (found := look()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return list(found)


def check_machine(narrator: Narrator, before: Machine) -> None:
    """Ours is as it was. Other people's work beside us may only have added to it."""
    after = machine()
    narrator.heading("The machine we started from")
    for kind in ("links", "mounts", "named_namespaces", "folders"):
        extra = sorted(getattr(after, kind) - getattr(before, kind))
        narrator.check(f"no new {kind.replace('_', ' ')}", expected=[], found=extra)
