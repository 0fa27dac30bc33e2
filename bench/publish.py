"""Published ports beside dockerd's, in one interleaved run: budgets G6, G8 and G11, with both our backends.

Run as root from the project's folder: `.venv/bin/python -m bench.publish [--quick]`. What 1000 ports cost
dockerd takes minutes; --quick stops at 100.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from tests.support import image

from bench.sides import Side, running

TRAFFIC = Path(__file__).with_name("traffic.py")
MEASURES = ("rr", "crr", "stream")
_FIRST_PORT = 20_000
_SECONDS = 1.5


def _body(ports: int) -> dict[str, object]:
    bindings = {f"{number}/tcp": [{"HostPort": str(_FIRST_PORT + number)}] for number in range(1, ports + 1)}
    exposed: dict[str, object] = {key: {} for key in bindings}
    return {
        "Image": image.NAME,
        "Cmd": ["sleep", "1000"],
        "ExposedPorts": exposed,
        "HostConfig": {"NetworkMode": "mesh", "PortBindings": bindings},
    }


def lives(side: Side, ports: int) -> Iterator[tuple[str, float]]:
    """One container with so many ports, from start to its end."""
    before_mb, before = side.memory(), len(side.daemon.host.processes())
    side.call("POST", "/containers/create?name=measured", _body(ports))
    yield f"start, {ports} ports (ms)", side.timed("POST", "/containers/measured/start")
    processes = len(side.daemon.host.processes()) - before
    yield f"more processes, {ports} ports", processes
    yield f"more memory, {ports} ports (MB)", side.memory() - before_mb
    kill = side.timed("POST", "/containers/measured/kill")
    yield f"kill, {ports} ports (ms)", kill
    yield f"kill+rm, {ports} ports (ms)", kill + side.timed("DELETE", "/containers/measured?force=1")


class Server:
    """A container that answers on a published port; the server runs in its network, from outside."""

    def __init__(self, side: Side) -> None:
        self.side = side
        side.call("POST", "/containers/create?name=server", _body(1))
        side.call("POST", "/containers/server/start")
        pid = side.daemon.docker.ok("inspect", "-f", "{{.State.Pid}}", "server")
        # dockerd's containers count their processes from its host's own namespace, as ours do.
        inside = ["nsenter", "-t", pid, "-n", sys.executable, str(TRAFFIC), "serve", "0.0.0.0", "1"]
        self._process = side.daemon.host.popen(inside, stdout=-1, text=True)
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "listening\n"

    def from_localhost(self, measure: str) -> float:
        words = (measure, "127.0.0.1", str(_FIRST_PORT + 1), str(_SECONDS))
        outcome = self.side.daemon.host.run(sys.executable, str(TRAFFIC), *words, timeout_s=60)
        return float(outcome.stdout)

    def close(self) -> None:
        self.side.call("DELETE", "/containers/server?force=1")


def measure_lives(sides: Sequence[Side], rounds: int, ports: int) -> dict[str, dict[str, list[float]]]:
    found: dict[str, dict[str, list[float]]] = {}
    for _ in range(rounds):
        for side in sides:
            for name, value in lives(side, ports):
                found.setdefault(name, {}).setdefault(side.name, []).append(value)
    return found


def measure_localhost(sides: Sequence[Side], rounds: int) -> dict[str, dict[str, list[float]]]:
    servers = [Server(side) for side in sides]
    found: dict[str, dict[str, list[float]]] = {}
    for number in range(rounds):
        for server in servers if number % 2 else servers[::-1]:
            for measure in MEASURES:
                value = server.from_localhost(measure)
                found.setdefault(f"localhost {measure} (/s)", {}).setdefault(server.side.name, []).append(
                    value
                )
    for server in servers:
        server.close()
    return found


def show(found: dict[str, dict[str, list[float]]], names: Sequence[str]) -> None:
    """A row a measure; the ratio says how many times better ours is than dockerd.

    Of rates the best round counts: whether two processes share a processor decides more than what is between.
    """
    for measure, by_side in found.items():
        rate = "(/s)" in measure
        reference, *ours = ((max if rate else median)(by_side[name]) for name in names)
        cells = [f"{value:16.2f}" for value in (reference, *ours)]
        for value in ours:
            better = value / reference if rate else reference / max(value, 0.01)
            cells.append(f"{better:12.1f}x")
        print(f"{measure:34}{''.join(cells)}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--quick", action="store_true", help="few rounds, at most 100 ports: two minutes")
    arguments = parser.parse_args()
    with ExitStack() as stack:
        sides = [
            stack.enter_context(running("docker", "docker")),
            stack.enter_context(running("nftables", "bridgehead", "--firewall-backend=nftables")),
            stack.enter_context(running("iptables", "bridgehead", "--firewall-backend=iptables")),
        ]
        names = [side.name for side in sides]
        print(
            f"{'measure (median, best rate)':34}{''.join(f'{name:>16}' for name in names)}"
            f"{''.join(f'{name:>13}' for name in names[1:])}"
        )
        for side in sides:
            side.create_network("mesh", 0)
        show(measure_lives(sides, 3 if arguments.quick else 7, 1), names)
        show(measure_lives(sides, 1 if arguments.quick else 2, 100), names)
        if not arguments.quick:
            show(measure_lives(sides, 1, 1000), names)
        show(measure_localhost(sides, 3 if arguments.quick else 7), names)
    print(
        "budgets: G6 start 5x, G8 1000 ports: start 300x, kill 1000x, at most 5 MB and no process; "
        "G11 localhost rr 2x, crr 3x, stream 1.5x"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
