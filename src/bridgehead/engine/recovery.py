"""From the stored snapshot and whatever still runs to a state in which the two agree.

What was never promised to a client is forgotten, what still runs is adopted, what ended meanwhile is
recorded; then one reconciliation makes the host fit.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import replace

from bridgehead.core.model.container import Container, Status
from bridgehead.core.model.errors import BridgeheadError
from bridgehead.core.model.ids import ContainerID, NetworkID
from bridgehead.core.model.network import Endpoint, Network, Phase
from bridgehead.core.model.snapshot import Snapshot
from bridgehead.core.plan.objects import Key
from bridgehead.core.predefined import DRIVERS, missing
from bridgehead.core.time import rfc3339
from bridgehead.engine.intent import Intent
from bridgehead.engine.lifecycle import Lifecycle
from bridgehead.engine.world import Exit, Runtime

_EXIT_PATIENCE_S = 5.0
_UNKNOWN_EXIT = 255
_log = logging.getLogger("bridgehead.recovery")


def promised(snapshot: Snapshot) -> Snapshot:
    """Without the starts that were never confirmed, and with everything else that was begun promised.

    Whoever asked for it may not have heard, but a network or a connection that exists harms nobody, whereas
    a process that nobody knows of would.
    """
    starting = [item for item in snapshot.sandboxes.values() if item.phase is Phase.PENDING]
    snapshot = snapshot.drop(*starting)
    for endpoint in list(snapshot.endpoints.values()):
        if endpoint.sandbox not in snapshot.sandboxes or endpoint.network not in snapshot.networks:
            snapshot = snapshot.drop(endpoint)
    begun: list[Network | Endpoint] = [*snapshot.networks.values(), *snapshot.endpoints.values()]
    return snapshot.put(*(replace(item, phase=Phase.READY) for item in begun if item.phase is Phase.PENDING))


def with_predefined(snapshot: Snapshot, intent: Intent) -> Snapshot:
    ids = [NetworkID(intent.random.identifier()) for _ in DRIVERS]
    created = rfc3339(intent.clock.now())
    return snapshot.put(*missing(snapshot, ids, created, intent.facts.mtu))


async def recover(intent: Intent, runtime: Runtime, life: Lifecycle) -> Mapping[Key, Exception]:
    """Adopt, clean up and reconcile; what the host refused, by key."""
    intent.commit(with_predefined(promised(intent.snapshot), intent))
    await _sweep(intent.snapshot, runtime)
    living, dead = await _sort(intent.snapshot, runtime)
    refused = await intent.reconciler.recover()
    for container in living:
        life.watch(container.id)
    for container in dead:
        await life.ended(container.id, await _last_exit(runtime, container.id))
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


async def _sort(snapshot: Snapshot, runtime: Runtime) -> tuple[list[Container], list[Container]]:
    living: list[Container] = []
    dead: list[Container] = []
    for container in snapshot.containers.values():
        if container.state.status in {Status.RUNNING, Status.PAUSED}:
            alive = await runtime.alive(container.id) is not None
            (living if alive else dead).append(container)
        elif container.state.status is Status.RESTARTING:
            dead.append(container)
    return living, dead


async def _last_exit(runtime: Runtime, container: ContainerID) -> Exit:
    try:
        return await asyncio.wait_for(runtime.exited(container), _EXIT_PATIENCE_S)
    except (BridgeheadError, TimeoutError):
        return Exit(container, _UNKNOWN_EXIT, out_of_memory=False)
