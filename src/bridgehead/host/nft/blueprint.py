"""A table's fixed part as the kernel describes it: what a script was compiled to, or what stands there now.

Two descriptions of one script have the same fingerprint, and a description can be turned into the messages
that make the table again, rules byte for byte.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count

from bridgehead.core.firewall.nft_skeleton import TABLE
from bridgehead.host.nft.conversation import Conversation
from bridgehead.host.nft.wire import (
    INET,
    Attributes,
    Flag,
    Kind,
    Message,
    attribute,
    number,
    read_number,
    read_text,
    text,
)

OWNER, PERSIST = 0x2, 0x4
_DORMANT = 0x1
_TABLE_NAME, _TABLE_FLAGS, _TABLE_OWNER = 1, 2, 7
_SET_ID = 10


@dataclass(frozen=True, slots=True)
class _Part:
    """One kind of object: the attribute that names its table, and those that say what the object does.

    Handles, use counts and numbers of elements change by themselves, so they are left out.
    """

    listed: Kind
    made: Kind
    table: int
    meaningful: tuple[int, ...]
    flags: int = Flag.CREATE


# Sets: name, flags, types and lengths, policy, shape, user data; chains: name, hook, policy, type; rules:
# chain, program, comment.
_SETS = _Part(Kind.GET_SET, Kind.NEW_SET, 1, (2, 3, 4, 5, 6, 7, 8, 9, 13))
_CHAINS = _Part(Kind.GET_CHAIN, Kind.NEW_CHAIN, 1, (3, 4, 5, 7))
_RULES = _Part(Kind.GET_RULE, Kind.NEW_RULE, 1, (2, 4, 7), Flag.CREATE | Flag.APPEND)
_CHAIN_NAME = 3
_SEAL = "seal"


@dataclass(frozen=True, slots=True)
class Blueprint:
    """`flags` are the table's, `owner` the netlink port id it belongs to, 0 for nobody's. `seals`: names of
    empty chains that say what the table was made from.
    """

    flags: int
    owner: int
    sets: Sequence[Attributes]
    chains: Sequence[Attributes]
    rules: Sequence[Attributes]
    seals: Sequence[str] = ()

    @property
    def fingerprint(self) -> str:
        """Of all that decides over packets; who owns the table does not."""
        summed = hashlib.sha256(str(self.flags & _DORMANT).encode())
        for part, found in ((_SETS, self.sets), (_CHAINS, self.chains), (_RULES, self.rules)):
            for properties in found:
                values = [(key, properties[key]) for key in part.meaningful if key in properties]
                summed.update(repr((part.listed.name, values)).encode())
        return summed.hexdigest()[:16]

    def messages(self, flags: int, script_digest: str) -> Iterator[Message]:
        """What makes the table, sealed, with these table flags."""
        yield Message(Kind.NEW_TABLE, INET, _table_name() + number(_TABLE_FLAGS, flags), Flag.CREATE)
        identifiers = count(1)
        for item in self.sets:
            yield _again(_SETS, item, number(_SET_ID, next(identifiers)))
        for item in self.chains:
            yield _again(_CHAINS, item)
        for item in self.rules:
            yield _again(_RULES, item)
        seal = text(1, TABLE) + text(_CHAIN_NAME, f"{_SEAL}-{script_digest}-{self.fingerprint}")
        yield Message(Kind.NEW_CHAIN, INET, seal, Flag.CREATE)

    @property
    def script_digest(self) -> str:
        """Of the script the table was made by, '' if it was changed since."""
        if len(self.seals) != 1:
            return ""
        script_digest, fingerprint = self.seals[0].split("-")[1:]
        return script_digest if fingerprint == self.fingerprint else ""


def _again(part: _Part, properties: Attributes, extra: bytes = b"") -> Message:
    parts = [attribute(key, properties[key]) for key in part.meaningful if key in properties]
    return Message(part.made, INET, text(part.table, TABLE) + b"".join(parts) + extra, part.flags)


def digest(script: str) -> str:
    return hashlib.sha256(script.encode()).hexdigest()[:16]


def read(conversation: Conversation) -> Blueprint | None:
    """How our table stands in the conversation's namespace; None if there is none."""
    tables = _ours(conversation, Kind.GET_TABLE, _TABLE_NAME)
    if not tables:
        return None
    chains = _ours(conversation, Kind.GET_CHAIN, _CHAINS.table)
    names = [read_text(chain[_CHAIN_NAME]) for chain in chains]
    return Blueprint(
        flags=read_number(tables[0].get(_TABLE_FLAGS, b"")),
        owner=read_number(tables[0].get(_TABLE_OWNER, b"")),
        sets=_ours(conversation, Kind.GET_SET, _SETS.table),
        chains=[chain for chain, name in zip(chains, names, strict=True) if not _is_seal(name)],
        rules=_ours(conversation, Kind.GET_RULE, _RULES.table),
        seals=[name for name in names if _is_seal(name)],
    )


def _ours(conversation: Conversation, kind: Kind, table_attribute: int) -> list[Attributes]:
    found = conversation.dump(Message(kind, INET, text(table_attribute, TABLE)))
    return [properties for properties in found if read_text(properties[table_attribute]) == TABLE]


def _is_seal(name: str) -> bool:
    return name.startswith(f"{_SEAL}-") and name.count("-") == 2


def _table_name() -> bytes:
    return text(_TABLE_NAME, TABLE)
