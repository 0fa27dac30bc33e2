"""Sandboxes that are no containers: make, list, inspect, remove. They join networks as containers do."""

from aiohttp import web

from bridgehead.api.call import Call, Entry
from bridgehead.api.reply import json, status_only
from bridgehead.api.wire import attachments, body, filters
from bridgehead.api.wire import sandbox as wire
from bridgehead.api.wire.container_filters import wanted
from bridgehead.core.guest_rules import found

_FILTERS = ("before", "expose", "id", "label", "name", "network", "publish", "since")


async def create(call: Call) -> web.StreamResponse:
    asked, document = body.convert_keeping(await body.read_document(call.request), wire.SandboxBody)
    request = wire.request(asked, document, call.query.get("name", ""), call.version)
    made, warnings = await call.engine.guests.create(wire.where(asked), request)
    told = {"Id": made.id, "Name": made.name, "Warnings": [*warnings, *wire.warnings(document)]}
    return json(told, 201)


async def list_all(call: Call) -> web.StreamResponse:
    accepts = wanted(filters.parse(call.query, _FILTERS), call.snapshot)
    shown = [
        container for container in call.snapshot.containers.values() if container.guest and accepts(container)
    ]
    shown.sort(key=lambda container: container.created, reverse=True)
    view = _view(call)
    return json([wire.show(container, view, call.face.layout) for container in shown])


async def inspect(call: Call) -> web.StreamResponse:
    return json(wire.show(found(call.snapshot, call.name), _view(call), call.face.layout))


async def remove(call: Call) -> web.StreamResponse:
    await call.engine.guests.remove(call.name)
    return status_only()


def _view(call: Call) -> attachments.View:
    return attachments.View(call.snapshot, by_hand=call.face.who().userland_proxy)


ENTRIES = (
    Entry("GET", "/sandboxes", list_all),
    Entry("POST", "/sandboxes/create", create),
    Entry("GET", "/sandboxes/{name}", inspect),
    Entry("DELETE", "/sandboxes/{name}", remove),
)
