"""Pages clients ask for that this daemon does not have yet: each says so."""

from aiohttp import web

from bridgehead.api.call import Call, Entry, Route
from bridgehead.core.model.errors import NotImplementedByDriver

_UNBUILT: dict[tuple[str, str], str] = {
    ("POST", "/images/{name}/push"): "pushing to registries is not built yet",
}


def _unbuilt(sentence: str) -> Route:
    async def refuse(_: Call) -> web.StreamResponse:
        raise NotImplementedByDriver(sentence)

    return refuse


ENTRIES = tuple(Entry(method, path, _unbuilt(sentence)) for (method, path), sentence in _UNBUILT.items())
