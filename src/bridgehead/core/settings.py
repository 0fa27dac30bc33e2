"""What whoever runs the daemon asked of it, as values: dockerd's networking parameters (behaviour.md 2.3)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from bridgehead.core.images.registries import RegistryOptions
from bridgehead.core.ipam.pools import Pool
from bridgehead.core.model.addresses import Address, Interface, Prefix

NO_BRIDGE = "none"  # --bridge=none: there is no default network


class FirewallBackend(StrEnum):
    """AUTO: iptables where it can be used, else nftables."""

    AUTO = "auto"
    IPTABLES = "iptables"
    NFTABLES = "nftables"


@dataclass(frozen=True, slots=True)
class DefaultBridge:
    """The parameters that shape the network called bridge, and no other.

    name: an existing bridge to use in docker0's place, or 'none'. bip, bip6: docker0's own address with its
    subnet. fixed_cidr: where containers' addresses come from; fixed_cidr_v6 is the IPv6 subnet where bip6 is
    not given. mtu None: as the uplink. host_address: where `-p` without an address publishes.
    """

    name: str = ""
    bip: Interface | None = None
    bip6: Interface | None = None
    fixed_cidr: Prefix | None = None
    fixed_cidr_v6: Prefix | None = None
    default_gateway: Address | None = None
    default_gateway_v6: Address | None = None
    mtu: int | None = None
    icc: bool = True
    masquerade: bool = True
    ipv6: bool = False
    host_address: Address | None = None

    @property
    def absent(self) -> bool:
        return self.name == NO_BRIDGE


@dataclass(frozen=True, slots=True)
class DnsDefaults:
    """For containers that bring nothing of their own, each kind by itself."""

    servers: tuple[str, ...] = ()
    search: tuple[str, ...] = ()
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DaemonOptions:
    """`pools` empty: the predefined ones. `network_options`: by driver, for new networks that lack them."""

    bridge: DefaultBridge = field(default_factory=DefaultBridge)
    dns: DnsDefaults = field(default_factory=DnsDefaults)
    pools: tuple[Pool, ...] = ()
    network_options: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    host_gateway: Address | None = None
    iptables: bool = True
    ip6tables: bool = True
    ip_forward: bool = True
    userland_proxy: bool = True
    direct_routing: bool = False
    firewall_backend: FirewallBackend = FirewallBackend.AUTO
    registries: RegistryOptions = field(default_factory=RegistryOptions)
