"""How fast one local name is answered: by us, by dockerd, dnsmasq and aardvark-dns, in one run.

    .venv/bin/python -m bench.dns [ROUNDS]

dockerd comes from `script/bootstrap --oracle`, the others from Debian (dnsmasq-base, aardvark-dns); what is
not there is left out and said. Everything runs in namespaces of its own. Rounds are interleaved over the
servers, so a noisy neighbour hits all of them. Afterwards the same for us and dockerd while each daemon makes
networks and starts containers without a pause, and for us while our daemon is dead.

The verdicts are budget G13. On a machine that others use too, answers a second tell who gets the processors;
the processor time an answer costs is told beside them, and holds there as well.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.host.space import own_space

from bench.dns_askers import Figures, generator, measure
from bench.dns_servers import (
    AARDVARK,
    DNSMASQ,
    DOCKER,
    OURS,
    OURS_PLAIN,
    Server,
    aardvark,
    daemons,
    dnsmasq,
    embedded,
    plain,
)
from bench.sides import Side

ROUNDS = 5
Table = dict[str, list[Figures]]


def main(rounds: int) -> int:
    with own_space(), tempfile.TemporaryDirectory() as name, ExitStack() as stack, daemons() as sides:
        folder = Path(name)
        stack.callback(_unmount, folder)
        servers = [*embedded(sides), *plain(stack, folder), *dnsmasq(stack, folder), *aardvark(stack, folder)]
        time.sleep(0.5)
        load = os.getloadavg()[0]
        print(f"load by {generator()}; {rounds} rounds, medians; load average {load:.1f} at the start")
        quiet = _measured(servers, rounds, folder)
        _show("quiet", quiet)
        daemon_servers = [server for server in servers if server.name in (OURS, DOCKER)]
        busy: Table = {}
        for server in daemon_servers:
            with _busy(sides[server.name]) as done:
                busy |= _measured([server], rounds, folder)
            print(f"  ({server.name} made {done()} networks with a container meanwhile)")
        _show("daemon busy", busy)
        sides[OURS].hang_up()
        sides[OURS].daemon.kill()
        down = _measured([server for server in servers if server.name == OURS], rounds, folder)
        _show("daemon killed", down)
    missing = {DOCKER, DNSMASQ, AARDVARK} - quiet.keys()
    print(f"not installed here: {', '.join(sorted(missing)) or 'none'}")
    return _judge(quiet, busy, down)


def _measured(servers: Sequence[Server], rounds: int, folder: Path) -> Table:
    table: Table = {server.name: [] for server in servers}
    for _ in range(rounds):
        for server in servers:
            table[server.name].append(measure(server, folder))
    return table


def _show(title: str, table: Table) -> None:
    print(f"{title:<22} {'p50 us':>8} {'p99 us':>8} {'answers/s':>10} {'best':>8} {'cpu us':>8}")
    for name, figures in table.items():
        best = max(one.per_second for one in figures)
        print(
            f"{name:<22} {_median(figures, 'p50_us'):>8.0f} {_median(figures, 'p99_us'):>8.0f} "
            f"{_median(figures, 'per_second'):>10.0f} {best:>8.0f} {_median(figures, 'cpu_us'):>8.1f}"
        )


def _median(figures: Sequence[Figures], field: str) -> float:
    return statistics.median(getattr(one, field) for one in figures)


def _ratio(above: Sequence[Figures], below: Sequence[Figures], field: str) -> float:
    """The median over the rounds of the ratio within each: what disturbs a round disturbs both."""
    return statistics.median(
        getattr(one, field) / getattr(other, field) for one, other in zip(above, below, strict=True)
    )


def _judge(quiet: Table, busy: Table, down: Table) -> int:
    """0 if every budget that could be judged is met."""
    checks = [
        ("answers/s, to dockerd: >= 2", OURS, DOCKER, "per_second", 2.0, True),
        ("answers/s, to aardvark-dns: >= 2.5", OURS_PLAIN, AARDVARK, "per_second", 2.5, True),
        ("answers/s, to dnsmasq: >= 0.9", OURS_PLAIN, DNSMASQ, "per_second", 0.9, True),
        ("sequential p50, to dockerd: <= 0.5", OURS, DOCKER, "p50_us", 0.5, False),
    ]
    met = True
    for text, ours, other, field, bound, more in checks:
        if other in quiet:
            found = _ratio(quiet[ours], quiet[other], field)
            met &= _verdict(text, found, (found >= bound) if more else (found <= bound))
    for ours, other in ((OURS, DOCKER), (OURS_PLAIN, AARDVARK), (OURS_PLAIN, DNSMASQ)):
        if other in quiet:
            found = _median(quiet[other], "cpu_us") / _median(quiet[ours], "cpu_us")
            print(f"    processor time an answer: {other} needs {found:.2f} times as much")
    for text, table in (("busy", busy), ("killed", down)):
        found = _median(table[OURS], "p99_us") / _median(quiet[OURS], "p99_us")
        met &= _verdict(f"p99 with our daemon {text}, to quiet: <= 2", found, found <= 2)
    return 0 if met else 1


def _verdict(text: str, found: float, met: bool) -> bool:
    print(f"G13 {text:<45} {found:>6.2f}  {'met' if met else 'MISSED'}")
    return met


@contextmanager
def _busy(side: Side) -> Iterator[Callable[[], int]]:
    """A thread that makes the daemon work without a pause; gives how often it did its round."""
    over, done = threading.Event(), []
    failed: list[Exception] = []

    def work() -> None:
        try:
            while not over.is_set():
                number = 1 + len(done) % 50
                side.create_network("busy", number)
                side.create_container("busy", "busy")
                side.call("POST", "/containers/busy/start")
                side.call("DELETE", "/containers/busy?force=1")
                side.call("DELETE", "/networks/busy")
                done.append(number)
        except Exception as error:  # noqa: BLE001 - told by the main thread
            failed.append(error)

    worker = threading.Thread(target=work)
    worker.start()
    try:
        yield lambda: len(done)
    finally:
        over.set()
        worker.join()
    if failed:
        raise failed[0]


def _unmount(folder: Path) -> None:
    for name in ("plain", "dnsmasq", "aardvark"):
        if (folder / name).exists():
            subprocess.run(["umount", str(folder / name)], check=True)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS))
