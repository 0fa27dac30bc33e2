"""Volumes: make, list, inspect, remove, prune."""

from aiohttp import web

from bridgehead.api.call import Call, Entry
from bridgehead.api.query import strict_flag
from bridgehead.api.reply import json, status_only
from bridgehead.api.version import Version
from bridgehead.api.wire import body, filters
from bridgehead.api.wire import volume as wire
from bridgehead.core.volumes import find

_SPARES_NAMED = Version(1, 42)
"""From here on a prune leaves volumes with a name alone, unless told otherwise."""


async def create(call: Call) -> web.StreamResponse:
    asked = await body.read(call.request, wire.CreateBody)
    volume = await call.engine.volumes.create(wire.request(asked))
    return json(wire.show(volume, call.face.layout), 201)


async def list_all(call: Call) -> web.StreamResponse:
    accepts = wire.wanted(filters.parse(call.query, wire.FILTERS), call.snapshot)
    found = [volume for volume in call.engine.volumes.present() if accepts(volume)]
    found.sort(key=lambda volume: volume.id)
    return json({"Volumes": [wire.show(volume, call.face.layout) for volume in found], "Warnings": None})


async def inspect(call: Call) -> web.StreamResponse:
    return json(wire.show(find(call.snapshot, call.name), call.face.layout))


async def remove(call: Call) -> web.StreamResponse:
    await call.engine.volumes.remove(call.name, force=strict_flag(call.query, "force"))
    return status_only()


async def prune(call: Call) -> web.StreamResponse:
    asked = filters.parse(call.query, wire.PRUNE_FILTERS)
    named = call.version < _SPARES_NAMED or bool(filters.boolean(asked, "all"))
    removed, freed = await call.engine.volumes.prune(wire.pruned(asked, named=named))
    return json({"VolumesDeleted": removed or None, "SpaceReclaimed": freed})


ENTRIES = (
    Entry("GET", "/volumes", list_all),
    Entry("POST", "/volumes/create", create),
    Entry("POST", "/volumes/prune", prune),
    Entry("GET", "/volumes/{name}", inspect),
    Entry("DELETE", "/volumes/{name}", remove),
)
