"""Serves drivers: `Serving` in the background, `serve` until SIGTERM, `main` with a command line."""

import logging
import re
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

from bridgehead.plugin.dispatch import Dispatch, Driver, Exchange
from bridgehead.plugin.door import SOCKETS, SPECIFICATIONS, AlreadyServed, Door, PortDoor, SocketDoor

_log = logging.getLogger("bridgehead.plugin")

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_LAST_CALLS_S = 10.0


class Serving:
    """Answers from the moment it is made until `close`. A context manager.

    `socket`: a path; without it and `tcp`, NAME.sock where engines look. `tcp`: "HOST:PORT", port 0 for any;
    `spec` is the folder to announce it in, as NAME.spec. `serialised` False: calls come in several threads.

    Raises:
        AlreadyServed: another plugin answers there.
        ValueError: not one driver of a kind, or no name where one is needed.
        OSError: the socket cannot be made.
    """

    def __init__(
        self,
        *drivers: Driver,
        name: str = "",
        socket: str | Path | None = None,
        tcp: str | None = None,
        spec: str | Path | None = None,
        serialised: bool = True,
        on_exchange: Callable[[Exchange], None] | None = None,
    ) -> None:
        if not drivers:
            raise ValueError("there is no driver to serve")
        from bridgehead.plugin.server import Server  # late: it is most of what there is to load

        dispatch = Dispatch(drivers, serialised=serialised, on_exchange=on_exchange)
        self._door = _door(name, socket, tcp, spec)
        self._server = Server(self._door, dispatch)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True)
        self._thread.start()
        _log.info("serving at %s", self.address)

    @property
    def address(self) -> str:
        return self._door.address

    def close(self) -> None:
        """Let nobody in, let the calls under way end (10 s at most), and take the socket away."""
        self._server.shutdown()
        self._door.close()
        self._server.wait_for_calls(_LAST_CALLS_S)
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def serve(*drivers: Driver, **how: Any) -> None:
    """Serve until SIGTERM or SIGINT. To be called on the main thread; arguments as for `Serving`."""
    ended = threading.Event()
    before = {
        number: signal.signal(number, lambda *_: ended.set()) for number in (signal.SIGTERM, signal.SIGINT)
    }
    try:
        with Serving(*drivers, **how):
            ended.wait()
            _log.info("ending")
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def main(*drivers: Driver, name: str, arguments: Sequence[str] | None = None) -> None:
    """A plugin's command line: where to listen. Logs each call on standard error."""
    import argparse

    parser = argparse.ArgumentParser(description=f"The {name} driver, as a plugin for Docker and Bridgehead.")
    parser.add_argument("--name", default=name, help="what users write after -d (default: %(default)s)")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--socket", metavar="PATH", help=f"default: {SOCKETS}/NAME.sock")
    where.add_argument("--tcp", metavar="HOST:PORT", help="listen on a port instead")
    parser.add_argument(
        "--spec",
        metavar="FOLDER",
        nargs="?",
        const=str(SPECIFICATIONS),
        help="with --tcp: announce it by FOLDER/NAME.spec (default: %(const)s)",
    )
    parser.add_argument("--quiet", action="store_true", help="log warnings only")
    chosen = parser.parse_args(arguments)
    level = logging.WARNING if chosen.quiet else logging.INFO
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(message)s")
    try:
        serve(*drivers, name=chosen.name, socket=chosen.socket, tcp=chosen.tcp, spec=chosen.spec)
    except (AlreadyServed, ValueError, OSError) as error:
        sys.exit(f"{name}: {error}")


def _door(name: str, socket: str | Path | None, tcp: str | None, spec: str | Path | None) -> Door:
    if name and not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name for a plugin")
    if tcp is None:
        if spec is not None:
            raise ValueError("a .spec file is for a plugin on a port (tcp)")
        if socket is None and not name:
            raise ValueError("a name is needed, or a socket")
        return SocketDoor(Path(socket) if socket is not None else SOCKETS / f"{name}.sock")
    if socket is not None:
        raise ValueError("either a socket or a port (tcp), not both")
    if spec is not None and not name:
        raise ValueError("a name is needed for the .spec file")
    host, _, port = tcp.rpartition(":")
    if not port.isdecimal():
        raise ValueError(f"{tcp!r} is not HOST:PORT")
    return PortDoor(host.strip("[]") or "127.0.0.1", int(port), Path(spec, f"{name}.spec") if spec else None)
