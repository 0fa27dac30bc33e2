"""The fixed part of our table: replaced by the `nft` command, and sealed so that any change to it shows.

The seal is an empty chain whose name holds two digests: of the script, and of what the kernel made of it.
"""

import hashlib
import subprocess
from collections.abc import Callable, Iterable

from bridgehead.core.firewall.nft import TABLE, spelled
from bridgehead.core.firewall.rules import is_plain
from bridgehead.core.model.errors import HostRefused
from bridgehead.core.plan.objects import FirewallElement
from bridgehead.host.nft.conversation import Conversation
from bridgehead.host.nft.wire import INET, Attributes, Flag, Kind, Message, read_text, text

_NFT_TIMEOUT_S = 20
_SEAL = "seal"
_CHAIN_TABLE, _CHAIN_NAME = 1, 3

# For each kind: the attribute that names the table, and those that say what the object does.
# Handles, use counts and numbers of elements change by themselves, so they are left out.
_MEANING = (
    (Kind.GET_TABLE, 1, (1, 2)),  # name, flags
    (Kind.GET_SET, 1, (2, 3, 4, 5, 6, 7)),  # name, flags, key type and length, data type and length
    (Kind.GET_CHAIN, 1, (3, 4, 5, 7, 10)),  # name, hook, policy, type, flags
    (Kind.GET_RULE, 1, (2, 4)),  # chain, expressions
)


def replace(
    conversation: Conversation,
    script: str,
    elements: Iterable[FirewallElement],
    started: Callable[[int], None],
) -> None:
    """Put the skeleton in place of what is there, with these elements, in one transaction; then seal it.

    `started` is told the process id of the `nft` that does it.

    Raises:
        HostRefused: in nft's own words.

    """
    # A name that nft would read otherwise cannot be one of ours.
    kept = [spelled(element) for element in elements if all(map(is_plain, element.match))]
    _run(script + "".join(kept), started)
    name = "-".join((_SEAL, digest(script), _fingerprint(conversation)))
    chain = text(_CHAIN_TABLE, TABLE) + text(_CHAIN_NAME, name)
    refusals = conversation.transact([Message(Kind.NEW_CHAIN, INET, chain, Flag.CREATE)])
    if refusals:
        raise HostRefused(f"cannot seal the nftables table {TABLE}: errno {refusals[0]}")


def _run(script: str, started: Callable[[int], None]) -> None:
    try:
        nft = subprocess.Popen(
            ["nft", "-f", "-"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
    except OSError as error:
        raise HostRefused(f"cannot run nft: {error}") from error
    with nft:
        started(nft.pid)
        try:
            _, complaint = nft.communicate(script, _NFT_TIMEOUT_S)
        except (OSError, subprocess.TimeoutExpired) as error:
            nft.kill()
            raise HostRefused(f"cannot run nft: {error}") from error
    if nft.returncode:
        raise HostRefused(f"nft: {complaint.strip()}")


def remove(conversation: Conversation) -> None:
    """Delete the whole table, whether or not it is there."""
    name = text(1, TABLE)
    make_sure = Message(Kind.NEW_TABLE, INET, name, Flag.CREATE)
    refusals = conversation.transact([make_sure, Message(Kind.DEL_TABLE, INET, name)])
    if refusals:
        raise HostRefused(f"cannot delete the nftables table {TABLE}: errno {min(refusals.values())}")


def digest(script: str) -> str:
    return hashlib.sha256(script.encode()).hexdigest()[:16]


def observed_digest(conversation: Conversation) -> str | None:
    """Digest of the script our table was made by, '' if it was changed since; None if there is no table."""
    if not _ours(conversation, Kind.GET_TABLE, 1):
        return None
    seals = [name for name in _chains(conversation) if _is_seal(name)]
    if len(seals) != 1:
        return ""
    script_digest, fingerprint = seals[0].split("-")[1:]
    return script_digest if fingerprint == _fingerprint(conversation) else ""


def _fingerprint(conversation: Conversation) -> str:
    summed = hashlib.sha256()
    for kind, table_attribute, meaningful in _MEANING:
        for properties in _ours(conversation, kind, table_attribute):
            if kind is Kind.GET_CHAIN and _is_seal(read_text(properties[_CHAIN_NAME])):
                continue
            values = [(key, properties[key]) for key in meaningful if key in properties]
            summed.update(repr((kind.name, values)).encode())
    return summed.hexdigest()[:16]


def _ours(conversation: Conversation, kind: Kind, table_attribute: int) -> list[Attributes]:
    found = conversation.dump(Message(kind, INET, text(table_attribute, TABLE)))
    return [properties for properties in found if read_text(properties[table_attribute]) == TABLE]


def _chains(conversation: Conversation) -> list[str]:
    return [read_text(chain[_CHAIN_NAME]) for chain in _ours(conversation, Kind.GET_CHAIN, _CHAIN_TABLE)]


def _is_seal(name: str) -> bool:
    return name.startswith(f"{_SEAL}-") and name.count("-") == 2
