"""Random requests for every route: no fault of ours, no hang, nothing left behind, no secret told.

BRIDGEHEAD_FUZZ is the number of requests for each route, BRIDGEHEAD_FUZZ_SEED another seed: `script/fuzz`.
"""

import asyncio
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

import pytest

from tests.client.hostile.asking import Outcome, ask
from tests.client.hostile.requests import CREDENTIALS, Asked, asked, routes
from tests.client.hostile.words import PASSWORD
from tests.support import image
from tests.support.bridgehead import bridgehead
from tests.support.daemon import Daemon
from tests.support.testhost import Host
from tests.support.wait import until

COUNT = int(os.environ.get("BRIDGEHEAD_FUZZ", "25"))
SEED = int(os.environ.get("BRIDGEHEAD_FUZZ_SEED", "6"))
_SIDE_BY_SIDE = 8
_BATCH = 200
_PATIENCE_S = 30.0
_MOST_GROWTH_KIB = 48 << 10
SECRETS = (PASSWORD, CREDENTIALS[:-3])
_STEADY = ["sh", "-c", "trap 'exit 0' TERM INT; while :; do sleep 0.1; done"]

pytestmark = [pytest.mark.host, pytest.mark.timeout(120 + COUNT * len(routes()))]
# What the machine itself refuses, as dockerd answers it.
_HONEST = ("port is already allocated", "OCI runtime", "failed to create", "failed to bind", "cannot connect")


@dataclass
class Verdict:
    statuses: Counter[int] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def judge(self, sent: Asked, outcome: Outcome) -> None:
        self.statuses[outcome.status] += 1
        told = outcome.body.decode(errors="replace")
        if outcome.hung:
            self.wrong.append(f"HANG {sent.sent[:2000]!r}")
        elif outcome.status == 0 and sent.wellformed:
            self.wrong.append(f"NO ANSWER {sent.sent[:2000]!r}")
        elif outcome.status == 500 and not any(words in told for words in _HONEST):
            self.wrong.append(f"500 {told.strip()} {sent.sent[:2000]!r}")


@pytest.fixture
def talkative(host: Host) -> Iterator[Daemon]:
    """It logs all that it ever would."""
    host.run("ip", "netns", "add", "odd")
    with bridgehead(host, "-D") as daemon:
        yield daemon


def test_no_request_does_harm(talkative: Daemon) -> None:
    daemon = talkative
    furnish(daemon)
    batch(daemon, Random(SEED), warm_up=True)
    restore(daemon)
    before, memory = holdings(daemon), resident_kib(daemon)

    verdict = batch(daemon, Random(SEED))

    restore(daemon)
    print(f"{sum(verdict.statuses.values())} requests, {sorted(verdict.statuses.items())}")
    assert not verdict.wrong, f"{len(verdict.wrong)} wrong:\n" + "\n".join(verdict.wrong[:60])
    until(lambda: no_more(holdings(daemon), before), f"no more files and tasks than {before}", _PATIENCE_S)
    assert resident_kib(daemon) < memory + _MOST_GROWTH_KIB
    whole = daemon.log_path.read_text(errors="replace")
    assert "Traceback" not in whole, whole[whole.index("Traceback") - 500 :][:5000]
    assert not [secret for secret in SECRETS if secret in whole]


def batch(daemon: Daemon, dice: Random, *, warm_up: bool = False) -> Verdict:
    """Routes in turn, so that each meets what the others left."""
    verdict = Verdict()
    every = [route for _ in range(3 if warm_up else COUNT) for route in routes()]
    for start in range(0, len(every), _BATCH):
        furnish(daemon)
        present = known(daemon)
        requests = [asked(dice, *route, present) for route in every[start : start + _BATCH]]
        asyncio.run(_send(daemon, requests, verdict))
        assert daemon.running, daemon.log()
    return verdict


async def _send(daemon: Daemon, requests: Sequence[Asked], verdict: Verdict) -> None:
    waiting = list(reversed(requests))

    async def work() -> None:
        while waiting:
            request = waiting.pop()
            verdict.judge(request, await ask(daemon.socket, request))

    await asyncio.gather(*(work() for _ in range(_SIDE_BY_SIDE)))


def furnish(daemon: Daemon) -> None:
    """What most requests name is there: an image, a network, a container that runs and one that does not."""
    if daemon.call("GET", f"/images/{image.NAME}/json")[0] != 200:
        daemon.import_image()
    daemon.call("POST", "/networks/create", {"Name": "lan"})
    # A published port and a network with names: the companions are then there from the beginning.
    published = {"NetworkMode": "lan", "PortBindings": {"80/tcp": [{"HostPort": "8099"}]}}
    for name, wishes in (("steady", published), ("idle", {})):
        body = {"Image": image.NAME, "Cmd": _STEADY, "HostConfig": wishes}
        daemon.call("POST", f"/containers/create?name={name}", body)
    daemon.call("POST", "/containers/steady/unpause")
    daemon.call("POST", "/containers/steady/start")


def known(daemon: Daemon) -> Mapping[str, Sequence[str]]:
    executions = [
        daemon.call("POST", "/containers/steady/exec", {"Cmd": command, "AttachStdout": True})[1]
        for command in (["true"], ["cat"], ["nosuch"])
    ]
    containers = [each["Id"] for each in daemon.call("GET", "/containers/json?all=1")[1]]
    networks = [each["Id"] for each in daemon.call("GET", "/networks")[1]]
    return {
        "containers": ["steady", "steady", "steady", "idle", *containers[:3]],
        "networks": ["lan", "lan", "bridge", *networks[:3]],
        "images": [image.NAME],
        "exec": [each["Id"] for each in executions if "Id" in each],
        "volumes": [each["Name"] for each in daemon.call("GET", "/volumes")[1]["Volumes"] or []][:3],
        "sandboxes": [each["Id"] for each in daemon.call("GET", "/sandboxes")[1]][:3],
    }


def restore(daemon: Daemon) -> None:
    """Everything removed again but what was furnished."""
    for each in daemon.call("GET", "/containers/json?all=1")[1]:
        assert daemon.call("DELETE", f"/containers/{each['Id']}?force=1")[0] == 204
    for each in daemon.call("GET", "/sandboxes")[1]:
        assert daemon.call("DELETE", f"/sandboxes/{each['Id']}")[0] == 204
    for each in daemon.call("GET", "/networks")[1]:
        if each["Name"] not in {"bridge", "host", "none"}:
            assert daemon.call("DELETE", f"/networks/{each['Id']}")[0] == 204
    furnish(daemon)


def holdings(daemon: Daemon) -> tuple[int, int]:
    """Open files, and tasks."""
    told = daemon.call("GET", "/info")[1]
    return told["NFd"], told["NGoroutines"]


def no_more(now: Sequence[int], before: Sequence[int]) -> bool:
    return all(held <= held_before for held, held_before in zip(now, before, strict=True))


def resident_kib(daemon: Daemon) -> int:
    status = (daemon.host.root / f"proc/{daemon.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0])
