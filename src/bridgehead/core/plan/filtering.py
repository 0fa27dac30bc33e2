"""What stands in the firewall, in nftables or in iptables. Kernel objects: see `objects`."""

from dataclasses import dataclass
from typing import ClassVar

from bridgehead.core.plan.key import Key


@dataclass(frozen=True, slots=True)
class FirewallTable:
    """The fixed skeleton of our nftables table; `text` is an nft script that replaces it whole."""

    RANK: ClassVar[int] = 10
    replaceable: ClassVar[bool] = True
    text: str

    @property
    def key(self) -> Key:
        return ("firewall-table",)

    @property
    def parent(self) -> Key | None:
        return None


@dataclass(frozen=True, slots=True)
class FirewallElement:
    """One element of a set or map in our table, as text. `match` are the key's fields in order (interface
    names, addresses, protocols, ports); `data` is '' in a set, a verdict in a verdict map, else the value's
    fields joined by " . " as nft writes them.
    """

    RANK: ClassVar[int] = 11
    replaceable: ClassVar[bool] = True
    set: str
    match: tuple[str, ...]
    data: str = ""

    @property
    def key(self) -> Key:
        return ("firewall-element", self.set, *self.match)

    @property
    def parent(self) -> Key | None:
        return ("firewall-table",)


@dataclass(frozen=True, slots=True)
class FirewallRule:
    """One iptables rule of ours, as iptables-save writes it after `-A CHAIN `. `family` is 4 or 6.

    `chain` is the one it is meant for; where the plane moves it into a chain of a tree for speed, it is
    still observed under this name.
    """

    RANK: ClassVar[int] = 11
    replaceable: ClassVar[bool] = False
    family: int
    table: str
    chain: str
    text: str

    @property
    def key(self) -> Key:
        return ("firewall-rule", str(self.family), self.table, self.chain, self.text)

    @property
    def parent(self) -> Key | None:
        return None
