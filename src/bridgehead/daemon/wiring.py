"""Builds the adapters and the engine from the settings. Nothing here decides."""

import logging
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from bridgehead import __version__
from bridgehead.api import server
from bridgehead.api.identity import Identity
from bridgehead.api.tls import TlsFiles
from bridgehead.core.drivers.bridge import BridgeDriver
from bridgehead.core.drivers.ipvlan import IPVLAN
from bridgehead.core.drivers.macvlan import MACVLAN
from bridgehead.core.drivers.plain import PlainDriver
from bridgehead.core.facts import HostFacts
from bridgehead.core.ipam.pools import PREDEFINED_POOLS, Pool, with_own_ipv6
from bridgehead.core.layout import Layout
from bridgehead.core.model.errors import BridgeheadError
from bridgehead.core.model.snapshot import Snapshot
from bridgehead.core.plan.diff import Op
from bridgehead.core.predefined import DOCKER0
from bridgehead.core.settings import DaemonOptions, FirewallBackend
from bridgehead.core.standing import Standing
from bridgehead.daemon import planes, rules
from bridgehead.daemon.flags import FLAGS, Settings
from bridgehead.daemon.planes import Births
from bridgehead.daemon.reloading import text
from bridgehead.daemon.rules import OtherFirewalls
from bridgehead.engine.engine import Adapters, Engine
from bridgehead.engine.engine import plan as planned
from bridgehead.engine.intent import Intent
from bridgehead.engine.planes import Host
from bridgehead.engine.vigil import Vigil
from bridgehead.host.copying.copies import ContainerCopies
from bridgehead.host.files.volumes import LocalVolumes
from bridgehead.host.images.store import LayerStore
from bridgehead.host.iptables.programs import Programs
from bridgehead.host.machine import surroundings
from bridgehead.host.machine.chance import SystemClock, SystemRandom
from bridgehead.host.machine.occupied import HostSurroundings
from bridgehead.host.machine.rival import rival
from bridgehead.host.namespaces.guests import KernelNamespaces
from bridgehead.host.netlink.parents import HostParents
from bridgehead.host.netlink.standing import standing, wake
from bridgehead.host.plugin.late import LatePlugins
from bridgehead.host.ports.host_ports import KernelPorts
from bridgehead.host.registry.registries import HttpRegistries
from bridgehead.host.runtime.logs import ConmonLogs
from bridgehead.host.runtime.runtime import ConmonRuntime
from bridgehead.host.store.sqlite import SqliteStore
from bridgehead.host.watch.watch import KernelWatch

_log = logging.getLogger("bridgehead.wiring")
_RUNTIME_UNTIL_KNOWN = "runc"


@dataclass(frozen=True, slots=True)
class Parts:
    engine: Engine
    vigil: Vigil
    runtime: ConmonRuntime
    births: Births
    firewall: FirewallBackend
    programs: Programs


def build(settings: Settings, held: ExitStack) -> Parts:
    """Everything but the API; what needs closing is closed when `held` is.

    Raises:
        HostRefused: the store is damaged, or another daemon's; or a chosen firewall cannot be used.
    """
    layout = settings.layout
    for folder in (layout.containers, layout.layers, layout.volumes, layout.namespaces, layout.bundles):
        Path(folder).mkdir(mode=0o711, parents=True, exist_ok=True)
    store = SqliteStore(layout.database)
    held.callback(store.close)
    programs = Programs()
    chosen = rules.backend(settings.options, programs)
    neighbours = OtherFirewalls(programs, chosen, settings.options)
    around = HostSurroundings()
    held.callback(around.close)
    facts = _facts(settings, chosen, neighbours, store.load(), around)
    if facts.bridge is not None and not facts.bridge.ours and facts.bridge.is_bridge and not facts.bridge.up:
        wake(facts.bridge.name)
    machine = planes.build(facts, programs, chosen, held)
    watch = KernelWatch(machine.own_firewall_ports)
    held.callback(watch.close)
    intent = _intent(store, machine.host, facts, around)
    runtime = _runtime(layout)
    adapters = Adapters(
        runtime=runtime,
        ports=KernelPorts(),
        logs=ConmonLogs(layout.containers, layout.bundles),
        images=LayerStore(layout.layers),
        plugins=LatePlugins(),
        namespaces=KernelNamespaces(),
        volumes=LocalVolumes(layout.volumes),
        registries=HttpRegistries(lambda: intent.facts.options.registries),
        copies=ContainerCopies(),
    )
    engine = Engine(intent, adapters)
    vigil = Vigil(intent, engine.events, watch, neighbours)
    return Parts(engine, vigil, runtime, machine.births, chosen, programs)


async def plan(settings: Settings) -> Sequence[Op]:
    """What a start would change. Looks at everything, starts and writes nothing."""
    layout = settings.layout
    store = SqliteStore(layout.database, read_only=True)
    programs = Programs()
    chosen = rules.backend(settings.options, programs)
    neighbours = OtherFirewalls(programs, chosen, settings.options)
    around = HostSurroundings()
    facts = _facts(settings, chosen, neighbours, store.load(), around)
    with ExitStack() as held:
        held.callback(around.close)
        host = planes.build(facts, programs, chosen, held, start=False).host
        return await planned(_intent(store, host, facts, around), _runtime(layout), KernelNamespaces())


