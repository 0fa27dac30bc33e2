"""From the stored snapshot and whatever still runs to a state in which the two agree.

What was never promised to a client is forgotten, what still runs is adopted, what ended meanwhile is
recorded; then one reconciliation makes the host fit.
"""

import asyncio
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from bridgehead.core import endpoint_rules
from bridgehead.core.model.container import Container, Status
from bridgehead.core.model.errors import BridgeheadError
from bridgehead.core.model.ids import ContainerID, NetworkID
from bridgehead.core.model.network import Endpoint, Network, Phase
from bridgehead.core.model.snapshot import Snapshot
from bridgehead.core.plan.key import Key
from bridgehead.core.predefined import DRIVERS, established
from bridgehead.core.remote.farewells import answered
from bridgehead.core.time import rfc3339
from bridgehead.engine.intent import Intent
from bridgehead.engine.lifecycle import UNKNOWN_EXIT, Lifecycle, departed, without
from bridgehead.engine.world import Exit, Runtime

_EXIT_PATIENCE_S = 5.0
_log = logging.getLogger("bridgehead.recovery")


@dataclass(frozen=True, slots=True)
class Sorted:
    """The containers that should have a process: those that have one, and those that do not."""

    living: tuple[Container, ...]
    dead: tuple[Container, ...]


def promised(snapshot: Snapshot) -> Snapshot:
    """Without the starts that were never confirmed, and with everything else that was begun promised.

    Whoever asked for it may not have heard, but a network or a connection that exists harms nobody, whereas
    a process that nobody knows of would. A `--rm` container that has ended is gone, and so is a guest that
    never had its place.
    """
    over = [
        item
        for item in snapshot.containers.values()
        if (item.spec.auto_remove and item.state.status is Status.EXITED)
        or (item.guest and not item.state.status.has_process)
    ]
    for item in over:
        snapshot = departed(snapshot, item)
    for sandbox in list(snapshot.sandboxes.values()):
        if sandbox.phase is Phase.PENDING or sandbox.container not in snapshot.containers:
            snapshot = snapshot.drop(sandbox)
    for endpoint in list(snapshot.endpoints.values()):
        if endpoint.sandbox not in snapshot.sandboxes or endpoint.network not in snapshot.networks:
            snapshot = snapshot.drop(endpoint)
    snapshot = _without_unanswered(snapshot)
    begun: list[Network | Endpoint] = [*snapshot.networks.values(), *snapshot.endpoints.values()]
    return snapshot.put(*(replace(item, phase=Phase.READY) for item in begun if item.phase is Phase.PENDING))


def _without_unanswered(snapshot: Snapshot) -> Snapshot:
    """Nobody knows what a plugin made of the last question, so what was being asked for is taken back."""
    for network in list(snapshot.networks.values()):
        if network.plugged is not None and network.phase is Phase.PENDING:
            snapshot = snapshot.put(replace(network, phase=Phase.LEAVING))
    for endpoint in list(snapshot.endpoints.values()):
        network = snapshot.networks[endpoint.network]
        if not answered(network, endpoint):
            container = snapshot.containers[endpoint.container]
            snapshot = snapshot.drop(endpoint).put(endpoint_rules.without(container, network))
    return snapshot


async def intended(intent: Intent, runtime: Runtime) -> tuple[Snapshot, Sorted]:
    """What the stored snapshot means now, and what became of its containers. Changes nothing."""
    snapshot = promised(intent.snapshot)
    ids = [NetworkID(intent.random.identifier()) for _ in DRIVERS]
    found = await _sort(snapshot.containers.values(), runtime)
    for container in found.dead:
        snapshot = without(snapshot, container.id)
    outcome = established(snapshot, intent.facts, ids, rfc3339(intent.clock.now()))
    for warning in outcome.warnings:
        _log.warning("%s", warning)
    return outcome.snapshot, found


async def recover(intent: Intent, runtime: Runtime, life: Lifecycle) -> Mapping[Key, Exception]:
    """Adopt, clean up and reconcile; what the host refused, by key. Afterwards the API may open."""
    snapshot, found = await intended(intent, runtime)
    # Before anything is forgotten: how they ended is known only as long as their traces are there.
    ends = [await _last_exit(runtime, container.id) for container in found.dead]
    intent.commit(snapshot)
    await _sweep(snapshot, runtime)
    refused = await intent.reconciler.recover()
    for container in found.living:
        life.watch(container.id)
    for end in ends:
        await life.ended(end.container, end)
    for container in snapshot.containers.values():
        if container.state.status is Status.RESTARTING:
            life.revivals.plan(container)
    return refused


async def _sweep(snapshot: Snapshot, runtime: Runtime) -> None:
    """End what runs without a promise behind it."""
    expected = {sandbox.container for sandbox in snapshot.sandboxes.values()}
    for identifier in await runtime.remembered():
        if identifier not in expected:
            _log.info("removing what is left of container %s", identifier)
            try:
                await runtime.delete(identifier)
            except BridgeheadError as error:
                _log.warning("container %s: %s", identifier, error)


async def _sort(containers: Iterable[Container], runtime: Runtime) -> Sorted:
    expected = [container for container in containers if container.state.status.has_process]
    alive = {container.id for container in expected if await runtime.alive(container.id) is not None}
    return Sorted(
        tuple(container for container in expected if container.id in alive),
        tuple(container for container in expected if container.id not in alive),
    )


async def _last_exit(runtime: Runtime, container: ContainerID) -> Exit:
    try:
        return await asyncio.wait_for(runtime.exited(container), _EXIT_PATIENCE_S)
    except (BridgeheadError, TimeoutError):
        return Exit(container, UNKNOWN_EXIT, out_of_memory=False)
