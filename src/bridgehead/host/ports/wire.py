"""Holds as lists of fields, in the talk between the daemon and the port keeper.

observe -> {"holds": [["tcp", "0.0.0.0", 8080, null], ["tcp", "::", 8080, ["172.17.0.2", 80]], ...]}
changes:   ["put", [...]], ["drop", "tcp", "0.0.0.0", 8080]; a failed one gives [errno, "why"]
"""

from functools import lru_cache
from ipaddress import ip_address

from bridgehead.core.model.addresses import Address, spelled
from bridgehead.core.plan.objects import PortHold
from bridgehead.host.companion.wire import Json, NotUnderstood, exactly, number, text

PROTOCOL = 1
_address = lru_cache(256)(ip_address)


def fields(hold: PortHold) -> list[Json]:
    relay: Json = None if hold.relay is None else [str(hold.relay[0]), hold.relay[1]]
    return [hold.protocol, spelled(hold.address), hold.port, relay]


def hold(value: Json) -> PortHold:
    """Raises NotUnderstood."""
    protocol, address, port, relay = exactly(4, value)
    try:
        return PortHold(text(protocol), _address(text(address)), number(port), _relay(relay))
    except ValueError as error:
        raise NotUnderstood(str(error)) from error


def problem(value: Json) -> tuple[int, str]:
    """Raises NotUnderstood."""
    code, reason = exactly(2, value)
    return number(code), text(reason)


def _relay(value: Json) -> tuple[Address, int] | None:
    if value is None:
        return None
    address, port = exactly(2, value)
    return ip_address(text(address)), number(port)