def _intent(store: SqliteStore, host: Host, facts: HostFacts, around: HostSurroundings) -> Intent:
    return Intent(store, host, facts, SystemClock(), SystemRandom(), around, HostParents())


def _runtime(layout: Layout) -> ConmonRuntime:
    return ConmonRuntime(layout.bundles, f"{layout.exec_root}/runtime")


async def open_api(settings: Settings, parts: Parts, current: Callable[[], Settings]) -> server.Served:
    """`current`: the settings as they are now, after whatever was reloaded."""
    app = server.build(parts.engine, settings.layout, lambda: identity(current(), parts))
    doors = settings.doors
    tcp = server.Tcp(doors.tcp, _certificates(settings) if doors.secured else None)
    if tcp.addresses and not doors.verified:
        _log.warning(
            "Binding to IP address without --tlsverify is insecure and gives root access on this machine "
            "to everyone who has access to your network."
        )
    return await server.serve(app, doors.paths, settings.group, tcp)


def _certificates(settings: Settings) -> TlsFiles:
    doors = settings.doors
    return TlsFiles(doors.certificate, doors.key, doors.authority)


def renew_certificates(settings: Settings, served: server.Served) -> None:
    """Read anew for the clients to come. Files that make no sense leave those in force."""
    try:
        served.renew(_certificates(settings))
    except BridgeheadError as error:
        _log.error("the certificates stay as they were: %s", error.message)


def identity(settings: Settings, parts: Parts) -> Identity:
    options = settings.options
    runtime = parts.runtime.program
    return Identity(
        version=__version__,
        engine_id=_machine_id(),
        host_name=surroundings.hostname(),
        pools=[(str(pool.base), pool.size) for pool in parts.engine.facts.pools],
        firewall=_firewall(parts) if options.iptables else "none",
        runtime=Path(runtime).name if runtime else _RUNTIME_UNTIL_KNOWN,
        debug=settings.debug,
        labels=settings.labels,
        userland_proxy=options.userland_proxy,
        registries=options.registries,
    )


def _firewall(parts: Parts) -> str:
    return f"{parts.firewall}+firewalld" if parts.engine.facts.zoned else str(parts.firewall)


async def reload(parts: Parts, settings: Settings) -> None:
    """Take over what may change while the daemon runs, and make the host fit it."""
    options = settings.options
    facts = replace(parts.engine.facts, options=options, pools=_pools(options))
    texts = {flag.key: text(settings.values[flag.name]) for flag in FLAGS if flag.reloads}
    await parts.engine.reload(facts, _machine_id(), {"name": surroundings.hostname(), **texts})


def _pools(options: DaemonOptions) -> tuple[Pool, ...]:
    return with_own_ipv6(options.pools or PREDEFINED_POOLS, _machine_id())


def _facts(
    settings: Settings,
    chosen: FirewallBackend,
    neighbours: OtherFirewalls,
    stored: Snapshot,
    around: HostSurroundings,
) -> HostFacts:
    options = settings.options
    bridge = None if options.bridge.absent else standing(options.bridge.name or DOCKER0)
    adopted = _adopted(bridge, stored)
    firewall = rules.spelling(options, chosen, adopted)
    bridging = BridgeDriver(firewall, direct_routing=options.direct_routing, masquerade6=options.ip6tables)
    drivers = (bridging, MACVLAN, IPVLAN, PlainDriver("host"), PlainDriver("null"))
    return HostFacts(
        layout=settings.layout,
        drivers={driver.name: driver for driver in drivers},
        firewall=firewall,
        resolv=surroundings.resolv_conf(),
        hosts_text=surroundings.hosts_text(),
        hostname=surroundings.hostname(),
        mtu=surroundings.uplink_mtu(),
        occupied=tuple(around.occupied({*_bridges(stored), options.bridge.name or DOCKER0})),
        pools=_pools(options),
        options=options,
        bridge=bridge,
        adopted=adopted,
        rival=rival() if bridge and not bridge.ours else "",
        advertised=surroundings.advertised_uplinks(),
        companions=neighbours.companions(),
        zoned=neighbours.zoned(),
    )


def _bridges(stored: Snapshot) -> set[str]:
    return {network.bridge.name for network in stored.networks.values() if network.bridge}


def _adopted(bridge: Standing | None, stored: Snapshot) -> frozenset[str]:
    """What we use of others': now, and what containers may still be plugged into from an earlier start."""
    bridges = (network.bridge for network in stored.networks.values() if network.bridge)
    earlier = frozenset(item.name for item in bridges if not item.managed)
    return earlier | {bridge.name} if bridge and not bridge.ours else earlier


def _machine_id() -> str:
    try:
        return Path("/etc/machine-id").read_text(encoding="ascii").strip()
    except OSError:
        return surroundings.hostname()
