"""Volumes without folders, for the fake engine."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from bridgehead.core import volumes
from bridgehead.core.model.errors import NotFound
from bridgehead.core.model.ids import VolumeName
from bridgehead.core.model.volume import Volume, VolumeRequest

if TYPE_CHECKING:
    from tests.api.fake_engine import FakeEngine


class FakeVolumes:
    def __init__(self, engine: "FakeEngine") -> None:
        self._engine = engine

    async def create(self, request: VolumeRequest) -> Volume:
        volumes.checked(request)
        name = VolumeName(request.name or self._engine.identifier())
        volume = self._engine.snapshot.volumes.get(name) or Volume(
            name, "2026-01-02T03:04:05Z", request.options, request.labels, anonymous=not request.name
        )
        self._engine.put(volume)
        return volume

    async def remove(self, name: str, *, force: bool) -> None:
        try:
            self._engine.drop(volumes.find(self._engine.snapshot, name))
        except NotFound:
            if not force:
                raise

    async def prune(self, wanted: Callable[[Volume], bool]) -> tuple[list[str], int]:
        gone = [volume for volume in self.present() if wanted(volume)]
        self._engine.drop(*gone)
        return [volume.id for volume in gone], 5 * len(gone)

    def present(self) -> list[Volume]:
        return list(self._engine.snapshot.volumes.values())

    async def sizes(self, names: Iterable[VolumeName]) -> dict[VolumeName, int]:
        return dict.fromkeys(names, 5)
