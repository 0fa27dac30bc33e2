"""What the plugins that a new network needs can do, asked before anything is decided."""

from dataclasses import dataclass

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


def needs_plugins(request: NetworkRequest, facts: HostFacts) -> bool:
    return not request.config_only and (_needs_driver(request, facts) or _needs_ipam(request))


def _needs_driver(request: NetworkRequest, facts: HostFacts) -> bool:
    return request.driver not in facts.drivers


def _needs_ipam(request: NetworkRequest) -> bool:
    return request.ipam_driver not in BUILT_IN


async def ask(request: NetworkRequest, facts: HostFacts, plugins: Plugins) -> Abilities:
    """
    Raises:
        PluginMissing, PluginUnreachable, PluginRefused, PluginAnswer: see `world.Plugins`.
    """
    driver, ipam = _needs_driver(request, facts), _needs_ipam(request)
    able, addressing = protocol.NetworkCapabilities(scope="local"), protocol.IpamCapabilities()
    space = ""
    if driver:
        able = await driver_capabilities(plugins, request.driver, facts)
    if ipam:
        addressing = await ipam_capabilities(plugins, request.ipam_driver)
        spaces = await plugins.call(
            request.ipam_driver, "IpamDriver.GetDefaultAddressSpaces", None, protocol.AddressSpaces
        )
        space = spaces.global_default_address_space if able.is_global else spaces.local_default_address_space
    plugged = PluggedNetwork(
        driver=driver,
        ipam=ipam,
        scope=able.scope,
        space=space,
        mac_first=addressing.requires_mac_address,
    )
    return Abilities(plugged, checks_gateways=able.gw_alloc_checker)


async def driver_capabilities(plugins: Plugins, name: str, facts: HostFacts) -> protocol.NetworkCapabilities:
    try:
        await plugins.activate(name, protocol.NETWORK_DRIVER)
        return await plugins.call(name, "NetworkDriver.GetCapabilities", None, protocol.NetworkCapabilities)
    except PluginMissing as error:
        known = ", ".join(sorted(facts.drivers))
        raise error.after(f"the built-in drivers are {known}") from None


async def ipam_capabilities(plugins: Plugins, name: str) -> protocol.IpamCapabilities:
    try:
        await plugins.activate(name, protocol.IPAM_DRIVER)
        return await plugins.call(name, "IpamDriver.GetCapabilities", None, protocol.IpamCapabilities)
    except PluginMissing as error:
        known = ", ".join(sorted(BUILT_IN - {""}))
        raise error.after(f"the built-in IPAM drivers are {known}") from None
