"""Links of the old kind, on the default bridge: what a container learns of another, and may reach of it.

Nothing here is remembered: every line, variable and rule follows from who is linked and where the source is
now. Links on user-defined networks are names alone, and belong to the resolver's view.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from bridgehead.core.model.addresses import Address
from bridgehead.core.model.container import Container
from bridgehead.core.model.errors import Conflict
from bridgehead.core.model.ids import ContainerID, SandboxID
from bridgehead.core.model.network import Endpoint
from bridgehead.core.model.snapshot import Snapshot

NETWORK = "bridge"
_LEAST_RUN = 3  # ports in a row that get a START and an END, as Docker counts
_OWN_VARIABLES = ("HOME", "PATH")  # of no use to anybody else
Port = tuple[int, str]


@dataclass(frozen=True, slots=True)
class Linked:
    """One link whose source is there; `endpoint` None while the source has none on the default bridge."""

    alias: str
    source: Container
    endpoint: Endpoint | None

    @property
    def address(self) -> Address | None:
        found = self.endpoint.addresses if self.endpoint else ()
        return next((address.ip for address in found if address.version == 4), None)

    @property
    def ports(self) -> list[Port]:
        """Lowest first, tcp before others on equal numbers."""
        return exposed(self.source)


def linked(snapshot: Snapshot, recipient: Container) -> Iterator[Linked]:
    """The links of a container in order; one whose source was removed is over, and an alias counts once."""
    taken: set[str] = set()
    for link in recipient.spec.links:
        source = snapshot.containers.get(ContainerID(link.target))
        if source is not None and link.alias not in taken:
            taken.add(link.alias)
            yield Linked(link.alias, source, _endpoint(snapshot, source))


def effective(snapshot: Snapshot, recipient: Container) -> list[Linked]:
    """Those that mean something now: a recipient that has left the default bridge keeps its links, idle."""
    return list(linked(snapshot, recipient)) if NETWORK in recipient.networks else []


def required(snapshot: Snapshot, recipient: Container) -> list[Linked]:
    """The links as a start needs them: every source runs, on the default bridge.

    Raises:
        Conflict: one does not; it is named.
    """
    found = effective(snapshot, recipient)
    for item in found:
        if NETWORK not in item.source.networks:
            raise Conflict(
                f"Cannot link to /{item.source.name}, as it does not belong to the default network"
            )
        if not item.source.state.status.has_process or item.address is None:
            what = f"/{item.source.name} AS /{recipient.name}/{item.alias}"
            raise Conflict(f"Cannot link to a non running container: {what}")
    return found


def environment(recipient: Container, found: Sequence[Linked]) -> tuple[str, ...]:
    """What the recipient's processes are told; nothing of a source that has no address now."""
    return tuple(
        variable
        for item in found
        if item.address is not None
        for variable in _variables(recipient, item, item.address)
    )


def informed(snapshot: Snapshot, recipient: Container) -> Container:
    """The container with its links' variables beneath its own, as its main process is to see them.

    Raises:
        Conflict: see `required`.
    """
    told = environment(recipient, required(snapshot, recipient))
    if not told:
        return recipient
    process = recipient.spec.process
    process = replace(process, environment=(*told, *process.environment))
    return replace(recipient, spec=replace(recipient.spec, process=process))


def host_lines(found: Sequence[Linked]) -> list[tuple[str, str]]:
    """(address, names) of every source that runs: a name never leads to a later holder of an old address."""
    return [
        (
            str(item.address),
            " ".join(dict.fromkeys((item.alias, item.source.spec.hostname, item.source.name))),
        )
        for item in found
        if item.address is not None
    ]


def exposed(source: Container) -> list[Port]:
    ports = (key.partition("/") for key in source.spec.exposed_ports)
    return sorted(((int(port), protocol) for port, _, protocol in ports), key=_tcp_first)


def recipients(snapshot: Snapshot, sources: Collection[ContainerID]) -> set[SandboxID]:
    """The sandboxes of the running containers that are linked to one of these."""
    return {
        sandbox.id
        for sandbox in (snapshot.sandboxes.values() if sources else ())
        if (container := snapshot.containers.get(sandbox.container)) is not None
        and any(link.target in sources for link in container.spec.links)
    }


def aliases(snapshot: Snapshot) -> dict[ContainerID, list[str]]:
    """The further names that links give containers, each `recipient/alias`."""
    found: dict[ContainerID, list[str]] = {}
    for recipient in snapshot.containers.values():
        for item in linked(snapshot, recipient) if recipient.spec.links else ():
            found.setdefault(item.source.id, []).append(f"{recipient.name}/{item.alias}")
    return found


def without(recipient: Container, alias: str) -> Container:
    kept = tuple(link for link in recipient.spec.links if link.alias != alias)
    return replace(recipient, spec=replace(recipient.spec, links=kept))


def _endpoint(snapshot: Snapshot, container: Container) -> Endpoint | None:
    network = snapshot.network_named(NETWORK)
    attached = snapshot.network_endpoints(network.id) if network else ()
    return next((endpoint for endpoint in attached if endpoint.container == container.id), None)


def _variables(recipient: Container, item: Linked, address: Address) -> Iterator[str]:
    prefix = item.alias.upper().replace("-", "_")
    ports = item.ports
    if ports:
        yield f"{prefix}_PORT={_url(ports[0], address)}"
    for first, last in _runs(ports):
        name = _name(prefix, first)
        yield f"{name}_START={_url(first, address)}"
        yield f"{name}_PORT_START={first[0]}"
        yield f"{name}_END={_url(last, address)}"
        yield f"{name}_PORT_END={last[0]}"
    for port in ports:
        name = _name(prefix, port)
        yield f"{name}={_url(port, address)}"
        yield f"{name}_ADDR={address}"
        yield f"{name}_PORT={port[0]}"
        yield f"{name}_PROTO={port[1]}"
    yield f"{prefix}_NAME=/{recipient.name}/{item.alias}"
    for variable in item.source.spec.process.environment:
        name, equals, value = variable.partition("=")
        if equals and name not in _OWN_VARIABLES:
            yield f"{prefix}_ENV_{name}={value}"


def _runs(ports: Sequence[Port]) -> Iterator[tuple[Port, Port]]:
    """First and last of every row of consecutive ports of one protocol."""
    for protocol in dict.fromkeys(protocol for _, protocol in ports):
        numbers = [port for port, own in ports if own == protocol]
        breaks = [at for at, (one, next_) in enumerate(pairwise(numbers), 1) if next_ != one + 1]
        for begin, end in pairwise([0, *breaks, len(numbers)]):
            if end - begin >= _LEAST_RUN:
                yield (numbers[begin], protocol), (numbers[end - 1], protocol)


def _tcp_first(port: Port) -> tuple[int, bool, str]:
    return port[0], port[1] != "tcp", port[1]


def _name(prefix: str, port: Port) -> str:
    return f"{prefix}_PORT_{port[0]}_{port[1].upper()}"


def _url(port: Port, address: Address) -> str:
    return f"{port[1]}://{address}:{port[0]}"
