"""`bridgehead ps`"""

import json
import time
from collections.abc import Iterable, Sequence

import click

from bridgehead.cli.client import Client, Query, filters
from bridgehead.cli.format import duration, ellipsis, local_time, short, size
from bridgehead.cli.listing import Listing, format_option, label_fields, no_trunc_option
from bridgehead.cli.replies import ContainerEntry, PortReply
from bridgehead.cli.template_functions import Row
from bridgehead.cli.verb import FILTER, Verb

COMMAND_WIDTH = 20
MOUNT_WIDTH = 15
LISTING = Listing(
    {
        "ID": "CONTAINER ID",
        "Image": "IMAGE",
        "Command": "COMMAND",
        "CreatedAt": "CREATED AT",
        "RunningFor": "CREATED",
        "Status": "STATUS",
        "State": "STATE",
        "Ports": "PORTS",
        "Names": "NAMES",
        "Size": "SIZE",
        "Labels": "LABELS",
        "LocalVolumes": "LOCAL VOLUMES",
        "Mounts": "MOUNTS",
        "Networks": "NETWORKS",
        "Platform": "PLATFORM",
    },
    ("ID", "Image", "Command", "RunningFor", "Status", "Ports", "Names"),
)


@click.command(cls=Verb)
@click.option(
    "-a", "--all", "everything", is_flag=True, help="Show all containers (default shows just running)"
)
@click.option(
    "-f",
    "--filter",
    "wanted",
    type=FILTER,
    multiple=True,
    metavar="filter",
    help="Filter, e.g. network=backend",
)
@format_option
@click.option(
    "-n", "--last", type=int, default=-1, help="Show n last created containers (includes all states)"
)
@click.option("-l", "--latest", is_flag=True, help="Show the latest created container (includes all states)")
@no_trunc_option
@click.option("-q", "--quiet", is_flag=True, help="Only display container ids")
@click.option("-s", "--size", "sized", is_flag=True, help="Display total file sizes")
@click.pass_obj
def ps(
    client: Client,
    *,
    everything: bool,
    wanted: tuple[str, ...],
    layout: str | None,
    last: int,
    latest: bool,
    no_trunc: bool,
    quiet: bool,
    sized: bool,
) -> None:
    """List containers"""
    limit = 1 if latest else last
    query: Query = {
        "all": True if everything else None,
        "limit": limit if limit > 0 else None,
        "size": True if sized or ".Size" in (layout or "") else None,
        "filters": filters(wanted),
    }
    found: list[ContainerEntry] = client.get("/containers/json", query)
    listing = LISTING.with_columns(*LISTING.columns, "Size") if sized else LISTING
    listing.show([_row(container, no_trunc=no_trunc) for container in found], layout, quiet=quiet)


def _row(container: ContainerEntry, *, no_trunc: bool) -> Row:
    command = container["Command"] if no_trunc else ellipsis(container["Command"], COMMAND_WIDTH)
    mounts = container.get("Mounts") or []
    places = [mount.get("Name") or mount.get("Source", "") for mount in mounts]
    settings = container.get("NetworkSettings")
    attached = (settings["Networks"] if settings else None) or {}
    return Row(
        ID=container["Id"] if no_trunc else short(container["Id"]),
        Image=container["Image"] if no_trunc else _image(container["Image"]),
        Command=json.dumps(command, ensure_ascii=False),
        CreatedAt=local_time(container["Created"]),
        RunningFor=f"{duration(time.time() - container['Created'])} ago",
        Status=container["Status"],
        State=container["State"],
        Ports=ports(container["Ports"] or []),
        Names=",".join(_names(container["Names"], no_trunc=no_trunc)),
        Size=_size(container),
        LocalVolumes=str(sum(mount.get("Driver") == "local" for mount in mounts)),
        Mounts=",".join(place if no_trunc else ellipsis(place, MOUNT_WIDTH) for place in places),
        Networks=",".join(sorted(attached)),
        Platform=None,
        **label_fields(container["Labels"]),
    )


def _image(reference: str) -> str:
    return short(reference) if reference.startswith("sha256:") else reference or "<no image>"


def _names(names: Iterable[str], *, no_trunc: bool) -> Iterable[str]:
    """Without --no-trunc the names that other containers gave it in links stay out."""
    return (name.removeprefix("/") for name in names if no_trunc or "/" not in name[1:])


def _size(container: ContainerEntry) -> str:
    written, whole = container.get("SizeRw", 0), container.get("SizeRootFs", 0)
    return f"{size(written)} (virtual {size(whole)})" if whole else size(written)


def ports(found: Sequence[PortReply]) -> str:
    """Runs of neighbouring ports as ranges; ports published under another number come last, one by one."""
    runs: dict[str, list[list[int]]] = {}
    renumbered: list[str] = []
    for port in sorted(found, key=_port_order):
        inside, address = port["PrivatePort"], port.get("IP", "")
        if address and port.get("PublicPort") != inside:
            outside = f"{_bracketed(address)}:{port.get('PublicPort', 0)}"
            renumbered.append(f"{outside}->{inside}/{port['Type']}")
            continue
        known = runs.setdefault(f"{address}/{port['Type']}", [])
        if known and known[-1][1] + 1 == inside:
            known[-1][1] = inside
        else:
            known.append([inside, inside])
    done = [(key, run) for key, known in runs.items() for run in known[:-1]]
    last = [(key, known[-1]) for key, known in runs.items()]
    return ", ".join([*(_run(key, *run) for key, run in (*done, *last)), *renumbered])


def _port_order(port: PortReply) -> tuple[int, str, int, str]:
    return port["PrivatePort"], port.get("IP", ""), port.get("PublicPort", 0), port["Type"]


def _run(key: str, first: int, last: int) -> str:
    address, _, protocol = key.rpartition("/")
    numbers = str(first) if first == last else f"{first}-{last}"
    return f"{_bracketed(address)}:{numbers}->{numbers}/{protocol}" if address else f"{numbers}/{protocol}"


def _bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address
