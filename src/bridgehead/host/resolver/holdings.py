"""All that the resolver holds: the names, and one server for each sandbox that may ask."""

import os
import socket
from collections.abc import Iterator

from bridgehead.core.dns.resolver import LISTEN_ADDRESS
from bridgehead.core.dns.zone import Zone
from bridgehead.core.model.errors import HostRefused
from bridgehead.core.plan.names import NameRecord, ResolverView, Upstream
from bridgehead.host.companion.loop import Loop
from bridgehead.host.namespaces.entering import socket_in
from bridgehead.host.resolver.forwarder import Forwarder
from bridgehead.host.resolver.listeners import TcpListener, UdpListener
from bridgehead.host.resolver.responder import Responder


class Holdings:
    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._zone = Zone()
        self._servers: dict[str, SandboxServer] = {}

    @property
    def serving(self) -> bool:
        return bool(self._servers)

    def records(self) -> Iterator[NameRecord]:
        return iter(self._zone)

    def views(self) -> Iterator[ResolverView]:
        """Only those in reach of their sandbox: a server left in a namespace that was replaced is closed."""
        for server in list(self._servers.values()):
            if server.in_place():
                yield server.view
            else:
                self.drop_view(server.view.sandbox)

    def put_record(self, record: NameRecord) -> None:
        """Raises ValueError: it has an address that is none."""
        self._zone.put(record)
        self._names_changed()

    def drop_record(self, endpoint: str) -> None:
        self._zone.drop(endpoint)
        self._names_changed()

    def put_view(self, view: ResolverView) -> None:
        """Raises OSError or HostRefused: its sockets cannot be opened; what was there before still serves."""
        present = self._servers.get(view.sandbox)
        if present is not None and present.take(view):
            return
        self._servers[view.sandbox] = SandboxServer(self._loop, self._zone, view)
        if present is not None:
            present.close()

    def drop_view(self, sandbox: str) -> None:
        server = self._servers.pop(sandbox, None)
        if server is not None:
            server.close()

    def _names_changed(self) -> None:
        for server in self._servers.values():
            server.names_changed()


class SandboxServer:
    """What answers at 127.0.0.11 in one sandbox."""

    def __init__(self, loop: Loop, zone: Zone, view: ResolverView) -> None:
        self._namespace = _identity(view.namespace)
        udp = _listening_socket(view, socket.SOCK_DGRAM)
        try:
            tcp = _listening_socket(view, socket.SOCK_STREAM)
        except (OSError, OverflowError, HostRefused):
            udp.close()
            raise
        self._forwarder = Forwarder(loop, self._open_socket)
        self._responder = Responder(zone, view, self._forwarder)
        self._udp = UdpListener(loop, udp, self._responder)
        self._tcp = TcpListener(loop, tcp, self._responder)

    @property
    def view(self) -> ResolverView:
        return self._responder.view

    def take(self, view: ResolverView) -> bool:
        """Serve `view` from now on, if the sockets are where it wants them."""
        fits = view.port == self.view.port and _identity(view.namespace) == self._namespace
        if fits:
            self._responder.view = view
            self.names_changed()
        return fits

    def in_place(self) -> bool:
        try:
            return _identity(self.view.namespace) == self._namespace
        except OSError:
            return False

    def names_changed(self) -> None:
        self._responder.ready.clear()

    def close(self) -> None:
        self._forwarder.close()
        self._tcp.close()
        self._udp.close()

    def _open_socket(self, upstream: Upstream, family: int, kind: int) -> socket.socket:
        return _socket_in(self.view.namespace if upstream.from_sandbox else "", family, kind)


def _identity(path: str) -> tuple[int, int]:
    """Our sockets keep the namespace alive, so its number is not given out again while they are open."""
    found = os.stat(path)  # noqa: PTH116 - as in __main__
    return found.st_dev, found.st_ino


def _socket_in(namespace: str, family: int, kind: int) -> socket.socket:
    try:
        return socket_in(namespace, family, kind)
    except RuntimeError as error:
        raise HostRefused(f"no thread to enter {namespace} with: {error}") from error


def _listening_socket(view: ResolverView, kind: int) -> socket.socket:
    listening = _socket_in(view.namespace, socket.AF_INET, kind)
    try:
        if kind == socket.SOCK_STREAM:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((LISTEN_ADDRESS, view.port))
    except (OSError, OverflowError):
        listening.close()
        raise
    return listening
