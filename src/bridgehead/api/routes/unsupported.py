"""What this engine will not do: swarm, managed plugins, building, checkpoints.

It answers as a dockerd without them (statuses and words as observed of 20.10), so that clients go on. Where a
dockerd would begin to do it, the answer is 501 and says what to use instead.
"""

import re

from aiohttp import web

from bridgehead.api.call import Call, Entry, Route
from bridgehead.api.query import flag
from bridgehead.api.reply import json, status_only
from bridgehead.core.model.errors import InvalidParameter, NotFound, NotImplementedByDriver, Unavailable

_NO_MANAGER = (
    'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node '
    "to swarm and try again."
)
_NO_EXPERIMENTS = (
    "This experimental feature is disabled by default. Start the Docker daemon in experimental mode in order "
    "to enable it."
)
_NO_SWARM = "swarm mode is not supported: each daemon is a host of its own; use Compose on it"
_NO_MANAGED_PLUGINS = (
    "managed plugins are not supported: start the plugin as a process whose socket is in /run/docker/plugins"
)
_NO_BUILDING = "building images is not supported: build elsewhere, then pull, load or import the image"
_UNSIGNED = re.compile(r"[0-9]{1,20}")


def _refused(sentence: str) -> Route:
    async def refuse(_: Call) -> web.StreamResponse:
        raise NotImplementedByDriver(sentence)

    return refuse


async def _no_manager(_: Call) -> web.StreamResponse:
    raise Unavailable(_NO_MANAGER)


async def _not_in_a_swarm(_: Call) -> web.StreamResponse:
    raise Unavailable("This node is not part of a swarm")


def _versioned(kind: str, *, reason: bool) -> Route:
    """An update says which version of the object it is for; that is read before anything else."""

    async def refuse(call: Call) -> web.StreamResponse:
        text = call.query.get("version", "")
        if not _UNSIGNED.fullmatch(text):
            why = f" '{text}': strconv.ParseUint: parsing \"{text}\": invalid syntax" if reason else ""
            raise InvalidParameter(f"invalid {kind} version{why}")
        raise Unavailable(_NO_MANAGER)

    return refuse


async def _no_logs(call: Call) -> web.StreamResponse:
    if not flag(call.query, "stdout") and not flag(call.query, "stderr"):
        raise InvalidParameter("Bad parameters: you must choose at least one stream")
    raise Unavailable(_NO_MANAGER)


async def _no_plugins(_: Call) -> web.StreamResponse:
    return json([])


async def _no_plugin(call: Call) -> web.StreamResponse:
    raise NotFound(f'plugin "{call.name}" not found')


async def _no_upgrade(call: Call) -> web.StreamResponse:
    if not call.request.headers.get("Upgrade"):
        raise InvalidParameter("no upgrade proto in request")
    raise NotImplementedByDriver(_NO_BUILDING)


async def _no_cache(_: Call) -> web.StreamResponse:
    return json({"CachesDeleted": None, "SpaceReclaimed": 0})


async def _no_build(call: Call) -> web.StreamResponse:
    if not call.query.get("id", ""):
        raise InvalidParameter("build ID not provided")
    return status_only(200)


_SWARM_KINDS = ("nodes", "services", "tasks", "secrets", "configs")

ENTRIES = (
    Entry("GET", "/swarm", _no_manager),
    Entry("GET", "/swarm/unlockkey", _no_manager),
    Entry("POST", "/swarm/unlock", _no_manager),
    Entry("POST", "/swarm/leave", _not_in_a_swarm),
    Entry("POST", "/swarm/update", _versioned("swarm", reason=True)),
    *(Entry("POST", f"/swarm/{verb}", _refused(_NO_SWARM)) for verb in ("init", "join")),
    *(Entry("GET", f"/{kind}", _no_manager) for kind in _SWARM_KINDS),
    *(Entry("GET", f"/{kind}/{{name}}", _no_manager) for kind in _SWARM_KINDS),
    *(Entry("POST", f"/{kind}/create", _no_manager) for kind in ("services", "secrets", "configs")),
    *(Entry("DELETE", f"/{kind}/{{name}}", _no_manager) for kind in _SWARM_KINDS if kind != "tasks"),
    *(Entry("POST", f"/{k}s/{{name}}/update", _versioned(k, reason=True)) for k in ("node", "service")),
    *(Entry("POST", f"/{k}s/{{name}}/update", _versioned(k, reason=False)) for k in ("secret", "config")),
    *(Entry("GET", f"/{kind}/{{name}}/logs", _no_logs) for kind in ("services", "tasks")),
    Entry("GET", "/plugins", _no_plugins),
    Entry("GET", "/plugins/privileges", _refused(_NO_MANAGED_PLUGINS)),
    *(Entry("POST", f"/plugins/{verb}", _refused(_NO_MANAGED_PLUGINS)) for verb in ("pull", "create")),
    Entry("GET", "/plugins/{name}/json", _no_plugin),
    Entry("DELETE", "/plugins/{name}", _no_plugin),
    *(
        Entry("POST", f"/plugins/{{name}}/{verb}", _no_plugin)
        for verb in ("enable", "disable", "push", "set", "upgrade")
    ),
    Entry("POST", "/build", _refused(_NO_BUILDING)),
    Entry("POST", "/build/prune", _no_cache),
    Entry("POST", "/build/cancel", _no_build),
    Entry("POST", "/session", _no_upgrade),
    Entry("POST", "/grpc", _no_upgrade),
    Entry("GET", "/containers/{name}/checkpoints", _refused(_NO_EXPERIMENTS)),
    Entry("POST", "/containers/{name}/checkpoints", _refused(_NO_EXPERIMENTS)),
)
