"""The resolver's redirect: inside a sandbox, 127.0.0.11:53 is the resolver's own port, by rewriting packets.

Both directions are rewritten without memory, so the sandbox needs no connection tracking and its other
traffic pays for one comparison a chain. Requests are rewritten before connection tracking looks and answers
after, so that a sandbox which does track (its own firewall) sees one ordinary connection.
"""

import errno
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bridgehead.core.model.errors import Conflict
from bridgehead.host.nft.conversation import Conversation
from bridgehead.host.nft.expressions import Compare, Header, accept, compare, load, load_protocol, store
from bridgehead.host.nft.wire import (
    IPV4,
    Attributes,
    Flag,
    Kind,
    Message,
    attribute,
    nested,
    number,
    read_text,
    text,
)

TABLE = "bridgehead"
RESOLVER = bytes((127, 0, 0, 11))
DNS_PORT = 53

_ICMP, _TCP, _UDP = 1, 6, 17
_CHECKSUM_OFFSETS = {_UDP: 6, _TCP: 16, _ICMP: 2}
_SOURCE_ADDRESS, _DESTINATION_ADDRESS = 12, 16  # offsets in the IPv4 header
_SOURCE_PORT, _DESTINATION_PORT = 0, 2  # offsets in the UDP and TCP headers
_ICMP_UNREACHABLE = b"\3"
_QUOTED_PROTOCOL, _QUOTED_PORT = 8 + 9, 8 + 20 + 2  # in the packet that an ICMP error quotes

_OUTPUT_HOOK = 3
_BEFORE_TRACKING, _AFTER_TRACKING = -300, -150
_POLICY_ACCEPT = 1
_TABLE_NAME, _CHAIN_NAME = 1, 3
_RULE_TABLE, _RULE_CHAIN, _RULE_EXPRESSIONS, _RULE_USERDATA = 1, 2, 4, 7
_CHAINS = {"request": _BEFORE_TRACKING, "answer": _AFTER_TRACKING}
_COMMENT = 0  # nft's own type for a comment among a rule's user data
_MARK = re.compile(r"redirect-(\d+)-(\d+)")


@dataclass(frozen=True, slots=True)
class _Rule:
    chain: str
    program: bytes


def create(conversation: Conversation, port: int) -> None:
    """Make the redirect; one that is there, whole or damaged, is replaced."""
    messages = _messages(port)
    refusals = conversation.transact(messages)
    if errno.EEXIST in refusals.values():
        # Not at once like this: closing a netlink socket that deleted something waits 13 ms.
        make_sure, delete = _table(Kind.NEW_TABLE, Flag.CREATE), _table(Kind.DEL_TABLE)
        refusals = conversation.transact([make_sure, delete, *messages])
    _raise_first(refusals)


def check_free(conversation: Conversation, namespace: str) -> None:
    """Whoever made the namespace may have a table of that name, which is not ours to replace.

    Raises:
        Conflict: it has.
    """
    if _is_theirs(conversation):
        raise Conflict(
            f"the network namespace {namespace} has an nftables table of its own named {TABLE}: "
            "the embedded DNS server needs that name"
        )


def _is_theirs(conversation: Conversation) -> bool:
    """One without any rule is ours if it has our chains: that is what `nft flush table` leaves."""
    if marks := _marks(conversation):
        return all(port == 0 for port, _ in marks)
    chains = {read_text(chain[_CHAIN_NAME]) for chain in _parts(conversation, Kind.GET_CHAIN)}
    return chains != set(_CHAINS) and bool(_parts(conversation, Kind.GET_TABLE))


def delete(conversation: Conversation) -> None:
    refusals = conversation.transact([_table(Kind.DEL_TABLE)])
    if refusals != {0: errno.ENOENT}:
        _raise_first(refusals)


def observed_port(conversation: Conversation) -> int | None:
    """Where the redirect leads; 0 if its rules are not as we made them, None if there is none of ours."""
    marks = _marks(conversation)
    if not any(port for port, _ in marks):
        return None
    port = marks[0][0]
    return port if marks == [(port, index) for index in range(len(_rules(port)))] else 0


def _marks(conversation: Conversation) -> list[tuple[int, int]]:
    rules = _parts(conversation, Kind.GET_RULE)
    return [_mark(rule.get(_RULE_USERDATA, b"")) for rule in rules]


