"""Pages clients ask for that this daemon does not have: each says so, or is truthfully empty."""

from aiohttp import web

from bridgehead.api.call import Call, Entry, Route
from bridgehead.api.reply import json
from bridgehead.core.model.errors import NotFound, NotImplementedByDriver, Unavailable

_NO_SWARM = (
    'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node '
    "to swarm and try again."
)
_SWARM = ("/swarm", "/nodes", "/services", "/tasks", "/secrets", "/configs")

_UNBUILT: dict[tuple[str, str], str] = {
    ("POST", "/build"): "building images is not built yet; use docker load or docker import",
    ("POST", "/session"): "building images is not built yet",
    ("POST", "/grpc"): "building images is not built yet",
    ("GET", "/images/get"): "saving images is not built yet",
    ("GET", "/images/{name}/get"): "saving images is not built yet",
    ("POST", "/images/{name}/push"): "pushing to registries is not built yet",
    ("POST", "/swarm/init"): "swarm mode is not supported",
    ("POST", "/swarm/join"): "swarm mode is not supported",
    ("POST", "/plugins/pull"): "managed plugins are not supported",
}


def _unbuilt(sentence: str) -> Route:
    async def refuse(_: Call) -> web.StreamResponse:
        raise NotImplementedByDriver(sentence)

    return refuse


async def _no_swarm(_: Call) -> web.StreamResponse:
    raise Unavailable(_NO_SWARM)


async def _no_cache_pruned(_: Call) -> web.StreamResponse:
    return json({"CachesDeleted": [], "SpaceReclaimed": 0})


async def _no_plugins(_: Call) -> web.StreamResponse:
    return json([])


async def _no_plugin(call: Call) -> web.StreamResponse:
    raise NotFound(f'plugin "{call.name}" not found')


ENTRIES = (
    *(Entry(method, path, _unbuilt(sentence)) for (method, path), sentence in _UNBUILT.items()),
    *(Entry("GET", path, _no_swarm) for path in _SWARM),
    *(Entry("GET", f"{path}/{{name}}", _no_swarm) for path in _SWARM),
    *(Entry("POST", f"{path}/create", _no_swarm) for path in ("/services", "/secrets", "/configs")),
    *(Entry("POST", f"/swarm/{verb}", _no_swarm) for verb in ("leave", "update", "unlock")),
    Entry("POST", "/build/prune", _no_cache_pruned),
    Entry("GET", "/plugins", _no_plugins),
    Entry("GET", "/plugins/{name}/json", _no_plugin),
)
