"""Registries, asked on a client's behalf: logging in, and what they have under a name."""

from aiohttp import web

from bridgehead.api.call import Call, Entry
from bridgehead.api.reply import json
from bridgehead.api.wire import body
from bridgehead.api.wire.progress import AuthConfig, credentials
from bridgehead.core.images import reference as references
from bridgehead.core.model.errors import NotImplementedByDriver


async def log_in(call: Call) -> web.StreamResponse:
    asked = await body.read(call.request, AuthConfig)
    token = await call.engine.distribution.log_in(asked.credentials)
    return json({"Status": "Login Succeeded", "IdentityToken": token})


async def describe(call: Call) -> web.StreamResponse:
    name = references.parse(call.name)
    who = credentials(call.request.headers.get("X-Registry-Auth", ""))
    found = await call.engine.distribution.describe(name, who)
    shown = {
        "mediaType": found.document.media_type,
        "digest": found.document.digest,
        "size": len(found.document.content),
    }
    platforms = [
        {
            "architecture": platform.architecture,
            "os": platform.os,
            **({"variant": platform.variant} if platform.variant else {}),
        }
        for platform in found.platforms
    ]
    return json({"Descriptor": shown, "Platforms": platforms})


async def search(_: Call) -> web.StreamResponse:
    raise NotImplementedByDriver(
        "searching is not done here: only Docker Hub can be searched, at https://hub.docker.com/search"
    )


ENTRIES = (
    Entry("POST", "/auth", log_in),
    Entry("GET", "/distribution/{name}/json", describe),
    Entry("GET", "/images/search", search),
)
