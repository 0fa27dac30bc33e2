"""What the plugins that a new network needs can do, asked before anything is decided."""

from dataclasses import dataclass, field

from bridgehead.core.facts import HostFacts
from bridgehead.core.ipam.subnets import BUILT_IN
from bridgehead.core.model.errors import PluginMissing
from bridgehead.core.model.plugged import PluggedNetwork
from bridgehead.core.model.requests import NetworkRequest
from bridgehead.core.remote import protocol
from bridgehead.engine.world import Plugins


@dataclass(frozen=True, slots=True)
class Abilities:
    """`checks_gateways`: the driver wants to be asked whether a network needs one."""

    plugged: PluggedNetwork
    checks_gateways: bool = False


@dataclass(frozen=True, slots=True)
class Addressing:
    """What an IPAM plugin says of itself, in which of its lives."""

    life: int = 0
    able: protocol.IpamCapabilities = field(default_factory=protocol.IpamCapabilities)
    spaces: protocol.AddressSpaces = field(default_factory=protocol.AddressSpaces)


def needs_plugins(request: NetworkRequest, facts: HostFacts) -> bool:
    return not request.config_only and (_needs_driver(request, facts) or _needs_ipam(request))


def _needs_driver(request: NetworkRequest, facts: HostFacts) -> bool:
    return request.driver not in facts.drivers


def _needs_ipam(request: NetworkRequest) -> bool:
    return request.ipam_driver not in BUILT_IN


class Asked:
    """What plugins said they can do: it holds for as long as they live."""

    def __init__(self, plugins: Plugins) -> None:
        self._plugins = plugins
        self._drivers: dict[str, tuple[int, protocol.NetworkCapabilities]] = {}
        self._ipams: dict[str, Addressing] = {}

    async def about(self, request: NetworkRequest, facts: HostFacts) -> Abilities:
        """
        Raises:
            PluginMissing, PluginUnreachable, PluginRefused, PluginAnswer: see `world.Plugins`.
        """
        driver, ipam = _needs_driver(request, facts), _needs_ipam(request)
        able, addressing = protocol.NetworkCapabilities(scope="local"), Addressing()
        try:
            able = await self.driver(request.driver) if driver else able
        except PluginMissing as error:
            raise error.after(f"the built-in drivers are {', '.join(sorted(facts.drivers))}") from None
        try:
            addressing = await self.ipam(request.ipam_driver) if ipam else addressing
        except PluginMissing as error:
            known = ", ".join(sorted(BUILT_IN - {""}))
            raise error.after(f"the built-in IPAM drivers are {known}") from None
        plugged = PluggedNetwork(
            driver=driver,
            ipam=ipam,
            scope=able.scope,
            space=addressing.spaces.global_default_address_space
            if able.is_global
            else addressing.spaces.local_default_address_space,
            mac_first=addressing.able.requires_mac_address,
        )
        return Abilities(plugged, checks_gateways=able.gw_alloc_checker)

    async def driver(self, name: str) -> protocol.NetworkCapabilities:
        life = await self._plugins.activate(name, protocol.NETWORK_DRIVER)
        when, known = self._drivers.get(name, (0, None))
        if known is None or when != life:
            known = await self._plugins.call(
                name, "NetworkDriver.GetCapabilities", None, protocol.NetworkCapabilities
            )
            self._drivers[name] = life, known
        return known

    async def ipam(self, name: str) -> Addressing:
        life = await self._plugins.activate(name, protocol.IPAM_DRIVER)
        known = self._ipams.get(name)
        if known is None or known.life != life:
            able = await self._plugins.call(
                name, "IpamDriver.GetCapabilities", None, protocol.IpamCapabilities
            )
            spaces = await self._plugins.call(
                name, "IpamDriver.GetDefaultAddressSpaces", None, protocol.AddressSpaces
            )
            known = self._ipams[name] = Addressing(life, able, spaces)
        return known
