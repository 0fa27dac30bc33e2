"""A plugin in memory: a network and IPAM driver that knows what it was told, and is strict about it."""

import asyncio
import ipaddress
from typing import TypeVar, cast

import msgspec

from bridgehead.core.model.errors import PluginMissing, PluginRefused, PluginUnreachable
from bridgehead.core.remote import protocol as p
from bridgehead.core.remote.words import MAC_ADDRESS
from tests.sim.fakes import Switch

T = TypeVar("T", bound=msgspec.Struct)
NAME = "plug"


class Plugin:
    """Survives the engine. `away`: it does not answer. `refuses`: the methods it says no to. `mute`: those it
    does and does not answer. `thinking`: those it does when the event comes, and whether it has heard of one.

    The power may fail before it hears of a call, and after it has done what was asked.
    """

    def __init__(self, switch: Switch) -> None:
        self._switch = switch
        self.away = False
        self.refuses: set[str] = set()
        self.mute: set[str] = set()
        self.thinking: dict[str, asyncio.Event] = {}
        self.life = 1
        self.gateway = True
        self.own_way_out = False
        self.heard: list[str] = []
        self.networks: set[str] = set()
        self.endpoints: dict[str, set[str]] = {}  # what each was told of: joined, external
        self.pools: dict[str, set[str]] = {}
        self.leases: dict[str, str] = {}
        self.replays = False

    async def activate(self, name: str, interface: str) -> int:
        self._listen(name)
        return self.life

    async def call(self, name: str, method: str, request: msgspec.Struct | None, kind: type[T]) -> T:
        self._listen(name)
        self._switch.effect()
        word = method.rpartition(".")[2]
        self.heard.append(word)
        if word in self.thinking:
            await self.thinking[word].wait()
        if word in self.refuses:
            raise PluginRefused(f"remote: no {word}")
        if word == "GetCapabilities":
            answer = self._able(method)
        else:
            answer = getattr(self, f"_on_{word}", self._on_anything)(request)
        self._switch.effect()
        if word in self.mute:
            raise PluginUnreachable(f"plug did not answer {word}")
        return cast("T", answer or kind())

    def known(self) -> list[str]:
        return [NAME]

    async def close(self) -> None: ...

    def _listen(self, name: str) -> None:
        if name != NAME:
            raise PluginMissing(name, "nowhere")
        if self.away:
            raise PluginUnreachable("plug is away")

    def _able(self, method: str) -> msgspec.Struct:
        if method.startswith(p.NETWORK_DRIVER):
            return p.NetworkCapabilities(scope="local")
        return p.IpamCapabilities(requires_mac_address=True, requires_request_replay=self.replays)

    def _on_anything(self, request: msgspec.Struct | None) -> None: ...

    def _on_GetDefaultAddressSpaces(self, request: None) -> p.AddressSpaces:  # noqa: N802 - the wire's words
        return p.AddressSpaces(local_default_address_space="here", global_default_address_space="all")

    def _on_RequestPool(self, request: p.RequestPool) -> p.Pool:  # noqa: N802
        pool = request.pool or "10.99.0.0/24"
        self.pools.setdefault(pool, set())
        return p.Pool(pool_id=pool, pool=pool)

    def _on_ReleasePool(self, request: p.ReleasePool) -> None:  # noqa: N802
        self._known(request.pool_id, self.pools)
        del self.pools[request.pool_id]

    def _on_RequestAddress(self, request: p.RequestAddress) -> p.GivenAddress:  # noqa: N802
        self._known(request.pool_id, self.pools)
        taken = self.pools[request.pool_id]
        network = ipaddress.ip_network(request.pool_id)
        mac = (request.options or {}).get(MAC_ADDRESS, "")
        free = (str(host) for host in network.hosts() if str(host) not in taken)
        chosen = request.address or self.leases.get(mac) or next(free)
        taken.add(chosen)
        if mac:
            self.leases[mac] = chosen  # asked for again, it is the same
        return p.GivenAddress(address=f"{chosen}/{network.prefixlen}")

    def _on_ReleaseAddress(self, request: p.ReleaseAddress) -> None:  # noqa: N802
        self._known(request.pool_id, self.pools)
        self._known(request.address, self.pools[request.pool_id])
        self.pools[request.pool_id].discard(request.address)
        self.leases = {mac: address for mac, address in self.leases.items() if address != request.address}

    def _on_CreateNetwork(self, request: p.CreateNetwork) -> None:  # noqa: N802
        self.networks.add(request.network_id)

    def _on_DeleteNetwork(self, request: p.DeleteNetwork) -> None:  # noqa: N802
        self._known(request.network_id, self.networks)
        self.networks.discard(request.network_id)

    def _on_CreateEndpoint(self, request: p.CreateEndpoint) -> p.CreatedEndpoint:  # noqa: N802
        self._known(request.network_id, self.networks)
        self.endpoints.setdefault(request.endpoint_id, set())
        return p.CreatedEndpoint()

    def _on_DeleteEndpoint(self, request: p.DeleteEndpoint) -> None:  # noqa: N802
        self._known(request.endpoint_id, self.endpoints)
        del self.endpoints[request.endpoint_id]

    def _on_Join(self, request: p.Join) -> p.Joined:  # noqa: N802
        self._known(request.endpoint_id, self.endpoints)
        self.endpoints[request.endpoint_id].add("joined")
        return p.Joined(
            interface_name=p.InterfaceName(src_name=f"p{request.endpoint_id[:7]}", dst_prefix="eth"),
            gateway="10.50.0.1" if self.gateway else "",
            disable_gateway_service=self.own_way_out,
        )

    def _on_Leave(self, request: p.Leave) -> None:  # noqa: N802
        self._known(request.endpoint_id, self.endpoints)
        self.endpoints[request.endpoint_id].discard("joined")

    def _on_ProgramExternalConnectivity(self, request: p.OfEndpoint) -> None:  # noqa: N802
        self.endpoints[request.endpoint_id].add("external")

    def _on_RevokeExternalConnectivity(self, request: p.OfEndpoint) -> None:  # noqa: N802
        self._known(request.endpoint_id, self.endpoints)
        self.endpoints[request.endpoint_id].discard("external")

    def _known(self, identifier: str, among: object) -> None:
        if identifier not in among:  # type: ignore[operator] - a set or a dict
            raise PluginRefused(f"remote: {identifier} is not known")
