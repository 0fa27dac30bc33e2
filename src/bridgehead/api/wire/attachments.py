"""Where a container hangs: its networks as NetworkSettings shows them, running or not."""

from collections.abc import Mapping, Sequence

from bridgehead.api.wire import endpoint as wire
from bridgehead.api.wire import ports
from bridgehead.core import links, shared
from bridgehead.core.layout import Layout
from bridgehead.core.model.container import Container
from bridgehead.core.model.ids import ContainerID, NetworkID
from bridgehead.core.model.network import Endpoint, EndpointWish, Network, Phase, PortBinding, SandboxKind
from bridgehead.core.model.snapshot import Snapshot
from bridgehead.core.publishing import in_force

_DEFAULT = "bridge"
_COPIED = (
    "EndpointID",
    "Gateway",
    "GlobalIPv6Address",
    "GlobalIPv6PrefixLen",
    "IPAddress",
    "IPPrefixLen",
    "IPv6Gateway",
    "MacAddress",
)
_NOWHERE: Mapping[str, object] = {name: 0 if name.endswith("PrefixLen") else "" for name in _COPIED}


class View:
    """A snapshot indexed once, so that a list of containers need not search it for each.

    `by_hand`: whether the daemon carries to published ports what no rule leads there.
    """

    def __init__(self, snapshot: Snapshot, *, by_hand: bool) -> None:
        self.snapshot = snapshot
        self._by_hand = by_hand
        self._aliases = links.aliases(snapshot)
        self._named = {network.name: network for network in snapshot.networks.values()}
        self._endpoints: dict[ContainerID, list[Endpoint]] = {}
        self._sandboxes = {sandbox.container: sandbox for sandbox in snapshot.sandboxes.values()}
        for endpoint in snapshot.endpoints.values():
            if endpoint.phase is Phase.READY:
                self._endpoints.setdefault(endpoint.container, []).append(endpoint)

    def names(self, container: Container) -> list[str]:
        """Its own, and those that links give it."""
        return [f"/{name}" for name in sorted((container.name, *self._aliases.get(container.id, ())))]

    def endpoints(self, container: ContainerID) -> Sequence[Endpoint]:
        return self._endpoints.get(container, ())

    def ports(self, container: ContainerID) -> Sequence[PortBinding]:
        """What it has published, as it can be reached now."""
        sandbox = self._sandboxes.get(container)
        if sandbox is None or not sandbox.ports:
            return ()
        return in_force(self.snapshot, sandbox, self.endpoints(container), by_hand=self._by_hand)

    def lender(self, container: ContainerID) -> ContainerID:
        """Whose network and files it has while it runs."""
        sandbox = self._sandboxes.get(container)
        return container if sandbox is None else shared.lender(sandbox)

    def network(self, reference: str) -> Network | None:
        return self._named.get(reference) or self.snapshot.networks.get(NetworkID(reference))


def networks(container: Container, view: View) -> dict[str, dict[str, object]]:
    """Entries by network name: what is attached, and what is only wished for."""
    wished = _wished(container, view)
    shown: dict[str, dict[str, object]] = {}
    for endpoint in view.endpoints(container.id):
        network = view.snapshot.networks.get(endpoint.network)
        if network is not None and not endpoint.service:
            wished.pop(network.name, None)
            shown[network.name] = wire.show(container, endpoint.wish, network, endpoint)
    for name, (wish, network) in wished.items():
        shown[name] = wire.show(container, wish, network, None)
    return shown


def settings(container: Container, view: View, layout: Layout) -> dict[str, object]:
    """The whole of NetworkSettings."""
    attached = networks(container, view)
    default = attached.get(_DEFAULT, _NOWHERE)
    sandbox = view.snapshot.container_sandbox(container.id)
    key = ""
    if sandbox is not None and sandbox.lender is not None:
        sandbox = None  # as Docker: what another has lent is shown there alone
    if sandbox is not None:
        on_host = sandbox.kind is SandboxKind.HOST
        key = f"{layout.namespaces}/default" if on_host else layout.namespace(sandbox.namespace)
    return {
        "Bridge": "",
        "SandboxID": sandbox.id if sandbox else "",
        "SandboxKey": key,
        "Ports": ports.by_port(container, view.ports(container.id)) if sandbox else {},
        "HairpinMode": False,
        "LinkLocalIPv6Address": "",
        "LinkLocalIPv6PrefixLen": 0,
        "SecondaryIPAddresses": None,
        "SecondaryIPv6Addresses": None,
        **{name: default[name] for name in _COPIED},
        "Networks": attached,
    }


def _wished(container: Container, view: View) -> dict[str, tuple[EndpointWish, Network | None]]:
    found = {}
    for reference, wish in container.networks.items():
        network = view.network(reference)
        found[network.name if network else reference] = (wish, network)
    return found
