"""Sockets that keep a port: bound, listening where the protocol has that, and deaf until told otherwise.

A deaf socket has a packet filter that accepts nothing, so it is there for everybody who wants the port and
for nobody who sends to it: no connection is ever made before a rule or a relay leads it somewhere.
"""

import socket
import struct
from array import array

from bridgehead.core.model.addresses import spelled
from bridgehead.core.plan.objects import PortHold

_KINDS = {
    "tcp": (socket.SOCK_STREAM, socket.IPPROTO_TCP),
    "udp": (socket.SOCK_DGRAM, socket.IPPROTO_UDP),
    "sctp": (socket.SOCK_STREAM, socket.IPPROTO_SCTP),
}
_BACKLOG = 4096
_SO_ATTACH_FILTER, _SO_DETACH_FILTER = 26, 27
_RETURN_CONSTANT = 0x06
_DROP_ALL = array("B", struct.pack("HBBI", _RETURN_CONSTANT, 0, 0, 0))
_PROGRAM = struct.pack("@HP", 1, _DROP_ALL.buffer_info()[0])


def family(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def opened(hold: PortHold) -> socket.socket:
    """A deaf socket at the hold's address and port.

    Raises:
        OSError: the port is taken, the address is none of ours, or the kernel does not know the protocol.
        ValueError: there is no such protocol or port.
    """
    if hold.protocol not in _KINDS or not 0 < hold.port < 65536:
        raise ValueError(f"no such port: {hold.port}/{hold.protocol}")
    kind, number = _KINDS[hold.protocol]
    address = spelled(hold.address)
    made = socket.socket(family(address), kind | socket.SOCK_NONBLOCK, number)
    try:
        deafen(made)
        if made.family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if kind == socket.SOCK_STREAM:
            # What lingers of earlier connections is nobody's; a listener keeps others out all the same.
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((address, hold.port))
        if kind == socket.SOCK_STREAM:
            made.listen(_BACKLOG)
    except OSError:
        made.close()
        raise
    return made


def inherited(hold: PortHold, descriptor: int) -> socket.socket:
    """A socket that another version of this process opened for the same hold."""
    kind, number = _KINDS[hold.protocol]
    taken = socket.socket(family(str(hold.address)), kind, number, fileno=descriptor)
    taken.set_inheritable(False)
    taken.setblocking(False)
    return taken


def deafen(kept: socket.socket) -> None:
    kept.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, _PROGRAM)


def let_hear(kept: socket.socket) -> None:
    try:
        kept.setsockopt(socket.SOL_SOCKET, _SO_DETACH_FILTER, 0)
    except FileNotFoundError:
        # It hears already: an earlier version of this process saw to that.
        return


def turn_away(kept: socket.socket) -> None:
    """Close what was connected before the socket went deaf: nobody will ever accept it."""
    if kept.type == socket.SOCK_DGRAM:
        return
    try:
        while True:
            kept.accept()[0].close()
    except OSError:
        # Nobody waits any more.
        return
