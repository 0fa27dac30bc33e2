"""Telling a plugin that something goes: what it says against that holds nobody back, unless it matters."""

import logging

from bridgehead.core.model.errors import BridgeheadError
from bridgehead.core.remote import protocol
from bridgehead.core.remote.farewells import Goodbye
from bridgehead.engine.plugged.absence import ABSENT
from bridgehead.engine.world import Plugins

_log = logging.getLogger("bridgehead.plugged.parting")


async def tell(plugins: Plugins, goodbye: Goodbye, told_no: tuple[type[BridgeheadError], ...] = ()) -> None:
    """
    Raises:
        PluginMissing, PluginUnreachable: it is away, and has to be told later.
        told_no: it said this.
    """
    plugin, method, request = goodbye
    raised: tuple[type[BridgeheadError], ...] = (*ABSENT, *told_no)
    try:
        await plugins.call(plugin, method, request, protocol.Nothing)
    except raised:
        raise
    except BridgeheadError as error:
        _log.warning("plugin %s: %s: %s", plugin, method, error)
