"""`bridgehead stats`: what containers use, once or again and again."""

import sys
from collections.abc import Mapping, Sequence
from typing import TypedDict

import click

from bridgehead.cli.client import Client, CommandFailed, filters
from bridgehead.cli.format import binary_size, short, size
from bridgehead.cli.listing import Listing, format_option, no_trunc_option
from bridgehead.cli.replies import ContainerEntry
from bridgehead.cli.template_functions import Row
from bridgehead.cli.verb import Verb

FROM_THE_TOP = "\033[2J\033[H"
AT_ONCE = 16
LISTING = Listing(
    {
        "Container": "CONTAINER",
        "ID": "CONTAINER ID",
        "Name": "NAME",
        "CPUPerc": "CPU %",
        "MemUsage": "MEM USAGE / LIMIT",
        "MemPerc": "MEM %",
        "NetIO": "NET I/O",
        "BlockIO": "BLOCK I/O",
        "PIDs": "PIDS",
    },
    ("ID", "Name", "CPUPerc", "MemUsage", "MemPerc", "NetIO", "BlockIO", "PIDs"),
)


class CpuUsage(TypedDict, total=False):
    total_usage: int


class Cpu(TypedDict, total=False):
    cpu_usage: CpuUsage
    system_cpu_usage: int
    online_cpus: int


class Memory(TypedDict, total=False):
    usage: int
    limit: int
    stats: Mapping[str, int]


class BlockCount(TypedDict):
    op: str
    value: int


class Blocks(TypedDict, total=False):
    io_service_bytes_recursive: list[BlockCount] | None


class Stats(TypedDict, total=False):
    id: str
    name: str
    cpu_stats: Cpu
    precpu_stats: Cpu
    memory_stats: Memory
    networks: Mapping[str, Mapping[str, int]]
    blkio_stats: Blocks
    pids_stats: Mapping[str, int]


@click.command(cls=Verb)
@click.option(
    "-a", "--all", "everything", is_flag=True, help="Show all containers (default shows just running)"
)
@format_option
@click.option("--no-stream", is_flag=True, help="Only show the first result")
@no_trunc_option
@click.argument("names", metavar="[CONTAINER...]", nargs=-1)
@click.pass_obj
def stats(
    client: Client,
    *,
    names: tuple[str, ...],
    everything: bool,
    layout: str | None,
    no_stream: bool,
    no_trunc: bool,
) -> None:
    """Display a live stream of container(s) resource usage statistics"""
    while True:
        wanted = names or _listed(client, everything=everything)
        rows = [
            _row(name, found, no_trunc=no_trunc) for name, found in _asked(client, wanted, named=bool(names))
        ]
        if not no_stream and sys.stdout.isatty():
            print(FROM_THE_TOP, end="")
        LISTING.show(rows, layout)
        sys.stdout.flush()
        if no_stream or (names and not rows):
            return


def _listed(client: Client, *, everything: bool) -> Sequence[str]:
    only = None if everything else filters(["status=running", "status=paused"])
    found: list[ContainerEntry] = client.get(
        "/containers/json", {"all": 1 if everything else None, "filters": only}
    )
    return [container["Id"] for container in found]


def _asked(client: Client, names: Sequence[str], *, named: bool) -> Sequence[tuple[str, Stats]]:
    """All at once, without those of the list that are gone by now.

    The daemon takes a second for each, between its two looks at the processor.
    """
    from concurrent.futures import ThreadPoolExecutor

    def ask(name: str) -> Stats | CommandFailed:
        try:
            found: Stats = client.get(f"/containers/{name}/stats", {"stream": 0})
        except CommandFailed as error:
            return error
        return found

    with ThreadPoolExecutor(AT_ONCE) as several:
        answers = list(several.map(ask, names))
    errors = [answer.message for answer in answers if isinstance(answer, CommandFailed)]
    if errors and named:
        raise CommandFailed("\n".join(errors))
    return [(name, answer) for name, answer in zip(names, answers, strict=True) if isinstance(answer, dict)]


def _row(asked: str, found: Stats, *, no_trunc: bool) -> Row:
    memory = found.get("memory_stats", {})
    used, limit = _memory_used(memory), memory.get("limit", 0)
    networks = found.get("networks", {}).values()
    identifier = found.get("id", "")
    return Row(
        Container=asked,
        ID=identifier if no_trunc else short(identifier),
        Name=found.get("name", "").removeprefix("/"),
        CPUPerc=f"{_processor_percent(found):.2f}%",
        MemUsage=f"{binary_size(used)} / {binary_size(limit)}",
        MemPerc=f"{100 * used / limit if limit else 0:.2f}%",
        NetIO=_both(sum(net["rx_bytes"] for net in networks), sum(net["tx_bytes"] for net in networks)),
        BlockIO=_both(_blocks(found, "read"), _blocks(found, "write")),
        PIDs=str(found.get("pids_stats", {}).get("current", 0)),
    )


def _both(inward: int, outward: int) -> str:
    return f"{size(inward)} / {size(outward)}"


def _memory_used(memory: Memory) -> int:
    """Without the file cache that the kernel gives back at once: cgroup v1 and v2 name it differently."""
    details = memory.get("stats") or {}
    cache = details.get("total_inactive_file", details.get("inactive_file", 0))
    usage = memory.get("usage", 0)
    return usage - cache if cache < usage else usage


def _processor_percent(found: Stats) -> float:
    """Of one processor: 200 % is two of them."""
    now, before = found.get("cpu_stats", {}), found.get("precpu_stats", {})
    used = _total(now) - _total(before)
    passed = now.get("system_cpu_usage", 0) - before.get("system_cpu_usage", 0)
    return 100 * used / passed * now.get("online_cpus", 1) if used > 0 and passed > 0 else 0


def _total(processor: Cpu) -> int:
    return processor.get("cpu_usage", {}).get("total_usage", 0)


def _blocks(found: Stats, operation: str) -> int:
    counts = found.get("blkio_stats", {}).get("io_service_bytes_recursive") or []
    return sum(count["value"] for count in counts if count["op"].lower() == operation)
