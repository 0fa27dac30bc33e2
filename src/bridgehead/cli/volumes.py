"""`bridgehead volume create`, `ls` and `rm`."""

import click

from bridgehead.cli.client import Body, Client, filters, pairs
from bridgehead.cli.format import natural
from bridgehead.cli.listing import Listing, format_option, label_fields
from bridgehead.cli.replies import VolumeReply, VolumesReply
from bridgehead.cli.template_functions import Row
from bridgehead.cli.verb import FILTER, Verb, each

LISTING = Listing(
    {
        "Driver": "DRIVER",
        "Name": "VOLUME NAME",
        "Labels": "LABELS",
        "Mountpoint": "MOUNTPOINT",
        "Scope": "SCOPE",
        "Size": "SIZE",
        "Links": "LINKS",
        "Status": "STATUS",
        "Availability": "AVAILABILITY",
        "Group": "GROUP",
    },
    ("Driver", "Name"),
    quiet="Name",
)


@click.command(cls=Verb)
@click.option("-d", "--driver", default="local", help="Volume driver name")
@click.option("--label", multiple=True, help="Set metadata for a volume")
@click.option("-o", "--opt", multiple=True, metavar="map", help="Set driver specific options")
@click.argument("name", metavar="[VOLUME]", default="")
@click.pass_obj
def create(client: Client, *, name: str, driver: str, label: tuple[str, ...], opt: tuple[str, ...]) -> None:
    """Create a volume"""
    body: Body = {"Name": name, "Driver": driver, "DriverOpts": pairs(opt), "Labels": pairs(label)}
    made: VolumeReply = client.post("/volumes/create", body)
    print(made["Name"])


@click.command(cls=Verb)
@click.option(
    "-f",
    "--filter",
    "wanted",
    type=FILTER,
    multiple=True,
    metavar="filter",
    help="Filter, e.g. dangling=true",
)
@format_option
@click.option("-q", "--quiet", is_flag=True, help="Only display volume names")
@click.pass_obj
def ls(client: Client, *, wanted: tuple[str, ...], layout: str | None, quiet: bool) -> None:
    """List volumes"""
    reply: VolumesReply = client.get("/volumes", {"filters": filters(wanted)})
    found = sorted(reply["Volumes"] or [], key=lambda volume: natural(volume["Name"]))
    LISTING.show([_row(volume) for volume in found], layout, quiet=quiet)


def _row(volume: VolumeReply) -> Row:
    return Row(
        Availability="N/A",
        Driver=volume["Driver"],
        Group="N/A",
        Links="N/A",
        Mountpoint=volume["Mountpoint"],
        Name=volume["Name"],
        Scope=volume["Scope"],
        Size="N/A",
        Status="N/A",
        **label_fields(volume["Labels"]),
    )


@click.command(cls=Verb)
@click.option("-f", "--force", is_flag=True, help="Force the removal of one or more volumes")
@click.argument("names", metavar="VOLUME...", nargs=-1, required=True)
@click.pass_obj
def rm(client: Client, *, names: tuple[str, ...], force: bool) -> int:
    """Remove one or more volumes. You cannot remove a volume that is in use by a container."""

    def remove(name: str) -> str:
        client.delete(f"/volumes/{name}", {"force": "1"} if force else {})
        return name

    return each(names, remove)
