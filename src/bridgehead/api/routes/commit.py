"""`docker commit`: an image of a container."""

from typing import Any

from aiohttp import web

from bridgehead.api.call import Call, Entry
from bridgehead.api.query import flag
from bridgehead.api.reply import json
from bridgehead.api.wire import body
from bridgehead.api.wire.container_body import CreateBody
from bridgehead.core.images.commit import CommitRequest


async def commit(call: Call) -> web.StreamResponse:
    query = call.query
    repository, tag = query.get("repo", ""), query.get("tag", "")
    request = CommitRequest(
        name=f"{repository}:{tag}" if repository and tag else repository,
        author=query.get("author", ""),
        comment=query.get("comment", ""),
        pause=flag(query, "pause") if query.get("pause", "") else True,
        changes=tuple(call.request.query.getall("changes", [])),
        config=await _config(call.request),
    )
    image = await call.engine.commits.commit(query.get("container", ""), request)
    return json({"Id": image.id}, 201)


async def _config(request: web.Request) -> dict[str, Any] | None:
    """The configuration in the body; clients without one send nothing, or null."""
    document = await body.read_document(request)
    return body.convert_keeping(document, CreateBody)[1] if document else None


ENTRIES = (Entry("POST", "/commit", commit),)
