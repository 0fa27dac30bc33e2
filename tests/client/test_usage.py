"""What containers use and may use, while they run: `docker stats` and `docker update`."""

import contextlib
import json
from collections.abc import Iterator
from typing import Any

import docker
import pytest

from tests.support.daemon import Daemon
from tests.support.wait import until

pytestmark = pytest.mark.host

_MIB = 1 << 20


@pytest.fixture
def box(daemon: Daemon) -> Iterator[str]:
    daemon.docker.ok("network", "create", "lan")
    options = ("--net", "lan", "-m", "32m", "--memory-swap", "-1", "--pids-limit", "30")
    daemon.docker.ok("run", "-d", "--name", "box", *options, "busybox", "sleep", "1000")
    yield "box"
    daemon.docker("rm", "-f", "box")
    daemon.docker.ok("network", "rm", "lan")


def _stats(daemon: Daemon, query: str = "stream=false&one-shot=true") -> Any:
    status, answer = daemon.call("GET", f"/containers/box/stats?{query}")
    assert status == 200, answer
    return answer


def test_usage_is_told_with_limits_and_interfaces(daemon: Daemon, box: str) -> None:
    daemon.docker.ok("network", "connect", "bridge", box)
    gateway = daemon.docker.ok("network", "inspect", "-f", "{{(index .IPAM.Config 0).Gateway}}", "lan")
    before = _stats(daemon)

    daemon.docker.ok("exec", box, "ping", "-c", "3", "-i", "0.1", "-s", "1000", gateway)

    after = _stats(daemon)
    assert (after["name"], after["pids_stats"]) == ("/box", {"current": 1, "limit": 30})
    assert after["memory_stats"]["limit"] == 32 * _MIB
    assert 0 < after["memory_stats"]["usage"] < 32 * _MIB
    assert after["memory_stats"]["stats"]
    assert (
        after["cpu_stats"]["cpu_usage"]["total_usage"] > before["cpu_stats"]["cpu_usage"]["total_usage"] > 0
    )
    assert after["cpu_stats"]["system_cpu_usage"] > before["cpu_stats"]["system_cpu_usage"]
    assert {"eth0", "eth1"} == after["networks"].keys()
    for counter in ("tx_bytes", "rx_bytes"):
        assert sum(seen[counter] for seen in after["networks"].values()) >= 3000


def test_a_look_without_stream_has_one_to_compare_with(daemon: Daemon, box: str) -> None:
    stats = _stats(daemon, "stream=false")

    assert stats["precpu_stats"]["system_cpu_usage"] < stats["cpu_stats"]["system_cpu_usage"]
    assert stats["preread"] < stats["read"]


def test_the_command_shows_every_container(daemon: Daemon, box: str) -> None:
    daemon.docker.ok("create", "--name", "idle", "busybox", "true")

    shown = daemon.docker.ok("stats", "--no-stream", "-a", "--format", "{{.Name}} {{.PIDs}} {{.MemUsage}}")

    lines = dict(line.split(" ", 1) for line in shown.splitlines())
    assert lines["idle"] == "0 0B / 0B"
    assert lines["box"].startswith("1 ")
    assert lines["box"].endswith(" / 32MiB")
    daemon.docker.ok("rm", "idle")


def test_a_stream_ends_with_its_container(daemon: Daemon, box: str) -> None:
    base = f"unix://{daemon.socket}"
    with contextlib.closing(docker.DockerClient(base_url=base, timeout=20)) as client:
        stream = client.containers.get(box).stats(decode=True)
        first, second = next(stream), next(stream)
        client.containers.get(box).kill()
        quiet = next(one for one in stream if not one["pids_stats"])
        client.containers.get(box).remove()
        rest = list(stream)

    assert "system_cpu_usage" not in first["precpu_stats"]
    assert second["precpu_stats"] == first["cpu_stats"]
    assert (quiet["name"], quiet["memory_stats"]) == ("/box", {})
    assert len(rest) <= 2


