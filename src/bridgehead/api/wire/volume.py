"""The volume object, the body that makes one, and which of them a client means."""

from collections.abc import Callable, Mapping

from msgspec import Struct

from bridgehead.api.wire import filters
from bridgehead.api.wire.filters import Filters
from bridgehead.core.layout import Layout
from bridgehead.core.model.ids import VolumeName
from bridgehead.core.model.snapshot import Snapshot
from bridgehead.core.model.volume import Volume, VolumeRequest
from bridgehead.core.volumes import DRIVER, used

FILTERS = ("dangling", "driver", "label", "name")
PRUNE_FILTERS = ("all", "label", "label!")


class CreateBody(Struct, rename="pascal"):
    name: str = ""
    driver: str = ""
    driver_opts: dict[str, str] = {}
    labels: dict[str, str] = {}


def request(body: CreateBody) -> VolumeRequest:
    return VolumeRequest(body.name, body.driver, body.driver_opts, body.labels)


def show(volume: Volume, layout: Layout) -> dict[str, object]:
    return {
        "CreatedAt": volume.created,
        "Driver": DRIVER,
        "Labels": dict(volume.labels) or None,
        "Mountpoint": layout.volume(volume.id),
        "Name": volume.id,
        "Options": dict(volume.options) or None,
        "Scope": "local",
    }


def measured(
    volume: Volume, layout: Layout, sizes: Mapping[VolumeName, int], users: Mapping[VolumeName, int]
) -> dict[str, object]:
    """As disk use shows it: with its bytes, and how many containers have it."""
    usage = {"Size": sizes[volume.id], "RefCount": users.get(volume.id, 0)}
    return {**show(volume, layout), "UsageData": usage}


def wanted(asked: Filters, snapshot: Snapshot) -> Callable[[Volume], bool]:
    dangling = filters.boolean(asked, "dangling")
    name = filters.partial(asked, "name")
    taken = used(snapshot)

    def accepts(volume: Volume) -> bool:
        return (
            filters.exact(asked, "driver", DRIVER)
            and filters.labels_match(asked, volume.labels)
            and name(volume.id)
            and dangling in (None, volume.id not in taken)
        )

    return accepts


def pruned(asked: Filters, *, named: bool) -> Callable[[Volume], bool]:
    """`named`: volumes that somebody gave a name go too."""
    return lambda volume: (
        (named or volume.anonymous)
        and filters.labels_match(asked, volume.labels)
        and not filters.labels_spared(asked, volume.labels)
    )
