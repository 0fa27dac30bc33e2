"""What a network asks of the firewall, in its own words; each backend spells it in its own tables."""

import re
from dataclasses import dataclass

from bridgehead.core.model.errors import InvalidParameter

# Quotes and '*' mean something in rule text, and the kernel takes 15 bytes.
_BRIDGE = re.compile(r"[A-Za-z0-9_.@:+-]{1,15}", re.ASCII)


@dataclass(frozen=True, slots=True)
class NetworkPolicy:
    """icc: its containers may talk to each other. internal: nothing goes in or out. masquerade: what
    goes out takes the host's address.

    Raises:
        InvalidParameter: `bridge` cannot be the name of an interface in a rule.

    """

    bridge: str
    icc: bool
    internal: bool
    masquerade: bool

    def __post_init__(self) -> None:
        if not is_plain(self.bridge):
            raise InvalidParameter(f"invalid bridge name: {self.bridge!r}")


def is_plain(interface: str) -> bool:
    """Whether the name means just itself wherever a rule may spell it."""
    return _BRIDGE.fullmatch(interface) is not None
