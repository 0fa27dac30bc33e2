"""Changing a container's limits and its restart policy."""

from aiohttp import web

from bridgehead.api.call import Call, Entry
from bridgehead.api.reply import json
from bridgehead.api.wire import body, container_update
from bridgehead.api.wire.container_body import HostConfig


async def update(call: Call) -> web.StreamResponse:
    asked, document = body.convert_keeping(await body.read_document(call.request), HostConfig)
    await call.engine.updates.update(call.name, container_update.update(asked, document, call.version))
    return json({"Warnings": None})


ENTRIES = (Entry("POST", "/containers/{name}/update", update),)
