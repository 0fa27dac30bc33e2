"""Bridges of ours in a zone of firewalld's that accepts: firewalld rejects what is forwarded between zones it
was told nothing of, and no accept of ours can overrule that.

Only the running configuration is changed, so a reload of firewalld forgets it; the watch hears that.
"""

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from jeepney import DBusAddress  # type: ignore[import-untyped]

from bridgehead.core.model.errors import HostRefused
from bridgehead.core.plan.diff import Delete, Op
from bridgehead.core.plan.key import Key
from bridgehead.core.plan.objects import State, state
from bridgehead.core.plan.zones import ZoneMember
from bridgehead.host.firewalld.bus import Bus, Refused

_NAME = "org.fedoraproject.FirewallD1"
_ZONES = DBusAddress("/org/fedoraproject/FirewallD1", _NAME, f"{_NAME}.zone")
_DOCKERS, _BUILT_IN = "docker", "trusted"
# Somebody who put the bridge into another zone meant it.
_ALREADY = ("ZONE_ALREADY_SET", "ZONE_CONFLICT", "ALREADY_ENABLED")
_NOT_THERE = ("ZONE_CONFLICT", "UNKNOWN_INTERFACE", "NOT_ENABLED")
_log = logging.getLogger("bridgehead.firewalld")


def is_running() -> bool:
    """Whether firewalld runs, and rules this network namespace and not another."""
    with suppress(HostRefused, Refused, OSError), Bus() as bus:
        return _is_here(bus)
    return False


def _is_here(bus: Bus) -> bool:
    if not bus.ask("NameHasOwner", _NAME):
        return False
    pid = bus.ask("GetConnectionUnixProcessID", _NAME)
    return Path(f"/proc/{pid}/ns/net").samefile("/proc/thread-self/ns/net")


class FirewalldPlane:
    """`is_ours` tells of a link by its name; None: there is none of that name. `adopted`: bridges of somebody
    else that we use.

    Where firewalld does not run there is nothing to see, and nothing that could be wrong.
    """

    kinds: frozenset[type] = frozenset({ZoneMember})

    def __init__(self, is_ours: Callable[[str], bool | None], adopted: Collection[str] = ()) -> None:
        self._is_ours = is_ours
        self._adopted = adopted
        self._seen: State = {}

    def observe(self) -> State:
        try:
            self._seen = state(*map(ZoneMember, self._members())) if is_running() else {}
        except HostRefused as error:
            # It may be reloading: what was there is there until it says otherwise.
            _log.warning("%s", error)
        return dict(self._seen)

    def apply(self, ops: Sequence[Op]) -> Mapping[Key, Exception]:
        if not is_running():
            return {}
        failed: dict[Key, Exception] = {}
        try:
            with Bus() as bus:
                zone = _zone(bus)
                for op in ops:
                    if isinstance(op.object, ZoneMember):
                        _change(bus, zone, op.object, failed, gone=isinstance(op, Delete))
        except HostRefused as error:
            failed |= {op.object.key: error for op in ops}
        return failed

    def _members(self) -> Iterable[str]:
        """
        Raises:
            HostRefused: firewalld does not answer.
        """
        with Bus() as bus:
            accepting = _zone(bus)
            zones: dict[str, dict[str, list[str]]] = _asked(bus, "getActiveZones")
        for zone, members in zones.items():
            for name in members.get("interfaces", ()):
                if self._concerns_us(name, accepting=zone == accepting):
                    yield name

    def _concerns_us(self, name: str, *, accepting: bool) -> bool:
        if name in self._adopted:
            return True
        ours = self._is_ours(name)
        return accepting and _looks_ours(name) if ours is None else ours


def _looks_ours(name: str) -> bool:
    """A bridge that is gone can be known by nothing but the name we gave it."""
    return name == "docker0" or (name.startswith("br-") and len(name) == 15)


def _zone(bus: Bus) -> str:
    """Docker's, where somebody made it, for there users look for their containers."""
    return _DOCKERS if _DOCKERS in _asked(bus, "getZones") else _BUILT_IN


def _asked(bus: Bus, member: str) -> Any:
    try:
        return bus.call(_ZONES, member)
    except Refused as error:
        raise HostRefused(f"firewalld: {error}") from error


def _change(bus: Bus, zone: str, member: ZoneMember, failed: dict[Key, Exception], *, gone: bool) -> None:
    method, harmless = ("removeInterface", _NOT_THERE) if gone else ("addInterface", _ALREADY)
    try:
        bus.call(_ZONES, method, zone, member.bridge)
    except Refused as error:
        if not error.reason.startswith(harmless):
            failed[member.key] = HostRefused(f"firewalld, zone {zone}: {error}")
