"""Which of the host's ports a container gets: decided with its sandbox, and claimed before anything else."""

import asyncio
from dataclasses import replace

from bridgehead.core import ports
from bridgehead.core.desired import sandbox_owners
from bridgehead.core.gateway import gateway_order
from bridgehead.core.model.addresses import Address
from bridgehead.core.model.container import Container, PortRequest
from bridgehead.core.model.errors import BridgeheadError, Conflict
from bridgehead.core.model.ids import SandboxID
from bridgehead.core.model.network import Endpoint, Network, PortBinding, Sandbox
from bridgehead.core.model.snapshot import Snapshot
from bridgehead.core.publishing import carriers
from bridgehead.engine.intent import Intent
from bridgehead.engine.world import HostPorts

_ATTEMPTS = 5  # each loses a port only to a process that took it within the last milliseconds


class Publishing:
    def __init__(self, intent: Intent, host: HostPorts) -> None:
        self._intent = intent
        self._host = host

    async def look(self, container: Container) -> HostPorts:
        """The host's ports for `assigned`. Where any will do, they are read now, and where nobody waits: the
        kernel takes its time over a table of thousands of sockets.
        """
        if all(map(ports.exact, requests(container))):
            return self._host
        return await asyncio.to_thread(ports.Seen.now, self._host)

    def awaited(self, snapshot: Snapshot, identifier: SandboxID, host: HostPorts) -> Snapshot:
        """With the ports the sandbox's container wants, if it has none and there is a way in by now.

        Raises:
            Conflict: see `assigned`.
        """
        sandbox = snapshot.sandboxes.get(identifier)
        if sandbox is None or sandbox.ports:
            return snapshot
        container = snapshot.containers[sandbox.container]
        given = self.assigned(snapshot, container, sandbox, host)
        return snapshot if given == sandbox else snapshot.put(given)

    def assigned(
        self, snapshot: Snapshot, container: Container, sandbox: Sandbox, host: HostPorts
    ) -> Sandbox:
        """The sandbox with the ports its container wants, once it has a way in; `host` is from `look`.

        Raises:
            Conflict: one is another container's, which is named; or a range has none left.
        """
        attached = gateway_order(snapshot, snapshot.sandbox_endpoints(sandbox.id))
        ways = carriers(attached)
        wanted = requests(container)
        if not ways or not wanted:
            return replace(sandbox, ports=())
        endpoint, network = next(iter(ways.values()))
        try:
            return replace(sandbox, ports=self._chosen(snapshot, sandbox, wanted, network, host))
        except BridgeheadError as error:
            raise _named(error, container, endpoint) from error

    async def claim(self, container: Container, sandbox: Sandbox) -> Sandbox:
        """Hold the sandbox's ports on the host; where the user left the choice, others if one was lost.

        Raises:
            Conflict, HostRefused: a port cannot be had; whoever has it is named.
        """
        for _ in range(_ATTEMPTS):
            try:
                await self._intent.reconciler.settle([sandbox_owners(sandbox).ports])
            except Conflict as error:
                again = self._another_choice(container, sandbox, await self.look(container))
                if again == sandbox:
                    raise self._explained(error, container, sandbox) from error
                sandbox = again
            except BridgeheadError as error:
                raise self._explained(error, container, sandbox) from error
            else:
                break
        return sandbox

    def _another_choice(self, container: Container, sandbox: Sandbox, host: HostPorts) -> Sandbox:
        snapshot = self._intent.snapshot
        again = self.assigned(snapshot, container, sandbox, host)
        if again != sandbox:
            self._intent.commit(snapshot.put(again))
        return again

    def _chosen(
        self,
        snapshot: Snapshot,
        sandbox: Sandbox,
        wanted: tuple[PortRequest, ...],
        network: Network,
        host: HostPorts,
    ) -> tuple[PortBinding, ...]:
        taken = {
            port: snapshot.containers[other.container].name
            for other in snapshot.sandboxes.values()
            if other.id != sandbox.id
            for port in other.ports
        }
        return ports.assign(wanted, _everywhere(network, host), taken, host)

    def _explained(self, error: BridgeheadError, container: Container, sandbox: Sandbox) -> BridgeheadError:
        snapshot = self._intent.snapshot
        ways = carriers(gateway_order(snapshot, snapshot.sandbox_endpoints(sandbox.id)))
        return _named(error, container, next(iter(ways.values()))[0]) if ways else error


def _everywhere(network: Network, host: HostPorts) -> tuple[Address, ...]:
    """Where a port goes whose user named no address."""
    if network.bridge is not None and network.bridge.host_binding is not None:
        return (network.bridge.host_binding,)
    return host.everywhere()


def requests(container: Container) -> tuple[PortRequest, ...]:
    """What `-p` asks for, and with `-P` every exposed port that it does not."""
    spec = container.spec
    if not spec.publish_all:
        return spec.published_ports
    named = {(item.container_port, item.protocol) for item in spec.published_ports}
    exposed = (key.partition("/") for key in spec.exposed_ports)
    rest = [(int(port), protocol) for port, _, protocol in exposed if (int(port), protocol) not in named]
    return (*spec.published_ports, *(PortRequest(protocol, port) for port, protocol in rest))


def _named(error: BridgeheadError, container: Container, endpoint: Endpoint) -> BridgeheadError:
    sentence = (
        f"driver failed programming external connectivity on endpoint {container.name} ({endpoint.id}): "
        f"{error.message}"
    )
    return type(error)(sentence)
