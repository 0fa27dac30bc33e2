"""What plugins hold for our networks and endpoints, and how far each was told.

A call to somebody else cannot be seen in the kernel, so it is written down before it is made. ASKED on disk
means that it may have been carried out, whoever died in between.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from bridgehead.core.model.addresses import Address, Prefix


class Told(StrEnum):
    NOTHING = "nothing"
    ASKED = "asked"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class SubnetRequest:
    """Text as the client sent it; '' where nothing was said."""

    subnet: str = ""
    ip_range: str = ""
    gateway: str = ""
    auxiliary: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PoolRequest:
    """One pool asked of an IPAM plugin: what for, and the id by which the plugin knows it since."""

    family: int
    wanted: SubnetRequest
    pool: str = ""


@dataclass(frozen=True, slots=True)
class PluggedNetwork:
    """`driver`, `ipam`: whether a plugin makes the network, and whether one gives the addresses.

    `scope`: local | global, as the driver says. `space`: the IPAM plugin's address space, in its own name for
    it. `mac_first`: the IPAM plugin wants an endpoint's MAC address before it gives an address. `pools`: what
    was asked of the IPAM plugin, in the order of the network's subnets. `introduced`: CreateNetwork.
    """

    driver: bool = False
    ipam: bool = False
    scope: str = "local"
    space: str = ""
    mac_first: bool = False
    pools: tuple[PoolRequest, ...] = ()
    introduced: Told = Told.NOTHING


@dataclass(frozen=True, slots=True)
class PluginRoute:
    """`hop` None: the destination is on the link itself."""

    destination: Prefix
    hop: Address | None = None


@dataclass(frozen=True, slots=True)
class GivenAddress:
    """An address that an IPAM plugin gave, and out of which pool of its own."""

    pool: str
    address: Address


@dataclass(frozen=True, slots=True)
class PluggedEndpoint:
    """`created`, `joined`, `external`: CreateEndpoint, Join, ProgramExternalConnectivity.

    What Join answered: `source`, the link to move into the sandbox ('' for none); `gateways`; `routes`;
    `own_way_out`: the driver sees to it itself that the sandbox reaches the world, or does not want it to.
    `said`: what EndpointOperInfo told, as JSON text.
    """

    addressed: Told = Told.NOTHING
    created: Told = Told.NOTHING
    joined: Told = Told.NOTHING
    external: Told = Told.NOTHING
    given: tuple[GivenAddress, ...] = ()
    source: str = ""
    gateways: tuple[Address, ...] = ()
    routes: tuple[PluginRoute, ...] = ()
    own_way_out: bool = False
    said: str = ""
