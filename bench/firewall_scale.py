"""What a packet and a new connection cost beside many published ports and bridges: budgets G9, G10, G12.

    .venv/bin/python -m bench.firewall_scale [--quick]

Run as root from the project's folder. Each side is a machine of its own between a client and a server:
dockerd (the rules of dockerd 20.10, written as it writes them; dockerd itself would take minutes for 5000
ports), ours with nftables, ours with iptables (its guard included), and `bare`: a bridge without any rules.
Only what the traffic uses is really there, the other bridges and ports are rules alone, and where order
matters the rules that apply come last, as for dockerd's oldest network. `still` is ours with nftables and one
port all the time, beside those whose ports grow. Both ends of the traffic are Python, which costs every side
the same and makes ratios smaller.

Rounds are interleaved. A ratio is the median over rounds of the same round's two figures; in brackets that of
the best figures, by which budgets are judged: what else goes on on the machine only ever slows a round down.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

from tests.support.testhost import Host

from bench.firewall_sides import CONTAINER, INNER_PORT, OURS, Shape, docker_rules, network
from bridgehead.core.firewall.iptables_chains import BRIDGE_GROUP

TRAFFIC = Path(__file__).with_name("traffic.py")
PROJECT = str(TRAFFIC.parent.parent)
CLIENT, UPLINK, NEIGHBOUR = "198.51.100.2", "198.51.100.1", "10.200.0.3"
DOCKERD, STILL, BARE = "dockerd", "still", "bare"
SIDES = (DOCKERD, *OURS)
_PATIENCE_S = 120


@dataclass(frozen=True, slots=True)
class Effort:
    rounds: int
    seconds: float
    ports: tuple[int, ...]
    bridges: tuple[int, ...]


FULL = Effort(7, 0.8, (1, 100, 1000, 5000), (1, 10, 100, 500))
QUICK = Effort(3, 0.4, (1, 5000), (1, 500))


class Side:
    """A host with one bridge: a server and its neighbour on it, a client outside."""

    def __init__(self, name: str, stack: ExitStack) -> None:
        self.name, self._shape = name, Shape(1, 1)
        self._host, self._client, self._server, self._neighbour = (
            stack.enter_context(Host(f"{name}-{role}")) for role in ("host", "client", "server", "neighbour")
        )
        self._furnish()
        server = self._server.popen(
            [sys.executable, TRAFFIC, "serve", str(CONTAINER), str(INNER_PORT)], stdout=-1, text=True
        )
        assert server.stdout is not None
        assert server.stdout.readline() == "listening\n"

    def _furnish(self) -> None:
        bridge = network(0).bridge
        inside_network = ["nsenter", "-t", str(self._host.pid), "-n"]
        links = f"""link add {bridge} group {BRIDGE_GROUP:#x} type bridge
address add 10.200.0.1/24 dev {bridge}
link set {bridge} up
link add outside type veth peer name eth0 netns {self._client.pid}
address add {UPLINK}/24 dev outside
link set outside up
"""
        for name, host in (("server", self._server), ("neighbour", self._neighbour)):
            links += f"link add {name} type veth peer name eth0 netns {host.pid}\n"
            links += f"link set {name} master {bridge} up\n"
        subprocess.run(
            [*inside_network, "ip", "-batch", "-"], input=links, text=True, check=True, timeout=_PATIENCE_S
        )
        ends = ((self._client, CLIENT), (self._server, str(CONTAINER)), (self._neighbour, NEIGHBOUR))
        for host, address in ends:
            gateway = UPLINK if host is self._client else "10.200.0.1"
            batch = f"address add {address}/24 dev eth0\nlink set eth0 up\nroute add default via {gateway}\n"
            host.run("ip", "-batch", "-", stdin=batch, timeout_s=_PATIENCE_S)
        # What is over is forgotten soon, so that no side drags the connections of the last round along.
        for setting in ("ipv4.ip_forward=1", "netfilter.nf_conntrack_tcp_timeout_close=1"):
            self._host.run("sysctl", "-q", "-w", f"net.{setting}")

    def install(self, shape: Shape) -> float:
        """Milliseconds from another shape's rules to this one's."""
        began, self._shape = time.perf_counter(), shape
        if self.name == DOCKERD:
            self._host.run("iptables-restore", stdin=docker_rules(shape), timeout_s=_PATIENCE_S)
        elif self.name != BARE:
            backend = "nftables" if self.name == STILL else self.name
            words = (backend, str(shape.ports), str(shape.bridges))
            command = (sys.executable, "-m", "bench.firewall_sides", *words)
            self._host.run(*command, timeout_s=_PATIENCE_S, environment={"PYTHONPATH": PROJECT})
        return (time.perf_counter() - began) * 1000

    def published(self, measure: str, seconds: float) -> float:
        """From the client, through the host's port."""
        return self._measured(self._client, measure, UPLINK, self._shape.port, seconds)

    def within(self, measure: str, seconds: float) -> float:
        """From the neighbour on the same bridge, straight to the server."""
        return self._measured(self._neighbour, measure, str(CONTAINER), INNER_PORT, seconds)

    def pass_bridged_frames(self) -> None:
        """As on a machine where nobody loaded br_netfilter: what stays on its bridge meets no rules."""
        self._host.run("sysctl", "-q", "-w", "net.bridge.bridge-nf-call-iptables=0")

    def _measured(self, place: Host, measure: str, address: str, port: int, seconds: float) -> float:
        words = (measure, address, str(port), str(seconds))
        return float(place.run(sys.executable, TRAFFIC, *words, timeout_s=60).stdout)


Figures = dict[str, list[float]]


def rounds(sides: Sequence[Side], effort: Effort, way: str, measure: str) -> Figures:
    found: Figures = {side.name: [] for side in sides}
    for number in range(effort.rounds):
        for side in sides if number % 2 else sides[::-1]:
            way_of = side.within if way == "within" else side.published
            found[side.name].append(way_of(measure, effort.seconds))
    return found


def ratio(found: Figures, ours: str, reference: str) -> float:
    return median(mine / theirs for mine, theirs in zip(found[ours], found[reference], strict=True))


def best_ratio(found: Figures, ours: str, reference: str) -> float:
    return max(found[ours]) / max(found[reference])


def show(label: str, found: Figures) -> None:
    reference = next(iter(found))
    cells = [f"{median(values):14.0f}" for values in found.values()]
    for name in found:
        if name != reference:
            ratios = ratio(found, name, reference), best_ratio(found, name, reference)
            cells.append(f"{ratios[0]:8.2f}x ({ratios[1]:.2f}x)".rjust(19))
    print(f"{label:32}{''.join(cells)}", flush=True)


def header(title: str, names: Sequence[str]) -> None:
    columns = "".join(f"{name:>14}" for name in names)
    print(f"\n{title:32}{columns}{''.join(f'{name:>19}' for name in names[1:])}")


def verdict(
    code: str, text: str, found: Figures, reference: str, wanted: float, *, ours: str = OURS[0]
) -> None:
    value = best_ratio(found, ours, reference)
    print(f"{code:4} {'MET' if value >= wanted else 'MISSED':7} {text}: {value:.2f} (wanted {wanted:g})")


def measure_ports(sides: Sequence[Side], still: Side, effort: Effort) -> dict[int, Figures]:
    header("published ports, new conn./s", (*SIDES, STILL))
    still.install(Shape(1, 1))
    found = {}
    for ports in effort.ports:
        shape = Shape(ports, 1)
        for side in sides:
            side.install(shape)
        found[ports] = rounds((*sides, still), effort, "published", "crr")
        show(f"  {ports} ports", found[ports])
    return found


def measure_bridges(sides: Sequence[Side], effort: Effort) -> dict[tuple[int, str], Figures]:
    header("bridges, to a published port, /s", SIDES)
    found = {}
    for bridges in effort.bridges:
        shape = Shape(1, bridges)
        for side in sides:
            side.install(shape)
        for measure in ("crr", "rr", "stream", "datagrams"):
            key = bridges, measure
            found[key] = rounds(sides, effort, "published", measure)
            show(f"  {bridges} bridges, {measure}", found[key])
    return found


def measure_within(sides: Sequence[Side], still: Side, bare: Side, effort: Effort) -> dict[str, Figures]:
    """`still` and `bare` are spared bridged frames, as dockerd spares nobody: it loads br_netfilter."""
    header("within one bridge, /s", (*SIDES, STILL, BARE))
    for side in (still, bare):
        side.pass_bridged_frames()
    shape = Shape(1, 1)
    for side in sides:
        side.install(shape)
    found = {}
    for measure in ("crr", "rr"):
        found[measure] = rounds((*sides, still, bare), effort, "within", measure)
        show(f"  {measure}", found[measure])
    return found


def judge(
    ports: dict[int, Figures], bridges: dict[tuple[int, str], Figures], within: dict[str, Figures]
) -> None:
    print("\nbudgets, for nftables")
    for number, wanted in ((1000, 2.5), (5000, 5.0)):
        if number in ports:
            verdict("G9", f"new connections at {number} ports", ports[number], DOCKERD, wanted)
    verdict("G9", f"{max(ports)} ports beside one", ports[max(ports)], STILL, 0.85)
    for measure, wanted in (("crr", 5.0), ("rr", 4.0), ("stream", 3.0), ("datagrams", 6.0)):
        verdict("G10", f"{measure} at 500 bridges", bridges[500, measure], DOCKERD, wanted)
    for measure, wanted in (("crr", 1.3), ("rr", 1.15)):
        found = within[measure]
        verdict("G12", f"{measure} within one bridge, frames meet rules", found, DOCKERD, wanted)
        verdict("G12", f"{measure} within one bridge, frames meet none", found, DOCKERD, wanted, ours=STILL)
        verdict("G12", f"{measure} beside a bare bridge, frames meet none", found, BARE, 0.95, ours=STILL)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--quick", action="store_true", help="the ends of each scale, three rounds")
    effort = QUICK if parser.parse_args().quick else FULL
    with ExitStack() as stack:
        *sides, still, bare = (Side(name, stack) for name in (*SIDES, STILL, BARE))
        print(
            "dockerd: the rules that 20.10 writes, loaded by iptables-restore; medians, and ratios to dockerd"
        )
        ports = measure_ports(sides, still, effort)
        bridges = measure_bridges(sides, effort)
        # Where the figures lie so close together, more rounds.
        within = measure_within(sides, still, bare, replace(effort, rounds=3 * effort.rounds))
    judge(ports, bridges, within)


if __name__ == "__main__":
    main()