def _parts(conversation: Conversation, kind: Kind) -> list[Attributes]:
    """The table itself, its chains or its rules; each names the table in its first attribute."""
    found = conversation.dump(Message(kind, IPV4, text(_TABLE_NAME, TABLE)))
    return [part for part in found if read_text(part[_TABLE_NAME]) == TABLE]


def _messages(port: int) -> Sequence[Message]:
    rules = _rules(port)
    marked = [_rule_message(rule, f"redirect-{port}-{index}") for index, rule in enumerate(rules)]
    return [
        _table(Kind.NEW_TABLE, Flag.CREATE | Flag.EXCLUSIVE),
        *(_chain(name, priority) for name, priority in _CHAINS.items()),
        *marked,
    ]


def _rules(port: int) -> Sequence[_Rule]:
    ours, public = port.to_bytes(2, "big"), DNS_PORT.to_bytes(2, "big")
    return (
        _Rule("request", _elsewhere(_DESTINATION_ADDRESS)),
        _Rule("request", _rewrite(_UDP, _DESTINATION_PORT, public, ours)),
        _Rule("request", _rewrite(_TCP, _DESTINATION_PORT, public, ours)),
        _Rule("answer", _elsewhere(_SOURCE_ADDRESS)),
        _Rule("answer", _rewrite(_UDP, _SOURCE_PORT, ours, public)),
        _Rule("answer", _rewrite(_TCP, _SOURCE_PORT, ours, public)),
        _Rule("answer", _rewrite_quoted(ours, public)),
    )


def _elsewhere(address_offset: int) -> bytes:
    """Everything that is not the resolver's leaves the chain first."""
    return load(Header.NETWORK, address_offset, 4) + compare(Compare.UNEQUAL, RESOLVER) + accept()


def _rewrite(protocol: int, offset: int, before: bytes, after: bytes) -> bytes:
    return (
        load_protocol()
        + compare(Compare.EQUAL, bytes((protocol,)))
        + load(Header.TRANSPORT, offset, 2)
        + compare(Compare.EQUAL, before)
        + store(Header.TRANSPORT, offset, after, _CHECKSUM_OFFSETS[protocol])
    )


def _rewrite_quoted(before: bytes, after: bytes) -> bytes:
    """'Port unreachable' quotes the rewritten request: made to quote the original, the client learns at once
    that no resolver listens, where it would wait for its timeout.
    """
    return (
        load_protocol()
        + compare(Compare.EQUAL, bytes((_ICMP,)))
        + load(Header.TRANSPORT, 0, 1)
        + compare(Compare.EQUAL, _ICMP_UNREACHABLE)
        + load(Header.TRANSPORT, _QUOTED_PROTOCOL, 1)
        + compare(Compare.EQUAL, bytes((_UDP,)))
        + load(Header.TRANSPORT, _QUOTED_PORT, 2)
        + compare(Compare.EQUAL, before)
        + store(Header.TRANSPORT, _QUOTED_PORT, after, _CHECKSUM_OFFSETS[_ICMP])
    )


def _table(kind: Kind, flags: int = 0) -> Message:
    return Message(kind, IPV4, text(1, TABLE), flags)


def _chain(name: str, priority: int) -> Message:
    hook = nested(4, number(1, _OUTPUT_HOOK), number(2, priority))
    body = text(1, TABLE) + text(3, name) + hook + number(5, _POLICY_ACCEPT) + text(7, "filter")
    return Message(Kind.NEW_CHAIN, IPV4, body, Flag.CREATE)


def _rule_message(rule: _Rule, mark: str) -> Message:
    comment = mark.encode() + b"\0"
    body = (
        text(_RULE_TABLE, TABLE)
        + text(_RULE_CHAIN, rule.chain)
        + nested(_RULE_EXPRESSIONS, rule.program)
        + attribute(_RULE_USERDATA, bytes((_COMMENT, len(comment))) + comment)
    )
    return Message(Kind.NEW_RULE, IPV4, body, Flag.CREATE | Flag.APPEND)


def _mark(userdata: bytes) -> tuple[int, int]:
    found = _MARK.fullmatch(userdata[2:].rstrip(b"\0").decode(errors="replace"))
    return (int(found[1]), int(found[2])) if found else (0, -1)


def _raise_first(refusals: Mapping[int, int]) -> None:
    for code in refusals.values():
        raise OSError(code, os.strerror(code), "resolver redirect")
