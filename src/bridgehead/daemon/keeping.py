"""What the daemon keeps an eye on beside what the kernel announces: its companions, the host's name servers,
rules of iptables-legacy.
"""

import asyncio
import logging
import os

from bridgehead.core.model.errors import BridgeheadError
from bridgehead.core.plan.notice import FirewallChanged
from bridgehead.daemon.planes import Births
from bridgehead.engine.engine import Engine
from bridgehead.engine.vigil import Vigil
from bridgehead.host.iptables.programs import Programs
from bridgehead.host.machine import surroundings

_LOOK_S, _REST_S = 0.4, 5.0
_FAMILIES = {4: "ip", 6: "ip6"}
_log = logging.getLogger("bridgehead.keeping")


async def keep_companions(births: Births, engine: Engine) -> None:
    """When the resolver or the port keeper dies, a repair starts another and tells it everything."""
    async with asyncio.TaskGroup() as keeping:
        for name, queue in births.items():
            keeping.create_task(_keep(name, queue, engine))


async def _keep(name: str, births: asyncio.Queue[int], engine: Engine) -> None:
    while True:
        await _death_of(await births.get())
        _log.warning("the %s died", name)
        try:
            await engine.repair()
        except BridgeheadError as error:
            _log.warning("what the %s held is not back yet: %s", name, error)


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


async def follow_legacy_rules(programs: Programs, vigil: Vigil) -> None:
    """Nothing announces a change of iptables-legacy's rules, so somebody must look."""
    while True:
        await asyncio.sleep(_LOOK_S if programs.legacy_is_used else _REST_S)
        if changed := programs.legacy_changes():
            tables = frozenset((_FAMILIES[family], table) for family, table in changed)
            vigil.tell(FirewallChanged(tables, "a user of iptables-legacy"))


async def follow_name_servers(engine: Engine) -> None:
    async for settings in surroundings.resolv_conf_changes():
        if settings == engine.facts.resolv:
            continue
        _log.info("the host's name servers are now %s", ", ".join(settings.servers) or "none")
        try:
            await engine.follow_name_servers(settings)
        except BridgeheadError as error:
            _log.warning("not every container asks them yet: %s", error)
