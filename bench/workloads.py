"""What is measured: each workload does one round on one side and gives milliseconds by measure."""

import time
from collections.abc import Iterator

from bench.sides import Side

Sample = tuple[str, float]

ROOT_MODES = ("none", "host", "bridge", "mesh")
_FREE = 2000  # a subnet number that nothing else uses


def prepare(side: Side) -> None:
    """A network and a running container that the rounds use."""
    side.create_network("mesh", _FREE)
    side.create_network("second", _FREE + 1)
    side.create_container("anchor", "mesh")
    side.call("POST", "/containers/anchor/start")


def clear(side: Side) -> None:
    side.call("DELETE", "/containers/anchor?force=1")
    for name in ("mesh", "second"):
        side.call("DELETE", f"/networks/{name}")


def reads(side: Side, suffix: str = "") -> Iterator[Sample]:
    yield "ping" + suffix, side.timed("GET", "/_ping")
    yield "network ls" + suffix, side.timed("GET", "/networks")
    yield "network inspect" + suffix, side.timed("GET", "/networks/bridge")


def network(side: Side, suffix: str = "") -> Iterator[Sample]:
    yield "network create" + suffix, side.create_network("measured", _FREE + 2)
    yield "network rm" + suffix, side.timed("DELETE", "/networks/measured")


def attachment(side: Side) -> Iterator[Sample]:
    body = {"Container": "anchor"}
    yield "connect", side.timed("POST", "/networks/second/connect", body)
    yield "disconnect", side.timed("POST", "/networks/second/disconnect", body)


def container(side: Side, mode: str) -> Iterator[Sample]:
    yield "container create", side.create_container("measured", mode)
    yield f"start {_shown(mode)}", side.timed("POST", "/containers/measured/start")
    # Together, because daemons differ in how much of the work they leave to the second call.
    kill = side.timed("POST", "/containers/measured/kill")
    yield f"kill+rm {_shown(mode)}", kill + side.timed("DELETE", "/containers/measured?force=1")


def _shown(mode: str) -> str:
    return "user" if mode == "mesh" else mode


def run_command(side: Side) -> Iterator[Sample]:
    began = time.perf_counter()
    side.daemon.docker.ok("run", "--rm", "busybox", "true")
    yield "docker run --rm true", (time.perf_counter() - began) * 1000


def crowd(side: Side, first: int, last: int) -> None:
    for number in range(first, last):
        side.create_network(f"crowd{number}", number)
