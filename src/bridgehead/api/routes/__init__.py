"""One module per kind of object; each lists its pages in `ENTRIES`."""

from collections.abc import Sequence

from bridgehead.api.call import Entry
from bridgehead.api.routes import (
    archive,
    attach,
    commit,
    containers,
    events,
    exec,  # noqa: A004 - the object is called that
    images,
    images_in,
    images_out,
    lifecycle,
    logs,
    networks,
    registries,
    sandboxes,
    stats,
    system,
    top,
    unsupported,
    update,
    volumes,
)

ENTRIES: Sequence[Entry] = (
    *system.ENTRIES,
    *events.ENTRIES,
    *networks.ENTRIES,
    *containers.ENTRIES,
    *sandboxes.ENTRIES,
    *lifecycle.ENTRIES,
    *attach.ENTRIES,
    *archive.ENTRIES,
    *logs.ENTRIES,
    *top.ENTRIES,
    *stats.ENTRIES,
    *update.ENTRIES,
    *exec.ENTRIES,
    *images.ENTRIES,
    *images_in.ENTRIES,
    *images_out.ENTRIES,
    *registries.ENTRIES,
    *commit.ENTRIES,
    *volumes.ENTRIES,
    *unsupported.ENTRIES,
)
