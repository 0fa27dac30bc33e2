"""Builds the adapters and the engine from the settings. Nothing here decides."""

import asyncio
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from aiohttp import web

from bridgehead import __version__
from bridgehead.api import server
from bridgehead.api.identity import Identity
from bridgehead.core.desired import BRIDGE_FILTERING, FORWARDING, FORWARDING_V6, accept_ra
from bridgehead.core.drivers.bridge import BridgeDriver
from bridgehead.core.drivers.plain import PlainDriver
from bridgehead.core.facts import HostFacts
from bridgehead.core.firewall.nft import NftSpelling
from bridgehead.core.firewall.spelling import NoFirewall, Spelling
from bridgehead.core.ipam.pools import PREDEFINED_POOLS, Pool
from bridgehead.core.layout import Layout
from bridgehead.core.model.addresses import Prefix
from bridgehead.core.model.errors import BridgeheadError, InvalidParameter
from bridgehead.core.model.snapshot import Snapshot
from bridgehead.core.plan.diff import Op
from bridgehead.core.predefined import DOCKER0
from bridgehead.core.settings import DaemonOptions, FirewallBackend
from bridgehead.daemon.flags import FLAGS, Settings
from bridgehead.daemon.reloading import text
from bridgehead.engine.engine import Engine
from bridgehead.engine.engine import plan as planned
from bridgehead.engine.intent import Intent
from bridgehead.engine.reconcile import Host
from bridgehead.engine.vigil import Vigil
from bridgehead.host.files.plane import FilePlane
from bridgehead.host.files.sysctl import SysctlPlane
from bridgehead.host.images.store import LayerStore
from bridgehead.host.machine import surroundings
from bridgehead.host.machine.chance import SystemClock, SystemRandom
from bridgehead.host.mounts.plane import MountPlane
from bridgehead.host.namespaces.entering import socket_in
from bridgehead.host.netlink.plane import LinkPlane
from bridgehead.host.netlink.standing import standing, wake
from bridgehead.host.nft.plane import FirewallPlane
from bridgehead.host.ports.host_ports import KernelPorts
from bridgehead.host.ports.plane import PortPlane
from bridgehead.host.resolver.plane import ResolverPlane
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
    births: Mapping[str, asyncio.Queue[int]]


def build(settings: Settings, held: ExitStack) -> Parts:
    """Everything but the API; what needs closing is closed when `held` is.

    Raises:
        HostRefused: the store is damaged, or another daemon's.
    """
    layout = settings.layout
    for folder in (layout.containers, layout.layers, layout.namespaces, layout.bundles):
        Path(folder).mkdir(mode=0o711, parents=True, exist_ok=True)
    store = SqliteStore(layout.database)
    held.callback(store.close)
    births: dict[str, asyncio.Queue[int]] = {}
    resolver = ResolverPlane(layout.resolver_socket, born=_heard(births, ResolverPlane.name))
    ports = PortPlane(layout.ports_socket, born=_heard(births, PortPlane.name))
    held.callback(resolver.close)
    held.callback(ports.close)
    firewall = FirewallPlane(layout.namespaces, socket_in)
    watch = KernelWatch(lambda: firewall.port_ids)
    held.callback(watch.close)
    facts = _facts(settings, store.load())
    if facts.bridge is not None and not facts.bridge.ours and facts.bridge.is_bridge and not facts.bridge.up:
        wake(facts.bridge.name)
    intent = Intent(store, _host(facts, resolver, ports, firewall), facts, SystemClock(), SystemRandom())
    runtime = _runtime(layout)
    logs = ConmonLogs(layout.containers, layout.bundles)
    engine = Engine(intent, runtime, KernelPorts(), logs, LayerStore(layout.layers))
    vigil = Vigil(intent, engine.events, watch, lambda: _used_by_others(settings.options, intent.snapshot))
    return Parts(engine, vigil, runtime, births)


async def plan(settings: Settings) -> Sequence[Op]:
    """What a start would change. Looks at everything, starts and writes nothing."""
    layout = settings.layout
    store = SqliteStore(layout.database, read_only=True)
    facts = _facts(settings, store.load())
    resolver = ResolverPlane(layout.resolver_socket, start=False)
    ports = PortPlane(layout.ports_socket, start=False)
    host = _host(facts, resolver, ports, FirewallPlane(layout.namespaces, socket_in))
    intent = Intent(store, host, facts, SystemClock(), SystemRandom())
    return await planned(intent, _runtime(layout))


def _runtime(layout: Layout) -> ConmonRuntime:
    return ConmonRuntime(layout.bundles, f"{layout.exec_root}/runtime")


async def open_api(settings: Settings, parts: Parts, current: Callable[[], Settings]) -> web.AppRunner:
    """`current`: the settings as they are now, after whatever was reloaded."""
    app = server.build(parts.engine, settings.layout, lambda: identity(current(), parts))
    paths = [host.removeprefix("unix://") for host in settings.hosts]
    return await server.serve(app, paths, settings.group)


