"""Networks: list, inspect, make, remove, join, leave."""

import time
from collections.abc import Callable

from aiohttp import web

from bridgehead.api.call import Call, Entry
from bridgehead.api.query import strict_flag
from bridgehead.api.reply import json, status_only
from bridgehead.api.wire import body, filters, moment
from bridgehead.api.wire import endpoint as endpoint_wire
from bridgehead.api.wire import network as wire
from bridgehead.api.wire.filters import Filters
from bridgehead.core.model.errors import InvalidParameter, NotFound
from bridgehead.core.model.network import Network, Phase
from bridgehead.core.model.snapshot import Snapshot

_FILTERS = ("driver", "id", "name", "label", "scope", "type", "dangling")
_PRUNE_FILTERS = ("label", "label!", "until")


async def list_all(call: Call) -> web.StreamResponse:
    wanted = _wanted(filters.parse(call.query, _FILTERS), call.snapshot)
    ready = (network for network in call.snapshot.networks.values() if network.phase is not Phase.PENDING)
    return json(call.face.network_list.show(network for network in ready if wanted(network)))


def _wanted(asked: Filters, snapshot: Snapshot) -> Callable[[Network], bool]:
    if not asked:
        return lambda _: True
    dangling = filters.boolean(asked, "dangling")
    name, identifier = filters.partial(asked, "name"), filters.partial(asked, "id")
    kinds = _kinds(asked)
    used = {endpoint.network for endpoint in snapshot.endpoints.values()}

    def accepts(network: Network) -> bool:
        return (
            filters.exact(asked, "driver", network.driver)
            and filters.exact(asked, "scope", network.scope)
            and filters.labels_match(asked, network.labels)
            and name(network.name)
            and identifier(network.id)
            and network.predefined in kinds
            and dangling in (None, not network.predefined and network.id not in used)
        )

    return accepts


def _kinds(asked: Filters) -> set[bool]:
    """Which values of `predefined` the `type` filter lets through."""
    words = {"builtin": True, "custom": False}
    for text in asked.get("type", ()):
        if text not in words:
            raise InvalidParameter(f"invalid filter: 'type'='{text}'")
    return {words[text] for text in asked.get("type", ())} or {True, False}


async def inspect(call: Call) -> web.StreamResponse:
    strict_flag(call.query, "verbose")  # only a swarm has more to say, but a bad word is still refused
    network = call.snapshot.find_network(call.name)
    if call.query.get("scope", network.scope) not in ("", network.scope):
        raise NotFound(f"network {call.name} not found")
    return json(wire.show_whole(network, call.snapshot, call.engine.plugged.absent))


async def create(call: Call) -> web.StreamResponse:
    asked = await body.read(call.request, wire.CreateBody)
    network, warnings = await call.engine.networks.create(wire.request(asked))
    return json({"Id": network.id, "Warning": "\n".join(warnings)}, 201)


async def remove(call: Call) -> web.StreamResponse:
    force = strict_flag(call.query, "force")
    await call.engine.networks.remove(call.name, force=force)
    return status_only()


async def connect(call: Call) -> web.StreamResponse:
    asked = await body.read(call.request, wire.ConnectBody)
    _check_named(asked.container)
    wish = endpoint_wire.wish(asked.endpoint_config)
    await call.engine.networks.connect(call.name, asked.container, wish)
    return status_only(200)


async def disconnect(call: Call) -> web.StreamResponse:
    asked = await body.read(call.request, wire.DisconnectBody)
    _check_named(asked.container)
    await call.engine.networks.disconnect(call.name, asked.container, force=asked.force)
    return status_only(200)


def _check_named(container: str) -> None:
    if not container:
        raise InvalidParameter('invalid name or ID supplied: ""')


async def prune(call: Call) -> web.StreamResponse:
    asked = filters.parse(call.query, _PRUNE_FILTERS)
    until = filters.until(asked, time.time_ns())
    removed = await call.engine.networks.prune(
        lambda network: (
            filters.labels_match(asked, network.labels)
            and not filters.labels_spared(asked, network.labels)
            and moment.since_epoch(network.created) <= until
        )
    )
    return json({"NetworksDeleted": removed or None})


ENTRIES = (
    Entry("GET", "/networks", list_all),
    Entry("GET", "/networks/", list_all),
    Entry("GET", "/networks/{name}", inspect),
    Entry("POST", "/networks/create", create),
    Entry("POST", "/networks/prune", prune),
    Entry("DELETE", "/networks/{name}", remove),
    Entry("POST", "/networks/{name}/connect", connect),
    Entry("POST", "/networks/{name}/disconnect", disconnect),
)
