"""The firewall as the reconciler sees it: our table, its elements, and every sandbox's resolver redirect."""

import errno
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from bridgehead.core.firewall.nft import table
from bridgehead.core.model.errors import HostRefused
from bridgehead.core.plan.diff import Delete, Op
from bridgehead.core.plan.objects import (
    FirewallElement,
    FirewallTable,
    KernelObject,
    Key,
    ResolverRedirect,
    State,
    state,
)
from bridgehead.host.nft import elements, redirect, skeleton
from bridgehead.host.nft.conversation import Conversation, SocketIn, open_here, open_in


class FirewallPlane:
    """`namespaces` is the folder of the sandboxes' namespaces; `socket_in` opens a socket inside one.

    The conversation with the daemon's own namespace stays open for life: closing it after a delete would
    wait 13 ms for the kernel to free what was deleted.
    """

    kinds: frozenset[type] = frozenset({FirewallTable, FirewallElement, ResolverRedirect})

    def __init__(self, namespaces: str, socket_in: SocketIn) -> None:
        self._namespaces = namespaces
        self._socket_in = socket_in
        self._opened: Conversation | None = None
        current = table().text
        self._scripts = {skeleton.digest(current): current}
        self._children: tuple[int, ...] = ()

    @property
    def port_ids(self) -> frozenset[int]:
        """Whose announcements are our own doing; the kernel names a child's socket after its process."""
        own = (self._opened.port_id,) if self._opened is not None else ()
        return frozenset((*own, *self._children))

    def _started(self, pid: int) -> None:
        self._children = (*self._children[-7:], pid)

    @property
    def _conversation(self) -> Conversation:
        if self._opened is None:
            self._opened = open_here()
        return self._opened

    def close(self) -> None:
        """For the daemon's end; the rules stay and keep guarding the networks."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    def observe(self) -> State:
        found: list[KernelObject] = [*self._observed_redirects()]
        digest = skeleton.observed_digest(self._conversation)
        if digest is not None:
            found.append(FirewallTable(self._scripts.get(digest, "(not as we made it)")))
            found += elements.observed(self._conversation)
        return state(*found)

    def _observed_redirects(self) -> list[ResolverRedirect]:
        try:
            paths = sorted(map(str, Path(self._namespaces).iterdir()))
        except FileNotFoundError:
            return []
        found = ((path, self._port(path)) for path in paths)
        return [ResolverRedirect(path, port) for path, port in found if port is not None]

    def _port(self, namespace: str) -> int | None:
        try:
            with open_in(namespace, self._socket_in) as conversation:
                return redirect.observed_port(conversation)
        except HostRefused:
            # A file with no namespace mounted over it: a crash or a reboot left it.
            return None

    def apply(self, ops: Sequence[Op]) -> Mapping[Key, Exception]:
        failed: dict[Key, Exception] = {}
        pending: list[Op] = []
        for op in ops:
            match op.object:
                case FirewallElement():
                    pending.append(op)
                case FirewallTable():
                    failed |= self._apply_elements(pending)
                    pending = []
                    failed |= self._apply_table(op)
                case ResolverRedirect():
                    failed |= self._apply_redirect(op, op.object)
                case other:
                    raise TypeError(f"not for the firewall: {other}")
        return failed | self._apply_elements(pending)

    def _apply_table(self, op: Op) -> dict[Key, Exception]:
        try:
            if isinstance(op, Delete):
                skeleton.remove(self._conversation)
            elif isinstance(op.object, FirewallTable):
                self._replace_table(op.object.text)
        except (HostRefused, OSError) as error:
            return {op.object.key: error}
        return {}

    def _replace_table(self, script: str) -> None:
        self._scripts[skeleton.digest(script)] = script
        skeleton.replace(self._conversation, script, elements.observed(self._conversation), self._started)

    def _apply_elements(self, ops: Sequence[Op]) -> dict[Key, Exception]:
        """One transaction; those that are refused are taken out and the others tried again."""
        failed: dict[Key, Exception] = {}
        while ops:
            messages = [(op, message) for op in ops for message in elements.messages(op)]
            refusals = self._conversation.transact([message for _, message in messages])
            if not refusals:
                break
            refused = {messages[index][0]: code for index, code in refusals.items()}
            failed |= {op.object.key: _refusal(code) for op, code in refused.items() if not _gone(op, code)}
            ops = [op for op in ops if op not in refused]
        return failed

    def _apply_redirect(self, op: Op, wanted: ResolverRedirect) -> dict[Key, Exception]:
        try:
            with open_in(wanted.namespace, self._socket_in) as conversation:
                if isinstance(op, Delete):
                    redirect.delete(conversation)
                else:
                    redirect.create(conversation, wanted.port)
        except (HostRefused, OSError) as error:
            if Path(wanted.namespace).exists() or not isinstance(op, Delete):
                return {wanted.key: error}
        return {}


def _gone(op: Op, code: int) -> bool:
    return isinstance(op, Delete) and code == errno.ENOENT


def _refusal(code: int) -> OSError:
    return OSError(code, os.strerror(code), "nftables element")
