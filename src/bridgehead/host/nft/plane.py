"""The firewall as the reconciler sees it: our table, its elements, and every sandbox's resolver redirect."""

import errno
import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path

from bridgehead.core.firewall.flows import Flow
from bridgehead.core.firewall.nft import flow
from bridgehead.core.firewall.nft_skeleton import guard, table
from bridgehead.core.model.errors import BridgeheadError, HostRefused
from bridgehead.core.plan.diff import Delete, Op
from bridgehead.core.plan.filtering import FirewallElement, FirewallTable
from bridgehead.core.plan.key import Key
from bridgehead.core.plan.names import ResolverRedirect
from bridgehead.core.plan.objects import KernelObject, State, state
from bridgehead.host.namespaces.files import is_lent
from bridgehead.host.nft import elements, redirect
from bridgehead.host.nft.conversation import Conversation, SocketIn, open_here, open_in
from bridgehead.host.nft.skeleton import OWNED, Skeleton
from bridgehead.host.nft.wire import Kind, Message

CutFlows = Callable[[Collection[Flow]], None]


class FirewallPlane:
    """`namespaces` is the folder of the sandboxes' namespaces; `socket_in` opens a socket inside one.
    `cut_flows` is told which ports of the host lead elsewhere now. `table_flags`: see `skeleton`; 0 for one
    that only looks.

    The conversation with the daemon's own namespace stays open for life: it owns the table, and closing it
    after a delete would wait 13 ms for the kernel to free what was deleted.
    """

    kinds: frozenset[type] = frozenset({FirewallTable, FirewallElement, ResolverRedirect})

    def __init__(
        self,
        namespaces: str,
        socket_in: SocketIn,
        cut_flows: CutFlows = lambda _: None,
        *,
        table_flags: int = OWNED,
    ) -> None:
        self._namespaces = namespaces
        self._socket_in = socket_in
        self._cut_flows = cut_flows
        self._table_flags = table_flags
        self._opened: tuple[Conversation, Skeleton] | None = None
        self._known: elements.Shapes | None = None

    def _open(self) -> tuple[Conversation, Skeleton]:
        if self._opened is None:
            conversation = open_here()
            self._opened = conversation, Skeleton(conversation, (table(), guard()), self._table_flags)
        return self._opened

    @property
    def _conversation(self) -> Conversation:
        return self._open()[0]

    @property
    def _skeleton(self) -> Skeleton:
        return self._open()[1]

    @property
    def port_ids(self) -> frozenset[int]:
        """Whose changes to the host's rules are ours, as the kernel's events name them. No process that we
        start changes any.
        """
        return frozenset({self._opened[0].port_id}) if self._opened else frozenset()

    def close(self) -> None:
        """For the daemon's end; the rules stay and keep guarding the networks."""
        if self._opened is not None:
            self._opened[0].close()
            self._opened = None

    def observe(self) -> State:
        found: list[KernelObject] = [*self._observed_redirects()]
        if (present := self._skeleton.observed()) is not None:
            found += [present, *self._observed_elements()]
        return state(*found)

    def _observed_elements(self) -> list[FirewallElement]:
        self._known = None
        return elements.observed(self._conversation, self._shapes)

    @property
    def _shapes(self) -> elements.Shapes:
        """Read again after every look at the table and every change to it."""
        if self._known is None:
            self._known = elements.shapes(self._conversation)
        return self._known

    def _observed_redirects(self) -> list[ResolverRedirect]:
        try:
            paths = sorted(map(str, Path(self._namespaces).iterdir()))
        except FileNotFoundError:
            return []
        found = ((path, self._port(path)) for path in paths)
        return [ResolverRedirect(path, port, is_lent(path)) for path, port in found if port is not None]

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
        self._known = None
        try:
            if isinstance(op, Delete):
                gone = self._observed_elements()
                self._known = None
                self._skeleton.remove()
                self._cut(gone)
            elif isinstance(op.object, FirewallTable):
                self._skeleton.settle(op.object)
        except (HostRefused, OSError) as error:
            return {op.object.key: error}
        return {}

    def _apply_elements(self, ops: Sequence[Op]) -> dict[Key, Exception]:
        """One transaction; those that are refused are taken out and the others tried again."""
        if not ops:
            return {}
        prepared, failed = self._prepared(ops)
        while prepared:
            sent = [(op, message) for op, found in prepared.items() for message in found]
            refusals = self._conversation.transact([message for _, message in sent])
            if not refusals:
                break
            for index, code in refusals.items():
                op, message = sent[index]
                rest = prepared.pop(op, [])
                if code == errno.ENOENT and message.kind is Kind.DEL_ELEMENT:
                    prepared |= {op: rest[1:]} if rest[1:] else {}
                else:
                    failed[op.object.key] = OSError(code, os.strerror(code), "nftables element")
        self._cut(op.object for op in prepared)
        return failed

    def _prepared(self, ops: Sequence[Op]) -> tuple[dict[Op, list[Message]], dict[Key, Exception]]:
        prepared: dict[Op, list[Message]] = {}
        failed: dict[Key, Exception] = {}
        for op in ops:
            try:
                prepared[op] = elements.messages(op, self._shapes)
            except KeyError:
                if not isinstance(op, Delete):
                    failed[op.object.key] = OSError(errno.ENOENT, "no such set", op.object.key[1])
            except ValueError as error:
                failed[op.object.key] = HostRefused(f"nftables element: {error}")
        return prepared, failed

    def _cut(self, changed: Iterable[KernelObject]) -> None:
        flows = {found for item in changed if isinstance(item, FirewallElement) and (found := flow(item))}
        if flows:
            self._cut_flows(flows)

    def _apply_redirect(self, op: Op, wanted: ResolverRedirect) -> dict[Key, Exception]:
        try:
            with open_in(wanted.namespace, self._socket_in) as conversation:
                if isinstance(op, Delete):
                    redirect.delete(conversation)
                else:
                    if wanted.lent:
                        redirect.check_free(conversation, wanted.namespace)
                    redirect.create(conversation, wanted.port)
        except (BridgeheadError, OSError) as error:
            if Path(wanted.namespace).exists() or not isinstance(op, Delete):
                return {wanted.key: error}
        return {}
