"""From an nft script to what the kernel makes of it, in a network namespace that nobody else sees.

A table that belongs to our socket takes nothing from a child process, so `nft` never works on it: it loads
the script here, where the result is read and the namespace forgotten.
"""

import subprocess

from bridgehead.core.model.errors import HostRefused
from bridgehead.host.namespaces.entering import CLONE_NEWNET, checked, in_own_thread, libc
from bridgehead.host.nft import blueprint
from bridgehead.host.nft.blueprint import Blueprint
from bridgehead.host.nft.conversation import open_here
from bridgehead.host.nft.wire import INET, Flag, Kind, Message, number, text

_NFT_TIMEOUT_S = 20


def compiled(script: str) -> Blueprint:
    """The table that the script makes.

    Raises:
        HostRefused: in nft's own words.
    """

    def compile_here() -> Blueprint | None:
        checked(libc.unshare(CLONE_NEWNET))
        _run(script)
        with open_here() as conversation:
            return blueprint.read(conversation)

    try:
        result = in_own_thread(compile_here)
    except OSError as error:
        raise HostRefused(f"cannot compile the nftables table: {error}") from error
    if result is None:
        raise HostRefused("the nft script makes no table of ours")
    return result


def accepts(table_flags: int) -> bool:
    """Whether this kernel knows all of these flags of a table."""

    def ask() -> bool:
        checked(libc.unshare(CLONE_NEWNET))
        with open_here() as conversation:
            body = text(1, "question") + number(2, table_flags)
            return not conversation.transact([Message(Kind.NEW_TABLE, INET, body, Flag.CREATE)])

    return in_own_thread(ask)


def _run(script: str) -> None:
    try:
        done = subprocess.run(
            ["nft", "-f", "-"],
            input=script,
            capture_output=True,
            text=True,
            timeout=_NFT_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise HostRefused(f"cannot run nft: {error}") from error
    if done.returncode:
        raise HostRefused(f"nft: {done.stderr.strip()}")
