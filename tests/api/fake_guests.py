"""Sandboxes that are no containers, as records alone."""

from typing import TYPE_CHECKING

from bridgehead.core.guest_rules import check, found
from bridgehead.core.model.container import Container, ContainerSpec, ContainerState, ProcessSpec, Status
from bridgehead.core.model.guest import Guest, GuestRequest
from bridgehead.core.model.ids import ContainerID, ImageID
from bridgehead.core.model.requests import ContainerRequest

if TYPE_CHECKING:
    from tests.api.fake_engine import FakeEngine


class FakeGuests:
    def __init__(self, engine: "FakeEngine") -> None:
        self._engine = engine
        self.asked: list[ContainerRequest] = []

    async def create(self, where: GuestRequest, request: ContainerRequest) -> tuple[Container, list[str]]:
        check(request)
        self.asked.append(request)
        guest = Guest(7, "boot", where.path, where.pid)
        container = Container(
            id=ContainerID(self._engine.identifier()),
            name=request.name,
            created="2026-01-02T03:04:05Z",
            image=ImageID(""),
            image_reference="(namespace)",
            spec=ContainerSpec(
                ProcessSpec((guest.source,)), "box", labels=request.labels, network_mode=request.network_mode
            ),
            state=ContainerState(Status.RUNNING, where.pid, started="2026-01-02T03:04:05Z"),
            guest=guest,
        )
        self._engine.put(container)
        return container, []

    async def remove(self, reference: str) -> None:
        self._engine.drop(found(self._engine.snapshot, reference))
