"""What is asked of the firewall, in domain words; each backend spells it in its own tables (`spelling`).

The records below are all there is: whatever a backend accepts, isolates, masquerades or publishes follows
from them, and `trace` judges packets by them alone.
"""

import re
from dataclasses import dataclass

from bridgehead.core.model.addresses import Address, Prefix
from bridgehead.core.model.errors import InvalidParameter
from bridgehead.core.model.network import GatewayMode

# Quotes and '*' mean something in rule text, as '+' does at the end, and the kernel takes 15 bytes.
_BRIDGE = re.compile(r"[A-Za-z0-9_.@:+-]{0,14}[A-Za-z0-9_.@:-]", re.ASCII)


@dataclass(frozen=True, slots=True)
class FamilyPolicy:
    """One address family of a network. `source`: what goes out takes this address, None: the uplink's own."""

    prefix: Prefix
    mode: GatewayMode = GatewayMode.NAT
    masquerade: bool = True
    source: Address | None = None


@dataclass(frozen=True, slots=True)
class NetworkPolicy:
    """icc: its containers may talk to each other. internal: nothing goes in or out.

    direct_routing: published ports may also be reached at the container's own address by whoever routes
    there; `trusted` names the host's interfaces to which that applies in any case.

    Raises:
        InvalidParameter: `bridge` or a trusted name cannot be the name of an interface in a rule.
    """

    bridge: str
    families: tuple[FamilyPolicy, ...] = ()
    icc: bool = True
    internal: bool = False
    direct_routing: bool = False
    trusted: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in (self.bridge, *self.trusted):
            if not is_plain(name):
                raise InvalidParameter(f"invalid interface name: {name!r}")

    def family(self, version: int) -> FamilyPolicy | None:
        return next((item for item in self.families if item.prefix.version == version), None)


@dataclass(frozen=True, slots=True)
class Published:
    """A port of the host that leads to a container. `host` may be 0.0.0.0 or ::, which is every address.

    Both ends are of one family. `host_port` 0: not published on the host, as in a routed network: open at the
    container's own address alone. `also`: the other networks that the container is attached to.
    """

    network: NetworkPolicy
    protocol: str  # tcp | udp | sctp
    host: Address
    host_port: int
    container: Address
    container_port: int
    also: tuple[NetworkPolicy, ...] = ()

    @property
    def shortcuts(self) -> tuple[Prefix, ...]:
        """Whom the container would answer by another leg, past the host, which knows what they asked for."""
        found = (policy.family(self.container.version) for policy in self.also)
        return tuple(family.prefix for family in found if family is not None)


@dataclass(frozen=True, slots=True)
class LinkAccept:
    """What a link of the old kind opens where icc is off: one exposed port of `source` for `recipient`."""

    network: NetworkPolicy
    recipient: Address
    source: Address
    protocol: str
    port: int


def is_plain(interface: str) -> bool:
    """Whether the name means just itself wherever a rule may spell it."""
    return _BRIDGE.fullmatch(interface) is not None
