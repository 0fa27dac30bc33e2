"""What nf_tables announces, as one notice a transaction: which tables, and who.

A transaction is announced object by object and ends with the number of its generation, which also says who
it was. `iptables` and `ip6tables` (the nftables kind) show as changes of ip and ip6 tables.
"""

from collections.abc import Collection, Iterator

from bridgehead.core.plan.notice import FirewallChanged, Table
from bridgehead.host.watch.messages import Message, as_text, attributes

GROUP = 7  # NFNLGRP_NFTABLES

_SUBSYSTEM = 10
_NEW_GENERATION = 15
_GENERAL_HEADER = 4
_TABLE_NAME = 1  # in every kind of object
_PROCESS_ID, _PROCESS_NAME = 2, 3
_FAMILIES = {1: "inet", 2: "ip", 3: "arp", 5: "netdev", 7: "bridge", 10: "ip6"}


class FirewallReader:
    def __init__(self) -> None:
        self._touched: set[Table] = set()

    def read(self, message: Message, own: Collection[int]) -> Iterator[FirewallChanged]:
        if message.kind >> 8 != _SUBSYSTEM or message.sender in own:
            return
        if message.kind & 0xFF != _NEW_GENERATION:
            self._touched.add(_table(message.body))
            return
        touched, self._touched = frozenset(self._touched), set()
        if touched:
            yield FirewallChanged(touched, _who(message.body))

    def forget(self) -> None:
        """The end of a transaction may have been lost."""
        self._touched = set()


def _table(body: bytes) -> Table:
    name = as_text(attributes(body, _GENERAL_HEADER).get(_TABLE_NAME))
    return _FAMILIES.get(body[0], str(body[0])), name


def _who(body: bytes) -> str:
    found = attributes(body, _GENERAL_HEADER)
    name, number = as_text(found.get(_PROCESS_NAME)), found.get(_PROCESS_ID, b"")
    return f"{name} (pid {int.from_bytes(number, 'big')})" if name and number else name
