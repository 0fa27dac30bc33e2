"""The control plane beside dockerd's, in one interleaved run: medians, ratios, and the budgets met or missed.

Run as root from the project's folder: `.venv/bin/python -m bench.control_plane [--quick]`, with
`--backend iptables` for our other firewall. Only ratios of one run mean anything: absolute figures follow the
machine's load.
"""

import argparse
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from bench import workloads
from bench.budgets import BUDGETS, Medians, medians_of
from bench.sides import Side, running


@dataclass(frozen=True, slots=True)
class Effort:
    """Rounds of quick calls, of container lives and of daemon starts; numbers of networks standing."""

    calls: int
    containers: int
    starts: int
    few: int
    crowd: int


FULL = Effort(calls=40, containers=15, starts=3, few=100, crowd=500)
QUICK = Effort(calls=15, containers=4, starts=1, few=20, crowd=60)


class Record:
    """Samples by measure, for docker (0) and ours (1)."""

    def __init__(self, sides: Sequence[Side]) -> None:
        self._sides = sides
        self.samples: dict[str, tuple[list[float], list[float]]] = defaultdict(lambda: ([], []))

    def rounds(self, count: int, workload: Callable[[Side], Iterator[workloads.Sample]]) -> None:
        """Interleaved; who goes first alternates, so that neither always meets the other's aftermath."""
        for number in range(count):
            order = (0, 1) if number % 2 else (1, 0)
            for index in order:
                for measure, value in workload(self._sides[index]):
                    self.samples[measure][index].append(value)


def measure(record: Record, sides: Sequence[Side], effort: Effort) -> None:
    record.rounds(1, lambda side: iter([("idle MB", side.memory())]))
    for side in sides:
        workloads.prepare(side)
    record.rounds(effort.calls * 5, workloads.reads)
    record.rounds(effort.calls, workloads.network)
    record.rounds(effort.calls, workloads.attachment)
    for mode in workloads.ROOT_MODES:
        record.rounds(effort.containers, lambda side, mode=mode: workloads.container(side, mode))  # type: ignore[misc]
    record.rounds(effort.containers, workloads.run_command)
    for side in sides:
        workloads.clear(side)
    _measure_starts(record, effort.starts, "daemon start (0)")
    _measure_crowded(record, sides, effort)


def _measure_starts(record: Record, count: int, name: str) -> None:
    record.rounds(count, lambda side: iter([(name, side.restart())]))


def _measure_crowded(record: Record, sides: Sequence[Side], effort: Effort) -> None:
    for side in sides:
        workloads.crowd(side, 0, effort.few)
    _measure_starts(record, effort.starts, f"daemon start ({effort.few})")
    for side in sides:
        workloads.crowd(side, effort.few, effort.crowd)
    suffix = f" ({effort.crowd})"
    record.rounds(effort.calls, lambda side: workloads.reads(side, suffix))
    record.rounds(max(effort.calls // 3, 3), lambda side: workloads.network(side, suffix))


def print_measures(medians: Medians, names: Sequence[str]) -> None:
    print(f"{'measure (ms, median)':32}{names[0]:>12}{names[1]:>12}{'ratio':>9}")
    for name, (docker, ours) in medians.items():
        print(f"{name:32}{docker:12.2f}{ours:12.2f}{docker / ours:8.1f}x")


def print_budgets(medians: Medians) -> int:
    """The number of budgets missed."""
    missed = 0
    print()
    for budget in BUDGETS:
        if not medians.keys() >= set(budget.needs):
            verdict = "-"
        else:
            verdict = "MET" if budget.met(medians) else "MISSED"
        missed += verdict == "MISSED"
        print(f"{budget.code:4} {verdict:7} {budget.text}")
    return missed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--quick", action="store_true", help="fewer rounds and networks: about a minute")
    parser.add_argument("--against", default="bridgehead", choices=("bridgehead", "docker"), help="our side")
    parser.add_argument("--backend", default="nftables", choices=("nftables", "iptables"))
    arguments = parser.parse_args()
    effort = QUICK if arguments.quick else FULL
    flags = [f"--firewall-backend={arguments.backend}"] if arguments.against == "bridgehead" else []
    with ExitStack() as stack:
        sides = [
            stack.enter_context(running("docker", "docker")),
            stack.enter_context(running(arguments.against, arguments.against, *flags)),
        ]
        record = Record(sides)
        measure(record, sides, effort)
    medians = medians_of(record.samples)
    print_measures(medians, [side.name for side in sides])
    return min(print_budgets(medians), 1)


if __name__ == "__main__":
    sys.exit(main())
