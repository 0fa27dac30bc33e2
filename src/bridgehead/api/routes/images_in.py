"""Images that come in: `docker pull`, `docker load`, `docker import`."""

from aiohttp import web

from bridgehead.api.archive import Archive
from bridgehead.api.call import Call, Entry
from bridgehead.api.progress import told
from bridgehead.api.reply import STANDARD, json_line
from bridgehead.api.wire.progress import credentials
from bridgehead.core.images import reference as references
from bridgehead.core.images.distribution import Pull
from bridgehead.core.model.container import Image
from bridgehead.core.model.errors import InvalidParameter, NotImplementedByDriver


async def create(call: Call) -> web.StreamResponse:
    if call.query.get("fromImage", ""):
        return await told(call, call.engine.pulls.pull(_pull(call)))
    source = call.query.get("fromSrc", "")
    if source != "-":
        raise _unreadable(source)
    with Archive(call.request) as archive:
        image = await call.engine.images.import_tar(
            archive,
            tag=_tag(call),
            changes=call.request.query.getall("changes", []),
            message=call.query.get("message", ""),
        )
    return _lines({"status": image.id})


def _pull(call: Call) -> Pull:
    """`tag` may be a digest; where neither it nor the name has one, every tag is meant."""
    name, tag = call.query["fromImage"].strip(), call.query.get("tag", "")
    if tag:
        name = f"{name}@{tag}" if tag.startswith("sha256:") else f"{_untagged(name)}:{tag}"
    return Pull(
        references.parse(name),
        call.query.get("platform", ""),
        credentials(call.request.headers.get("X-Registry-Auth", "")),
    )


def _untagged(name: str) -> str:
    bare, colon, label = name.partition("@")[0].rpartition(":")
    return bare if colon and "/" not in label else name


def _unreadable(source: str) -> InvalidParameter | NotImplementedByDriver:
    if not source:
        return InvalidParameter("one of fromImage and fromSrc must be given")
    return NotImplementedByDriver(f"cannot import {source}: only an archive sent with the request is read")


def _tag(call: Call) -> str:
    repository, tag = call.query.get("repo", ""), call.query.get("tag", "")
    return f"{repository}:{tag}" if repository and tag else repository


async def load(call: Call) -> web.StreamResponse:
    with Archive(call.request) as archive:
        images = await call.engine.images.load(archive)
    return _lines(*({"stream": f"{line}\n"} for image in images for line in _told(image)))


def _told(image: Image) -> list[str]:
    return [f"Loaded image: {tag}" for tag in image.tags] or [f"Loaded image ID: {image.id}"]


def _lines(*values: object) -> web.Response:
    """Progress as clients read it; all of it at the end, for only then is success certain."""
    body = b"".join(json_line(value) for value in values)
    return web.Response(body=body, headers={**STANDARD, "Content-Type": "application/json"})


ENTRIES = (
    Entry("POST", "/images/create", create),
    Entry("POST", "/images/load", load),
)
