"""What others did and what was mended, told in the log and as events."""

import logging
from collections.abc import Iterable

from bridgehead.core import lowers
from bridgehead.core.judgement import Places
from bridgehead.core.model.ids import NetworkID, SandboxID
from bridgehead.core.model.network import Network
from bridgehead.core.plan.diff import Op
from bridgehead.core.plan.explain import summary
from bridgehead.core.plan.lan import ParentLink, SubLink
from bridgehead.core.plan.notice import LinkGone, Notice, RouteAppeared
from bridgehead.core.plan.objects import Veth
from bridgehead.engine.events import EventBus
from bridgehead.engine.intent import Intent
from bridgehead.engine.reconcile import Mended

_log = logging.getLogger("bridgehead.vigil")


class Reports:
    def __init__(self, intent: Intent, events: EventBus) -> None:
        self._intent = intent
        self._events = events

    def repaired(self, mended: Mended, culprits: str) -> None:
        """One event a network, and one of the daemon's for what belongs to none."""
        by = {"by": culprits} if culprits else {}
        _log.warning(
            "repaired%s: %s",
            f" after {culprits}" if culprits else "",
            summary([op for _, op in mended]),
        )
        rest: list[Op] = []
        networks: dict[NetworkID, list[Op]] = {}
        for owner, op in mended:
            network = self._network_of(owner, op)
            (rest if network is None else networks.setdefault(network.id, [])).append(op)
        for identifier, ops in networks.items():
            network = self._intent.snapshot.networks[identifier]
            self._events.network(network, "repair", repaired=summary(ops), **by)
        if rest:
            attributes = {"name": self._intent.facts.hostname, "repaired": summary(rest), **by}
            self._events.plain("daemon", "repair", attributes)

    def _network_of(self, owner: str, op: Op) -> Network | None:
        identifier = owner.removeprefix("network/")
        if isinstance(op.object, SubLink):
            return self._network_below(owner, op.object)
        if isinstance(op.object, ParentLink):
            return next(iter(lowers.on(self._intent.snapshot, op.object.name)), None)
        bridge = op.object.bridge if isinstance(op.object, Veth) else ""
        for network in self._networks():
            if network.id == identifier or (network.bridge is not None and network.bridge.name == bridge):
                return network
        return None

    def _network_below(self, owner: str, link: SubLink) -> Network | None:
        """Several may stand on one interface: the sandbox knows which of them its own belongs to."""
        snapshot = self._intent.snapshot
        for endpoint in snapshot.sandbox_endpoints(SandboxID(owner.partition("/")[2])):
            if endpoint.interface == link.name:
                return snapshot.networks.get(endpoint.network)
        return None

    def _networks(self) -> Iterable[Network]:
        return self._intent.snapshot.networks.values()

    def around(self, heard: Iterable[Notice]) -> None:
        """Say where a route of others leads into a network of ours, and whose parent interface went away."""
        heard = tuple(heard)
        for gone in (notice for notice in heard if isinstance(notice, LinkGone)):
            self._tell_lost(gone)
        routes = [notice for notice in heard if isinstance(notice, RouteAppeared)]
        places = Places(self._networks() if routes else ())
        for route in routes:
            self._tell_overlap(route, places)

    def _tell_lost(self, gone: LinkGone) -> None:
        snapshot = self._intent.snapshot
        for network in lowers.on(snapshot, gone.name):
            if lowers.is_lent(network, gone.name):
                _log.warning(
                    "network %s: parent interface %s is gone%s; %d endpoints are cut off until it is back",
                    *(network.name, gone.name, f", by {gone.by}" if gone.by else ""),
                    len(snapshot.network_endpoints(network.id)),
                )
                by = {"by": gone.by} if gone.by else {}
                self._events.network(network, "parent-gone", parent=gone.name, **by)

    def _tell_overlap(self, route: RouteAppeared, places: Places) -> None:
        shown = f"{route.destination} dev {route.link}" if route.link else str(route.destination)
        for network, prefix in places.overlapped(route):
            _log.warning(
                "route %s overlaps %s of network %s: the more exact of the two takes the traffic",
                *(shown, prefix, network.name),
            )
            self._events.network(network, "overlap", route=shown, subnet=str(prefix))
