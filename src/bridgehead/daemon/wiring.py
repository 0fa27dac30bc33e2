"""Builds the adapters and the engine from the settings. Nothing here decides."""

import asyncio
import logging
import os
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from bridgehead import __version__
from bridgehead.api import server
from bridgehead.api.identity import Identity
from bridgehead.core.desired import BRIDGE_FILTERING, FORWARDING
from bridgehead.core.drivers.bridge import BridgeDriver
from bridgehead.core.drivers.plain import PlainDriver
from bridgehead.core.facts import HostFacts
from bridgehead.core.firewall.nft import NftSpelling
from bridgehead.core.ipam.pools import PREDEFINED_POOLS
from bridgehead.core.layout import Layout
from bridgehead.core.model.errors import BridgeheadError
from bridgehead.core.model.snapshot import Snapshot
from bridgehead.core.plan.diff import Op
from bridgehead.daemon.flags import Settings
from bridgehead.engine.engine import Engine
from bridgehead.engine.engine import plan as planned
from bridgehead.engine.intent import Intent
from bridgehead.engine.reconcile import Host
from bridgehead.host.files.plane import FilePlane
from bridgehead.host.files.sysctl import SysctlPlane
from bridgehead.host.images.store import LayerStore
from bridgehead.host.machine import surroundings
from bridgehead.host.machine.chance import SystemClock, SystemRandom
from bridgehead.host.mounts.plane import MountPlane
from bridgehead.host.namespaces.entering import socket_in
from bridgehead.host.netlink.plane import LinkPlane
from bridgehead.host.nft.plane import FirewallPlane
from bridgehead.host.resolver.plane import ResolverPlane
from bridgehead.host.runtime.logs import ConmonLogs
from bridgehead.host.runtime.runtime import ConmonRuntime
from bridgehead.host.store.sqlite import SqliteStore

_log = logging.getLogger("bridgehead.wiring")


@dataclass(frozen=True, slots=True)
class Parts:
    layout: Layout
    engine: Engine
    runtime: ConmonRuntime
    resolver_births: asyncio.Queue[int]


def build(layout: Layout, held: ExitStack) -> Parts:
    """Everything but the API; what needs closing is closed when `held` is.

    Raises:
        HostRefused: the store is damaged, or another daemon's.
    """
    for folder in (layout.containers, layout.layers, layout.namespaces, layout.bundles):
        Path(folder).mkdir(mode=0o711, parents=True, exist_ok=True)
    store = SqliteStore(layout.database)
    held.callback(store.close)
    births: asyncio.Queue[int] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    resolver = ResolverPlane(
        layout.resolver_socket, born=lambda pid: loop.call_soon_threadsafe(births.put_nowait, pid)
    )
    held.callback(resolver.close)
    intent = Intent(
        store, _host(layout, resolver), _facts(layout, store.load()), SystemClock(), SystemRandom()
    )
    runtime = _runtime(layout)
    logs = ConmonLogs(layout.containers, layout.bundles)
    return Parts(layout, Engine(intent, runtime, logs, LayerStore(layout.layers)), runtime, births)


async def plan(layout: Layout) -> Sequence[Op]:
    """What a start would change. Looks at everything, starts and writes nothing."""
    store = SqliteStore(layout.database, read_only=True)
    host = _host(layout, ResolverPlane(layout.resolver_socket, start=False))
    intent = Intent(store, host, _facts(layout, store.load()), SystemClock(), SystemRandom())
    return await planned(intent, _runtime(layout))


def _runtime(layout: Layout) -> ConmonRuntime:
    return ConmonRuntime(layout.bundles, f"{layout.exec_root}/runtime")


async def open_api(settings: Settings, parts: Parts) -> web.AppRunner:
    identity = Identity(
        version=__version__,
        engine_id=_machine_id(),
        host_name=surroundings.hostname(),
        pools=[(str(pool.base), pool.size) for pool in PREDEFINED_POOLS],
    )
    app = server.build(parts.engine, settings.layout, identity)
    paths = [host.removeprefix("unix://") for host in settings.hosts]
    return await server.serve(app, paths, settings.group)


async def keep_resolver(parts: Parts) -> None:
    """When a resolver dies, a repair starts another and tells it everything."""
    while True:
        await _death_of(await parts.resolver_births.get())
        _log.warning("the resolver died")
        try:
            await parts.engine.repair()
        except BridgeheadError as error:
            _log.warning("names are not back yet: %s", error)


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


def _host(layout: Layout, resolver: ResolverPlane) -> Host:
    return Host(
        (
            FilePlane((layout.containers, layout.bundles)),
            FirewallPlane(layout.namespaces, socket_in),
            SysctlPlane((FORWARDING, BRIDGE_FILTERING)),
            LinkPlane(layout.namespaces),
            resolver,
            MountPlane(layout.containers),
        )
    )


def _facts(layout: Layout, stored: Snapshot) -> HostFacts:
    firewall = NftSpelling()
    drivers = (BridgeDriver(firewall), PlainDriver("host"), PlainDriver("null"))
    ours = {network.bridge.name for network in stored.networks.values() if network.bridge}
    return HostFacts(
        layout=layout,
        drivers={driver.name: driver for driver in drivers},
        firewall=firewall,
        resolv=surroundings.resolv_conf(),
        hosts_text=surroundings.hosts_text(),
        hostname=surroundings.hostname(),
        mtu=surroundings.uplink_mtu(),
        avoid=surroundings.connected_prefixes({*ours, "docker0"}),
    )


def _machine_id() -> str:
    try:
        return Path("/etc/machine-id").read_text(encoding="ascii").strip()
    except OSError:
        return surroundings.hostname()
