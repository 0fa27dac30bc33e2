"""What the machine is like: read once at start, never guessed in here."""

from dataclasses import dataclass, field

from bridgehead.core import etc
from bridgehead.core.drivers.api import Driver, Drivers
from bridgehead.core.drivers.remote import REMOTE
from bridgehead.core.firewall.spelling import NoFirewall, Spelling
from bridgehead.core.ipam.pools import PREDEFINED_POOLS, Pool
from bridgehead.core.ipam.subnets import Occupied
from bridgehead.core.layout import Layout
from bridgehead.core.plan.filtering import FirewallRule
from bridgehead.core.ports import Relays
from bridgehead.core.settings import DaemonOptions
from bridgehead.core.standing import Standing


@dataclass(frozen=True, slots=True)
class HostFacts:
    """`mtu` is the uplink's. `bridge`: what stands under the default bridge's name. `advertised`: interfaces
    whose IPv6 default route comes from a router's advertisements. `adopted`: bridges of
    somebody else that we use. `rival`: another daemon that has a docker0. `zoned`: firewalld runs.
    `occupied`: what the host used when the daemon started, for the default network, which is decided then.
    """

    layout: Layout
    drivers: Drivers
    firewall: Spelling = field(default_factory=NoFirewall)
    resolv: etc.ResolvConf = field(default_factory=etc.ResolvConf)
    hosts_text: str = ""
    hostname: str = ""
    mtu: int = 1500
    pools: tuple[Pool, ...] = PREDEFINED_POOLS
    occupied: tuple[Occupied, ...] = ()
    options: DaemonOptions = field(default_factory=DaemonOptions)
    bridge: Standing | None = None
    adopted: frozenset[str] = frozenset()
    rival: str = ""
    advertised: tuple[str, ...] = ()
    companions: tuple[FirewallRule, ...] = ()
    zoned: bool = False

    def driver(self, name: str) -> Driver:
        """A driver of a name that is not built in is a plugin's."""
        return self.drivers.get(name, REMOTE)

    @property
    def relays(self) -> Relays:
        if not self.options.userland_proxy:
            return Relays.NONE
        return Relays.WHERE_NEEDED if self.options.iptables else Relays.ALL
