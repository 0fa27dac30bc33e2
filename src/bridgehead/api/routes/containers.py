"""Containers as records: make, list, inspect, rename, remove, prune."""

import time

from aiohttp import web

from bridgehead.api import query
from bridgehead.api.call import Call, Entry
from bridgehead.api.reply import json, status_only
from bridgehead.api.wire import (
    attachments,
    body,
    container_request,
    container_state,
    filters,
    moment,
    terminal,
    unsupported,
)
from bridgehead.api.wire import container as wire
from bridgehead.api.wire.container_body import CreateBody
from bridgehead.api.wire.container_filters import FILTERS, wanted
from bridgehead.core.model.container import Container
from bridgehead.core.model.errors import Conflict, InvalidParameter, NotFound

_PRUNE_FILTERS = ("label", "label!", "until")


async def create(call: Call) -> web.StreamResponse:
    asked, document = body.convert_keeping(await body.read_document(call.request), CreateBody)
    request = container_request.request(asked, document, call.query.get("name", ""), call.version)
    container, warnings = await call.engine.containers.create(request)
    if request.tty and (size := terminal.size(asked.host_config.console_size)):
        # Kept until the start: the program then never sees a terminal without a size.
        call.engine.containers.resize(container.id, *size)
    return json({"Id": container.id, "Warnings": [*warnings, *unsupported.warnings(document)]}, 201)


async def list_all(call: Call) -> web.StreamResponse:
    asked = filters.parse(call.query, FILTERS)
    limit = query.number(call.query, "limit") or 0
    everything = (
        query.flag(call.query, "all") or limit > 0 or not asked.keys().isdisjoint(("status", "exited"))
    )
    accepts = wanted(asked, call.snapshot)
    found = sorted(
        (
            container
            for container in call.snapshot.containers.values()
            if (everything or container_state.alive(container.state)) and accepts(container)
        ),
        key=lambda container: container.created,
        reverse=True,
    )
    view, now = _view(call), time.time_ns()
    shown = found[:limit] if limit > 0 else found
    lines = [wire.summarise(container, view, call.face.layout, now) for container in shown]
    if query.flag(call.query, "size"):
        for line, container in zip(lines, shown, strict=True):
            line.update(await _sizes(call, container))
    return json(lines)


async def _sizes(call: Call, container: Container) -> dict[str, int]:
    """Nothing for one that is removed while it is measured."""
    try:
        changed = await call.engine.files.size(container.id)
    except NotFound:
        return {}
    image = call.snapshot.images.get(container.image)
    return {"SizeRw": changed, "SizeRootFs": changed + (image.size if image else 0)}


def _view(call: Call) -> attachments.View:
    return attachments.View(call.snapshot, by_hand=call.face.who().userland_proxy)


async def inspect(call: Call) -> web.StreamResponse:
    container = call.snapshot.find_container(call.name)
    shown = wire.show(container, _view(call), call.face.layout)
    if query.flag(call.query, "size"):
        shown |= await _sizes(call, container)
    return json(shown)


async def rename(call: Call) -> web.StreamResponse:
    name = call.query.get("name", "")
    if not name:
        raise InvalidParameter("Neither old nor new names may be empty")
    await call.engine.containers.rename(call.name, name)
    return status_only()


async def remove(call: Call) -> web.StreamResponse:
    if query.flag(call.query, "link"):
        await call.engine.containers.remove_link(call.name)
        return status_only()
    force, volumes = query.flag(call.query, "force"), query.flag(call.query, "v")
    await call.engine.containers.remove(call.name, force=force, volumes=volumes)
    return status_only()


async def prune(call: Call) -> web.StreamResponse:
    asked = filters.parse(call.query, _PRUNE_FILTERS)
    until = filters.until(asked, time.time_ns())
    idle = [
        container
        for container in call.snapshot.containers.values()
        if not container_state.alive(container.state)
    ]
    removed, freed = [], 0
    for container in idle:
        labels = container.spec.labels
        meant = filters.labels_match(asked, labels) and not filters.labels_spared(asked, labels)
        if not meant or moment.since_epoch(container.created) > until:
            continue
        size = (await _sizes(call, container)).get("SizeRw", 0)
        if await _removed(call, container):
            removed.append(container.id)
            freed += size
    call.engine.events.pruned("container", freed)
    return json({"ContainersDeleted": removed or None, "SpaceReclaimed": freed})


async def _removed(call: Call, container: Container) -> bool:
    """False for one that was started, or removed by someone else, in the meantime."""
    try:
        await call.engine.containers.remove(container.id, force=False)
    except (Conflict, NotFound):
        return False
    return True


ENTRIES = (
    Entry("GET", "/containers/json", list_all),
    Entry("POST", "/containers/create", create),
    Entry("POST", "/containers/prune", prune),
    Entry("GET", "/containers/{name}/json", inspect),
    Entry("POST", "/containers/{name}/rename", rename),
    Entry("DELETE", "/containers/{name}", remove),
)
