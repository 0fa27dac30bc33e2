"""`bridgehead system df`"""

import time
from collections.abc import Iterable

import click

from bridgehead.cli.client import Client
from bridgehead.cli.format import duration, ellipsis, short, size, table
from bridgehead.cli.listing import Listing, format_option
from bridgehead.cli.replies import ContainerEntry, ImageEntry, UsageReply, VolumeReply
from bridgehead.cli.template_functions import Row
from bridgehead.cli.verb import Verb

ALIVE = {"running", "paused", "restarting"}
COMMAND_WIDTH = 20
LISTING = Listing(
    {"Type": "TYPE", "TotalCount": "TOTAL", "Active": "ACTIVE", "Size": "SIZE", "Reclaimable": "RECLAIMABLE"},
    ("Type", "TotalCount", "Active", "Size", "Reclaimable"),
)
IMAGES = ("REPOSITORY", "TAG", "IMAGE ID", "CREATED", "SIZE", "SHARED SIZE", "UNIQUE SIZE", "CONTAINERS")
CONTAINERS = ("CONTAINER ID", "IMAGE", "COMMAND", "LOCAL VOLUMES", "SIZE", "CREATED", "STATUS", "NAMES")
BUILD_CACHE = ("CACHE ID", "CACHE TYPE", "SIZE", "CREATED", "LAST USED", "USAGE", "SHARED")
VOLUMES = ("VOLUME NAME", "LINKS", "SIZE")


@click.command(cls=Verb)
@format_option
@click.option("-v", "--verbose", is_flag=True, help="Show detailed information on space usage")
@click.pass_obj
def df(client: Client, *, layout: str | None, verbose: bool) -> None:
    """Show disk usage"""
    found: UsageReply = client.get("/system/df")
    if verbose and not layout:
        print(_detailed(found))
        return
    LISTING.show([_images(found), _containers(found), _volumes(found), _row("Build Cache", [], 0, 0)], layout)


def _row(kind: str, active: Iterable[bool], whole: int, free: int) -> Row:
    each = list(active)
    share = f" ({100 * free // whole}%)" if whole else ""
    return Row(
        Type=kind,
        TotalCount=str(len(each)),
        Active=str(sum(each)),
        Size=size(whole, 4),
        Reclaimable=f"{size(max(free, 0), 4)}{share}",
    )


def _images(found: UsageReply) -> Row:
    images = found["Images"] or []
    whole = found["LayersSize"]
    used = sum(_unique(image) for image in images if image.get("Containers"))
    return _row("Images", (image.get("Containers", 0) > 0 for image in images), whole, max(whole - used, 0))


def _unique(image: ImageEntry) -> int:
    return image["Size"] - max(image.get("SharedSize", 0), 0)


def _containers(found: UsageReply) -> Row:
    containers = found["Containers"] or []
    whole = sum(container.get("SizeRw", 0) for container in containers)
    free = sum(container.get("SizeRw", 0) for container in containers if container["State"] not in ALIVE)
    return _row("Containers", (container["State"] in ALIVE for container in containers), whole, free)


def _volumes(found: UsageReply) -> Row:
    volumes = [_held(volume) for volume in found["Volumes"] or []]
    whole = sum(held for held, _ in volumes)
    free = sum(held for held, links in volumes if not links)
    return _row("Local Volumes", (links > 0 for _, links in volumes), whole, free)


def _held(volume: VolumeReply) -> tuple[int, int]:
    """Its bytes, 0 when unknown, and how many containers use it."""
    usage = volume.get("UsageData")
    return (max(usage["Size"], 0), max(usage["RefCount"], 0)) if usage else (0, 0)


def _detailed(found: UsageReply) -> str:
    images = [_image_row(image) for image in found["Images"] or []]
    containers = [_container_row(container) for container in found["Containers"] or []]
    volumes = [_volume_row(volume) for volume in found["Volumes"] or []]
    return "\n\n".join(
        (
            "Images space usage:",
            table(IMAGES, images),
            "Containers space usage:",
            table(CONTAINERS, containers),
            "Local Volumes space usage:",
            table(VOLUMES, volumes),
            "Build cache usage: 0B",
            table(BUILD_CACHE, []),
        )
    )


def _volume_row(volume: VolumeReply) -> tuple[str, str, str]:
    held, links = _held(volume)
    return volume["Name"], str(links), size(held, 4)


def _image_row(image: ImageEntry) -> tuple[str, ...]:
    shared = max(image.get("SharedSize", 0), 0)
    sizes = (size(image["Size"]), size(shared), size(_unique(image), 4))
    age = f"{duration(time.time() - image['Created'])} ago"
    repository, _, label = (image["RepoTags"] or ["<none>:<none>"])[0].rpartition(":")
    return (repository, label, short(image["Id"]), age, *sizes, str(image.get("Containers", 0)))


def _container_row(container: ContainerEntry) -> tuple[str, ...]:
    mounts = container.get("Mounts") or []
    return (
        short(container["Id"]),
        container["Image"],
        f'"{ellipsis(container["Command"], COMMAND_WIDTH)}"',
        str(sum(mount.get("Driver") == "local" for mount in mounts)),
        size(container.get("SizeRw", 0)),
        f"{duration(time.time() - container['Created'])} ago",
        container["Status"],
        ",".join(name.removeprefix("/") for name in container["Names"]),
    )