def test_impossible_questions_are_refused(daemon: Daemon, box: str) -> None:
    assert daemon.call("GET", "/containers/box/stats?one-shot=1")[0] == 400
    assert daemon.call("GET", "/containers/nobody/stats")[0] == 404


def _inside(daemon: Daemon, name: str) -> str:
    """What the control group says, in a hierarchy of either version."""
    old = {"memory.max": "memory/memory.limit_in_bytes", "pids.max": "pids/pids.max"}[name]
    script = f"cat /sys/fs/cgroup/{old} 2>/dev/null || cat /sys/fs/cgroup/{name}"
    return daemon.docker.ok("exec", "box", "sh", "-c", script)


def test_limits_change_while_it_runs_and_hold_at_the_next_start(daemon: Daemon, box: str) -> None:
    daemon.docker.ok("update", "-m", "64m", "--pids-limit", "20", box)

    assert (_inside(daemon, "memory.max"), _inside(daemon, "pids.max")) == (str(64 * _MIB), "20")
    assert _stats(daemon)["memory_stats"]["limit"] == 64 * _MIB
    daemon.docker.ok("restart", "-t", "0", box)
    assert (_inside(daemon, "memory.max"), _inside(daemon, "pids.max")) == (str(64 * _MIB), "20")
    assert daemon.docker.ok("inspect", "-f", "{{.HostConfig.Memory}}", box) == str(64 * _MIB)


def test_what_the_kernel_refuses_changes_nothing(daemon: Daemon, box: str) -> None:
    daemon.docker.ok("exec", box, "dd", "if=/dev/zero", "of=/dev/shm/held", "bs=1M", "count=20")
    before = daemon.docker.ok("inspect", "-f", "{{json .HostConfig}}", box)

    less_than_in_use = ("--memory", "8m", "--memory-swap", "8m")
    refused = daemon.docker("update", *less_than_in_use, "--pids-limit", "21", box)

    identifier = daemon.docker.ok("inspect", "-f", "{{.Id}}", box)
    assert f"Cannot update container {identifier}: " in refused.err
    assert before == daemon.docker.ok("inspect", "-f", "{{json .HostConfig}}", box)
    assert daemon.docker.ok("inspect", "-f", "{{.State.Status}}", box) == "running"


def test_a_new_restart_policy_counts_at_the_next_end(daemon: Daemon, box: str) -> None:
    daemon.docker.ok("update", "--restart", "on-failure:3", box)

    daemon.host.kill(int(daemon.docker.ok("inspect", "-f", "{{.State.Pid}}", box)))

    until(lambda: daemon.docker.ok("inspect", "-f", "{{.RestartCount}}", box) == "1", "the restart")
    shown = json.loads(daemon.docker.ok("inspect", "-f", "{{json .HostConfig.RestartPolicy}}", box))
    assert shown == {"Name": "on-failure", "MaximumRetryCount": 3}


@pytest.mark.parametrize(
    ("body", "status", "sentence"),
    [
        ({"Memory": _MIB}, 400, "6MB"),
        ({"RestartPolicy": {"Name": "sometimes"}}, 400, "restart policy"),
        ({"Memory": "much"}, 400, "Memory"),
        ({"Memory": 2**70}, 400, "Memory"),
        ({"NanoCpus": 5 * 10**8, "CpuQuota": 5000}, 400, "Nano CPUs"),
        ({"KernelMemory": 64 * _MIB}, 501, "KernelMemory"),
        ([], 400, "object"),
    ],
)
def test_impossible_limits_are_refused(
    daemon: Daemon, box: str, body: Any, status: int, sentence: str
) -> None:
    before = daemon.docker.ok("inspect", "-f", "{{json .HostConfig}}", box)

    answered, said = daemon.call("POST", f"/containers/{box}/update", body)

    assert (answered, sentence in said["message"]) == (status, True), said
    assert before == daemon.docker.ok("inspect", "-f", "{{json .HostConfig}}", box)
