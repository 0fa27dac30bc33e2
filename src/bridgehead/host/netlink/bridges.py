"""Bridges: born whole, changed in place, never taken from anyone."""

from bridgehead.core.plan.objects import Bridge
from bridgehead.host.netlink.doors import Door
from bridgehead.host.netlink.links import Link, change_link, create_bridge, read_link
from bridgehead.host.netlink.marks import LINK_GROUPS
from bridgehead.host.netlink.reaper import Reaper
from bridgehead.host.netlink.refusals import taken


class Bridges:
    """All methods raise OSError for the kernel's refusals."""

    def __init__(self, host: Door, reaper: Reaper) -> None:
        self._host = host
        self._reaper = reaper

    def create(self, bridge: Bridge) -> None:
        """What cannot be made whole is not left behind.

        Raises:
            Conflict: the name belongs to an interface that is not ours.
        """
        try:
            born = read_link(self._host.ask(create_bridge(bridge)))
        except FileExistsError:
            self.update(bridge)
            return
        try:
            self._adjust(born, bridge)
        except OSError:
            self._reaper.delete([bridge.name])
            raise

    def update(self, bridge: Bridge) -> None:
        """Give the bridge that is there the wanted properties, and bring it up.

        Raises:
            Conflict: the name belongs to an interface that is not ours.
        """
        self._adjust(self.find(bridge), bridge)

    def find(self, bridge: Bridge) -> Link:
        present = self._host.must_find(bridge.name)
        if present.group not in LINK_GROUPS or present.kind != "bridge":
            raise taken(bridge, f"an interface named {bridge.name}")
        return present

    def _adjust(self, present: Link, bridge: Bridge) -> None:
        seen = (present.mac, present.mtu, present.up, present.hears_routers, present.route_localnet)
        if seen == (bridge.mac, bridge.mtu, True, False, bridge.route_localnet):
            return
        localnet = None if present.route_localnet == bridge.route_localnet else bridge.route_localnet
        self._host.must(
            change_link(present.index, mac=bridge.mac, mtu=bridge.mtu, route_localnet=localnet, up=True)
        )
        # After the size: a link that grows is given its IPv6 settings only then.
        self._host.ignore_routers(bridge.name)
