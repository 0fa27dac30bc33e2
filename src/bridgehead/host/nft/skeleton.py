"""The fixed part of our table: owned by our socket, made in one transaction, sealed so that any change shows.

A table that has an owner is changed by nobody else; `nft flush ruleset` passes it by. When the owner's socket
closes it stays (PERSIST) and belongs to nobody, until the next daemon claims it. Kernels before 6.9 cannot do
this, and there the table is like any other.
"""

import errno
import os
from collections.abc import Iterable, Mapping, Sequence

from bridgehead.core.firewall.nft_skeleton import TABLE
from bridgehead.core.model.errors import HostRefused
from bridgehead.core.plan.filtering import FirewallElement, FirewallTable
from bridgehead.host.nft import blueprint, compiler, elements
from bridgehead.host.nft.blueprint import OWNER, PERSIST, Blueprint, digest
from bridgehead.host.nft.conversation import Conversation
from bridgehead.host.nft.wire import INET, Flag, Kind, Message, number, text

OWNED = OWNER | PERSIST
CHANGED = "(not as we made it)"
UNOWNED = "(not ours yet)"
_TABLE_NAME, _TABLE_FLAGS = 1, 2
_UNKNOWN_FLAGS = {errno.EOPNOTSUPP, errno.EINVAL}


class Skeleton:
    """`flags` are what the table should have, as far as the kernel knows them. `known`: scripts that a seal
    may speak of; any other seal is a table to replace.
    """

    def __init__(self, conversation: Conversation, known: Iterable[FirewallTable], flags: int) -> None:
        self._conversation = conversation
        self._flags = flags
        self._scripts = {digest(table.text): table.text for table in known}

    def observed(self) -> FirewallTable | None:
        """A table that is as made but not ours has another text too, so that an update claims it."""
        found = blueprint.read(self._conversation)
        if found is None:
            return None
        script = self._scripts.get(found.script_digest)
        if script is None:
            return FirewallTable(CHANGED)
        ours = not self._flags & OWNER or found.owner == self._conversation.port_id
        return FirewallTable(script if ours else UNOWNED)

    def settle(self, wanted: FirewallTable) -> None:
        """Make the table be as wanted, and ours; its elements stay.

        Raises:
            HostRefused: nft or the kernel refused it, and nothing changed.
        """
        script_digest = digest(wanted.text)
        found = blueprint.read(self._conversation)
        if not (found and found.script_digest == script_digest and self._claimed(found)):
            self._replace(compiler.compiled(wanted.text), script_digest)
        self._scripts[script_digest] = wanted.text

    def _claimed(self, found: Blueprint) -> bool:
        """Whether a table that is as wanted is ours now, without making it again."""
        if found.flags & PERSIST:
            return not self._conversation.transact([_named(Kind.NEW_TABLE, self._flags)])
        if self._flags and not compiler.accepts(self._flags):
            self._flags = 0
        return not self._flags

    def _replace(self, made: Blueprint, script_digest: str) -> None:
        old = elements.shapes(self._conversation)
        survivors = elements.observed(self._conversation, old)
        births = _births(survivors, elements.shapes_of(made.sets))
        while True:
            fixed = [
                _named(Kind.NEW_TABLE),
                _named(Kind.DEL_TABLE),
                *made.messages(self._flags, script_digest),
            ]
            refused = self._conversation.transact([*fixed, *births])
            if not refused:
                return
            if self._flags and refused.get(2) in _UNKNOWN_FLAGS:
                self._flags = 0
                continue
            _raise_fixed(refused, len(fixed))
            # What made sense in the old table only stays behind. After an element that closes a loop of
            # chains all others are refused too, so but for missing chains only the first is to blame.
            to_blame = {index for index, code in refused.items() if code == errno.ENOENT} or {min(refused)}
            births = [item for index, item in enumerate(births, len(fixed)) if index not in to_blame]

    def remove(self) -> None:
        """Delete the whole table, whether or not it is there."""
        refused = self._conversation.transact([_named(Kind.NEW_TABLE), _named(Kind.DEL_TABLE)])
        _raise_fixed(refused, 2)


def _births(survivors: Iterable[FirewallElement], known: elements.Shapes) -> Sequence[Message]:
    births = []
    for element in survivors:
        try:
            births.append(elements.birth(element, known))
        except (KeyError, ValueError):
            continue  # its set is gone or of another type now: the difference brings what should be there
    return births


def _named(kind: Kind, flags: int | None = None) -> Message:
    """Adding the table first, without flags, lets a delete succeed where there is none."""
    body = text(_TABLE_NAME, TABLE) + (number(_TABLE_FLAGS, flags) if flags else b"")
    return Message(kind, INET, body, Flag.CREATE if kind is Kind.NEW_TABLE else 0)


def _raise_fixed(refused: Mapping[int, int], fixed: int) -> None:
    codes = [code for index, code in refused.items() if index < fixed]
    if errno.EPERM in codes:
        raise HostRefused(f"the nftables table {TABLE} belongs to another process")
    if codes:
        raise HostRefused(f"cannot make the nftables table {TABLE}: {os.strerror(codes[0])}")
