"""Volumes: records in the snapshot, folders on the host. One that goes is first written down as leaving.

So a daemon that ends in the middle of a removal, also of a container's own volumes, goes on with it when it
is back. A folder without a record is left alone: it may be all that is left of a lost store.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import replace

from bridgehead.core import volumes
from bridgehead.core.model.container import Container
from bridgehead.core.model.errors import BridgeheadError, Conflict, NotFound
from bridgehead.core.model.ids import VolumeName
from bridgehead.core.model.requests import ContainerRequest
from bridgehead.core.model.snapshot import Snapshot
from bridgehead.core.model.volume import Volume, VolumeMount, VolumeRequest
from bridgehead.core.time import rfc3339
from bridgehead.engine.events import EventBus
from bridgehead.engine.intent import Intent
from bridgehead.engine.storage import VolumeFolders
from bridgehead.engine.tasks import Tasks, to_the_end

_log = logging.getLogger("bridgehead.volumes")


class VolumeUseCases:
    def __init__(self, intent: Intent, folders: VolumeFolders, events: EventBus, tasks: Tasks) -> None:
        self.tasks = tasks
        self._intent = intent
        self._folders = folders
        self._events = events
        self._going: dict[VolumeName, asyncio.Task[None]] = {}

    @to_the_end
    async def create(self, request: VolumeRequest) -> Volume:
        """The volume of that name, which may have been there before: asking twice is no error.

        Raises:
            InvalidParameter, NotFound, NotImplementedByDriver: as `core.volumes.checked`.
        """
        volumes.checked(request)
        await self.gone()
        snapshot = self._intent.snapshot
        volume = _present(snapshot, request.name) or self._made(request)
        if volume.id not in snapshot.volumes:
            await self._intent.attempt(snapshot.put(volume), volume, asking=lambda: self.provide([volume.id]))
            self.told([volume])
        return volume

    @to_the_end
    async def remove(self, name: str, *, force: bool) -> None:
        """
        Raises:
            NotFound: unless `force`.
            Conflict: a container has it, and is named.
        """
        snapshot = self._intent.snapshot
        try:
            volume = volumes.find(snapshot, name)
        except NotFound:
            if force:
                return
            raise
        if holders := volumes.users(snapshot, volume.id):
            who = ", ".join(f"{holder.id} ({holder.name})" for holder in holders)
            raise Conflict(f"remove {name}: volume is in use - [{who}]")
        await self._let_go([volume])

    @to_the_end
    async def prune(self, wanted: Callable[[Volume], bool]) -> tuple[list[str], int]:
        """Remove the unused ones that `wanted` accepts: their names, and the bytes they took."""
        used = volumes.used(self._intent.snapshot)
        unused = [volume for volume in self.present() if volume.id not in used and wanted(volume)]
        sizes = await self.sizes(volume.id for volume in unused)
        used = volumes.used(self._intent.snapshot)
        unused = [volume for volume in unused if volume.id not in used]
        await self._let_go(unused)
        freed = sum(sizes[volume.id] for volume in unused)
        self._events.plain("volume", "prune", {"reclaimed": str(freed)})
        return [volume.id for volume in unused], freed

    def present(self) -> list[Volume]:
        return [volume for volume in self._intent.snapshot.volumes.values() if not volume.leaving]

    async def sizes(self, names: Iterable[VolumeName]) -> dict[VolumeName, int]:
        """In bytes, as the folders are now."""
        listed = list(names)
        found = await asyncio.to_thread(lambda: [self._folders.size(name) for name in listed])
        return dict(zip(listed, found, strict=True))

    def decide(
        self, request: ContainerRequest, image: Iterable[str]
    ) -> tuple[tuple[VolumeMount, ...], list[Volume]]:
        """What a new container sees, and the volumes that must be made for it."""
        mounts: list[VolumeMount] = []
        made: dict[VolumeName, Volume] = {}
        for wish in volumes.wishes(request, image):
            volumes.checked(wish.volume)
            name = VolumeName(wish.volume.name)
            volume = made.get(name) or _present(self._intent.snapshot, name) or self._made(wish.volume)
            if volume.id not in self._intent.snapshot.volumes:
                made[volume.id] = volume
            mounts.append(VolumeMount(volume.id, wish.target, wish.read_only, wish.populate))
        return tuple(mounts), list(made.values())

    async def provide(self, names: Iterable[VolumeName]) -> None:
        """Make the folders that are missing."""
        for name in names:
            await asyncio.to_thread(self._folders.make, name)

    async def prepare(self, container: Container, rootfs: str) -> None:
        """Before a start: every folder is there, and one that was empty has the image's files.

        While another container runs with it nothing is written: it could lead us astray with links.
        """
        snapshot = self._intent.snapshot
        for mount in container.spec.volumes:
            volume = snapshot.volumes[mount.volume]
            if volume.options:
                continue  # a folder of the host's, and the host's business
            users = volumes.users(snapshot, volume.id)
            alone = not any(user.state.status.has_process for user in users if user.id != container.id)
            await self.provide([volume.id])
            if mount.populate and alone:
                await asyncio.to_thread(self._folders.populate, volume.id, rootfs, mount.target)

    def told(self, made: Iterable[Volume]) -> None:
        for volume in made:
            self._events.volume(volume, "create")

    def mounted(self, container: Container) -> None:
        for mount in container.spec.volumes:
            self._events.volume(
                self._intent.snapshot.volumes[mount.volume],
                "mount",
                container=container.id,
                destination=mount.target,
                propagation="",
                **{"read/write": "false" if mount.read_only else "true"},
            )

    def unmounted(self, before: Snapshot, container: Container) -> None:
        for mount in container.spec.volumes:
            self._events.volume(before.volumes[mount.volume], "unmount", container=container.id)

    def part(self) -> None:
        """Take away the folders of those that leave, beside everything else."""
        for volume in self._intent.snapshot.volumes.values():
            if volume.leaving and volume.id not in self._going:
                self._going[volume.id] = self.tasks.start(self._removed(volume))

    async def gone(self) -> None:
        """Wait until those that leave have left: their names are free then."""
        if self._going:
            await asyncio.wait(self._going.values())

    async def _let_go(self, leaving: list[Volume]) -> None:
        snapshot = self._intent.snapshot
        self._intent.commit(snapshot.put(*(replace(volume, leaving=True) for volume in leaving)))
        self.part()
        await self.gone()

    async def _removed(self, volume: Volume) -> None:
        try:
            await asyncio.to_thread(self._folders.remove, volume.id)
            self._intent.commit(self._intent.snapshot.drop(volume))
        except BridgeheadError as error:
            _log.warning("volume %s is not removed yet: %s", volume.id, error)
            return
        finally:
            self._going.pop(volume.id, None)
        self._events.volume(volume, "destroy")

    def _made(self, request: VolumeRequest) -> Volume:
        anonymous = not request.name
        labels = {**request.labels, volumes.ANONYMOUS_LABEL: ""} if anonymous else request.labels
        name = VolumeName(request.name or self._intent.random.identifier())
        created = rfc3339(self._intent.clock.now())
        return Volume(name, created, request.options, labels, anonymous=anonymous)


def _present(snapshot: Snapshot, name: str) -> Volume | None:
    """
    Raises:
        Conflict: it is being removed, and the host does not let go of it.
    """
    volume = snapshot.volumes.get(VolumeName(name))
    if volume and volume.leaving:
        raise Conflict(f"volume {name} is being removed; try again when it is gone")
    return volume
