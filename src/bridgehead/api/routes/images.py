"""Images that are here: list, inspect, history, tag, remove, prune."""

import time
from collections import Counter
from collections.abc import Callable
from fnmatch import fnmatchcase

from aiohttp import web

from bridgehead.api import query
from bridgehead.api.call import Call, Entry
from bridgehead.api.reply import json, status_only
from bridgehead.api.wire import filters, moment
from bridgehead.api.wire import image as wire
from bridgehead.api.wire.filters import Filters
from bridgehead.core.model.container import Image
from bridgehead.core.model.errors import Conflict, InvalidParameter, NotFound
from bridgehead.core.model.ids import ImageID

_FILTERS = ("before", "dangling", "label", "reference", "since", "until")
_PRUNE_FILTERS = ("dangling", "label", "label!", "until")


async def list_all(call: Call) -> web.StreamResponse:
    wanted = _wanted(call, filters.parse(call.query, _FILTERS))
    used = Counter(container.image for container in call.snapshot.containers.values())
    found = sorted(
        (image for image in call.snapshot.images.values() if wanted(image)),
        key=lambda image: image.created,
        reverse=True,
    )
    shared = await _shared(call) if query.flag(call.query, "shared-size") else {}
    return json([wire.show(image, used[image.id], shared.get(image.id, -1)) for image in found])


async def _shared(call: Call) -> dict[ImageID, int]:
    return wire.shared_sizes(call.snapshot.images.values(), await call.engine.images.layer_sizes())


def _wanted(call: Call, asked: Filters) -> Callable[[Image], bool]:
    if not asked:
        return lambda _: True
    dangling = filters.boolean(asked, "dangling")
    until = filters.until(asked, time.time_ns())
    before = [call.engine.images.find(text).created for text in asked.get("before", ())]
    since = [call.engine.images.find(text).created for text in asked.get("since", ())]

    def accepts(image: Image) -> bool:
        return (
            dangling in (None, not image.tags)
            and _referenced(asked, image)
            and (not asked.get("label") or filters.labels_match(asked, wire.labels(image)))
            and moment.since_epoch(image.created) <= until
            and all(image.created < bound for bound in before)
            and all(image.created > bound for bound in since)
        )

    return accepts


def _referenced(asked: Filters, image: Image) -> bool:
    """A pattern means whole names, with their tag or without."""
    patterns = asked.get("reference", ())
    names = [name for tag in image.tags for name in (tag, tag.rpartition(":")[0])]
    return not patterns or any(fnmatchcase(name, pattern) for name in names for pattern in patterns)


async def inspect(call: Call) -> web.StreamResponse:
    return json(wire.show_whole(call.engine.images.find(call.name), call.face.layout))


async def history(call: Call) -> web.StreamResponse:
    image = call.engine.images.find(call.name)
    return json(wire.show_history(image, await call.engine.images.layer_sizes()))


async def tag(call: Call) -> web.StreamResponse:
    repository, name = call.query.get("repo", ""), call.query.get("tag", "")
    if not repository:
        raise InvalidParameter("invalid reference format: the repository name is empty")
    await call.engine.images.tag(call.name, f"{repository}:{name}" if name else repository)
    return status_only(201)


async def remove(call: Call) -> web.StreamResponse:
    steps = await call.engine.images.remove(call.name, force=query.flag(call.query, "force"))
    return json([{kind: what} for kind, what in steps])


async def prune(call: Call) -> web.StreamResponse:
    """Without a tag only, unless `dangling=false` asks for every image that no container uses."""
    asked = filters.parse(call.query, _PRUNE_FILTERS)
    until = filters.until(asked, time.time_ns())
    untagged_only = filters.boolean(asked, "dangling") is not False
    used = {container.image for container in call.snapshot.containers.values()}
    deleted: list[dict[str, str]] = []
    reclaimed = 0
    for image in list(call.snapshot.images.values()):
        meant = image.id not in used and not (untagged_only and image.tags) and _unspared(asked, image, until)
        if meant and (steps := await _removed(call, image)):
            deleted += [{kind: what} for kind, what in steps]
            reclaimed += image.size
    return json({"ImagesDeleted": deleted or None, "SpaceReclaimed": reclaimed})


def _unspared(asked: Filters, image: Image, until: int) -> bool:
    labels = wire.labels(image)
    return (
        filters.labels_match(asked, labels)
        and not filters.labels_spared(asked, labels)
        and moment.since_epoch(image.created) <= until
    )


async def _removed(call: Call, image: Image) -> list[tuple[str, str]]:
    """Nothing for one that came into use, or went, in the meantime."""
    try:
        return await call.engine.images.remove(image.id, force=True)
    except (Conflict, NotFound):
        return []


ENTRIES = (
    Entry("GET", "/images/json", list_all),
    Entry("GET", "/images/{name}/json", inspect),
    Entry("GET", "/images/{name}/history", history),
    Entry("POST", "/images/{name}/tag", tag),
    Entry("POST", "/images/prune", prune),
    Entry("DELETE", "/images/{name}", remove),
)
