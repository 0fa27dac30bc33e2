"""The faces of this machine, put together for the engine."""

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass

from bridgehead.core.desired import BRIDGE_FILTERING, accept_ra
from bridgehead.core.drivers.bridge import route_localnet
from bridgehead.core.facts import HostFacts
from bridgehead.core.firewall.flows import Flow
from bridgehead.core.model.errors import HostRefused
from bridgehead.core.plan.objects import FORWARDING
from bridgehead.core.settings import FirewallBackend
from bridgehead.engine.planes import Host
from bridgehead.host.conntrack.cutting import Scissors
from bridgehead.host.files.plane import FilePlane
from bridgehead.host.files.sysctl import SysctlPlane
from bridgehead.host.firewalld.plane import FirewalldPlane
from bridgehead.host.iptables.links import group_of
from bridgehead.host.iptables.plane import IptablesPlane
from bridgehead.host.iptables.programs import Programs
from bridgehead.host.mounts.plane import MountPlane
from bridgehead.host.namespaces.entering import socket_in
from bridgehead.host.netlink.marks import LINK_GROUPS
from bridgehead.host.netlink.plane import LinkPlane
from bridgehead.host.nft.plane import FirewallPlane
from bridgehead.host.nft.skeleton import OWNED
from bridgehead.host.ports.plane import PortPlane
from bridgehead.host.resolver.plane import ResolverPlane

_log = logging.getLogger("bridgehead.planes")
Births = Mapping[str, asyncio.Queue[int]]


@dataclass(frozen=True, slots=True)
class Planes:
    """`births`: for each companion by name, the process ids of those met. `own_firewall_ports`: whose changes
    to the firewall are ours, by the netlink port that the kernel tells with them.
    """

    host: Host
    births: Births
    own_firewall_ports: Callable[[], Collection[int]]


def build(
    facts: HostFacts, programs: Programs, chosen: FirewallBackend, held: ExitStack, *, start: bool = True
) -> Planes:
    """With `start` False no companion is started and nothing is changed, only looked at."""
    layout = facts.layout
    births: dict[str, asyncio.Queue[int]] = {}
    resolver = ResolverPlane(layout.resolver_socket, start=start, born=_heard(births, ResolverPlane.name))
    ports = PortPlane(layout.ports_socket, start=start, born=_heard(births, PortPlane.name))
    scissors = Scissors()
    held.callback(scissors.close)
    flags = OWNED if start else 0  # who only looks owns nothing
    firewall = FirewallPlane(layout.namespaces, socket_in, _cutting(scissors), table_flags=flags)
    iptables = IptablesPlane(
        programs,
        adopted=facts.adopted,
        cut_flows=_cutting(scissors),
        needed=chosen is FirewallBackend.IPTABLES,
    )
    switches = (
        *(*FORWARDING.values(), *BRIDGE_FILTERING.values()),
        *map(accept_ra, facts.advertised),
        *map(route_localnet, facts.adopted),
    )
    for plane in (resolver, ports):
        held.callback(plane.close)
    host = Host(
        (
            FilePlane((layout.containers, layout.bundles)),
            ports,
            firewall,
            iptables,
            FirewalldPlane(_is_ours, facts.adopted),
            SysctlPlane(switches),
            LinkPlane(layout.namespaces),
            resolver,
            MountPlane(layout.containers),
        )
    )
    return Planes(host, births, lambda: {*firewall.port_ids, *iptables.child_pids})


def _is_ours(link: str) -> bool | None:
    group = group_of(link)
    return None if group is None else group in LINK_GROUPS


def _cutting(scissors: Scissors) -> Callable[[Iterable[Flow]], None]:
    def cut(flows: Iterable[Flow]) -> None:
        try:
            scissors.cut(set(flows))
        except HostRefused as error:
            # New connections are right all the same; only some that go on may still go where they went.
            _log.warning("%s", error)

    return cut


def _heard(births: dict[str, asyncio.Queue[int]], name: str) -> Callable[[int], object]:
    """What a plane calls, from its thread, with the process id of each companion it meets."""
    loop = asyncio.get_running_loop()
    heard = births[name] = asyncio.Queue()
    return lambda pid: loop.call_soon_threadsafe(heard.put_nowait, pid)
