"""One request as a route sees it, and the table that finds its route.

A path is `/words`, `/kind/{name}` or `/kind/{name}/verb`, where the name itself may hold slashes, and a verb
have two words. Those shapes are looked up in one dictionary each, so the number of routes costs nothing.
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from aiohttp import web

from bridgehead.api.identity import Identity, Who
from bridgehead.api.query import Query
from bridgehead.api.version import Version
from bridgehead.api.wire.network_list import NetworkList
from bridgehead.core.layout import Layout
from bridgehead.core.model.errors import NotFound
from bridgehead.core.model.snapshot import Snapshot
from bridgehead.engine.faces import Engine


@dataclass(frozen=True, slots=True)
class Face:
    """All that routes may lean on."""

    engine: Engine
    layout: Layout
    who: Who
    network_list: NetworkList = field(default_factory=NetworkList)


@dataclass(frozen=True, slots=True)
class Call:
    """`name` is the path's variable part, '' where it has none."""

    request: web.Request
    version: Version
    name: str
    face: Face

    @property
    def engine(self) -> Engine:
        return self.face.engine

    @property
    def snapshot(self) -> Snapshot:
        return self.face.engine.snapshot

    @property
    def identity(self) -> Identity:
        return self.face.who()

    @property
    def query(self) -> Query:
        return self.request.query


Route = Callable[[Call], Awaitable[web.StreamResponse]]


class Entry(NamedTuple):
    method: str
    path: str
    route: Route


class Table:
    def __init__(self, entries: Iterable[Entry]) -> None:
        self._plain: dict[tuple[str, str], Route] = {}
        self._named: dict[tuple[str, str, str], Route] = {}
        for method, path, route in entries:
            kind, marker, verb = path.partition("/{name}")
            if marker:
                self._named[method, kind, verb] = route
            else:
                self._plain[method, path] = route

    def find(self, method: str, path: str) -> tuple[Route, str]:
        """The route, and the name in the path.

        Raises:
            NotFound: no such page.
        """
        if route := self._plain.get((method, path)):
            return route, ""
        kind, _, rest = path[1:].partition("/")
        name, _, verb = rest.rpartition("/")
        if name and (route := self._named.get((method, f"/{kind}", f"/{verb}"))):
            return route, name
        name, _, first = name.rpartition("/")
        if name and (route := self._named.get((method, f"/{kind}", f"/{first}/{verb}"))):
            return route, name
        if rest and (route := self._named.get((method, f"/{kind}", ""))):
            return route, rest
        raise NotFound("page not found")