def identity(settings: Settings, parts: Parts) -> Identity:
    options = settings.options
    runtime = parts.runtime.program
    return Identity(
        version=__version__,
        engine_id=_machine_id(),
        host_name=surroundings.hostname(),
        pools=[(str(pool.base), pool.size) for pool in parts.engine.facts.pools],
        firewall=backend(options) if options.iptables else "none",
        runtime=Path(runtime).name if runtime else _RUNTIME_UNTIL_KNOWN,
        debug=settings.debug,
        labels=settings.labels,
        userland_proxy=options.userland_proxy,
    )


async def reload(parts: Parts, settings: Settings) -> None:
    """Take over what may change while the daemon runs, and make the host fit it."""
    options = settings.options
    facts = replace(parts.engine.facts, options=options, pools=_pools(options))
    texts = {flag.key: text(settings.values[flag.name]) for flag in FLAGS if flag.reloads}
    await parts.engine.reload(facts, _machine_id(), {"name": surroundings.hostname(), **texts})


def backend(options: DaemonOptions) -> FirewallBackend:
    """The firewall backend that is meant here."""
    match options.firewall_backend:
        case FirewallBackend.AUTO:
            return FirewallBackend.NFTABLES  # iptables where it is usable, once there is a spelling for it
        case chosen:
            return chosen


def _spelling(options: DaemonOptions) -> Spelling:
    if not options.iptables:
        return NoFirewall()
    match backend(options):
        case FirewallBackend.NFTABLES:
            return NftSpelling(surroundings.bridged_families())
        case other:
            raise InvalidParameter(f"firewall-backend {other} is not built yet in this version: use nftables")


def _pools(options: DaemonOptions) -> tuple[Pool, ...]:
    return options.pools or PREDEFINED_POOLS


async def keep_companions(parts: Parts) -> None:
    """When the resolver or the port keeper dies, a repair starts another and tells it everything."""
    async with asyncio.TaskGroup() as keeping:
        for name, births in parts.births.items():
            keeping.create_task(_keep(name, births, parts.engine))


async def _keep(name: str, births: asyncio.Queue[int], engine: Engine) -> None:
    while True:
        await _death_of(await births.get())
        _log.warning("the %s died", name)
        try:
            await engine.repair()
        except BridgeheadError as error:
            _log.warning("what the %s held is not back yet: %s", name, error)


async def follow_name_servers(engine: Engine) -> None:
    async for settings in surroundings.resolv_conf_changes():
        if settings == engine.facts.resolv:
            continue
        _log.info("the host's name servers are now %s", ", ".join(settings.servers) or "none")
        try:
            await engine.follow_name_servers(settings)
        except BridgeheadError as error:
            _log.warning("not every container asks them yet: %s", error)


def _heard(births: dict[str, asyncio.Queue[int]], name: str) -> Callable[[int], object]:
    """What a plane calls, from its thread, with the process id of each companion it meets."""
    loop = asyncio.get_running_loop()
    heard = births[name] = asyncio.Queue()
    return lambda pid: loop.call_soon_threadsafe(heard.put_nowait, pid)


async def _death_of(pid: int) -> None:
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    loop = asyncio.get_running_loop()
    dead = asyncio.Event()
    loop.add_reader(descriptor, dead.set)
    try:
        await dead.wait()
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)


def _host(facts: HostFacts, resolver: ResolverPlane, ports: PortPlane, firewall: FirewallPlane) -> Host:
    layout = facts.layout
    switches = (FORWARDING, FORWARDING_V6, BRIDGE_FILTERING, *map(accept_ra, facts.advertised))
    return Host(
        (
            FilePlane((layout.containers, layout.bundles)),
            ports,
            firewall,
            SysctlPlane(switches),
            LinkPlane(layout.namespaces),
            resolver,
            MountPlane(layout.containers),
        )
    )


def _facts(settings: Settings, stored: Snapshot) -> HostFacts:
    options = settings.options
    firewall = _spelling(options)
    bridge = BridgeDriver(firewall, direct_routing=options.direct_routing, masquerade6=options.ip6tables)
    drivers = (bridge, PlainDriver("host"), PlainDriver("null"))
    return HostFacts(
        layout=settings.layout,
        drivers={driver.name: driver for driver in drivers},
        firewall=firewall,
        resolv=surroundings.resolv_conf(),
        hosts_text=surroundings.hosts_text(),
        hostname=surroundings.hostname(),
        mtu=surroundings.uplink_mtu(),
        avoid=_used_by_others(options, stored),
        pools=_pools(options),
        options=options,
        bridge=None if options.bridge.absent else standing(options.bridge.name or DOCKER0),
        advertised=surroundings.advertised_uplinks(),
    )


def _used_by_others(options: DaemonOptions, snapshot: Snapshot) -> tuple[Prefix, ...]:
    ours = {network.bridge.name for network in snapshot.networks.values() if network.bridge}
    return surroundings.connected_prefixes({*ours, options.bridge.name or DOCKER0})


def _machine_id() -> str:
    try:
        return Path("/etc/machine-id").read_text(encoding="ascii").strip()
    except OSError:
        return surroundings.hostname()
