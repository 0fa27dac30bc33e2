"""Load between two places: requests on one connection, a connection for each request, one long stream, or
small datagrams that nobody answers.

As a command it is one end: `python bench/traffic.py serve ADDRESS PORT`, or
`... rr|crr|stream|datagrams ADDRESS PORT SECONDS`, which prints what it counted in a second (bytes for the
stream). It imports nothing of the project, so that it can run anywhere. Both ends are Python, whose own cost
is in every figure and makes ratios smaller, not larger.
"""

import socket
import struct
import sys
import threading
import time

_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: no connection is left in TIME_WAIT
_PIECE = 1 << 18


def serve(address: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with (
        socket.create_server((address, port), family=family, backlog=512) as server,
        socket.socket(family, socket.SOCK_DGRAM) as unread,
    ):
        unread.bind((address, port))
        print("listening", flush=True)
        while True:
            connection, _ = server.accept()
            first = connection.recv(1)
            if first == b"c":
                connection.send(b"x")
                connection.close()
            else:
                threading.Thread(target=_converse, args=(connection, first), daemon=True).start()


def _converse(connection: socket.socket, first: bytes) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    buffer = bytearray(_PIECE)
    with connection:
        if first == b"s":
            while connection.recv_into(buffer):
                pass
            return
        while True:
            connection.send(b"x")
            if not connection.recv(1):
                return


def rr(address: str, port: int, seconds: float) -> float:
    with socket.create_connection((address, port), timeout=10) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        count, began = 0, time.monotonic()
        end = began + seconds
        while time.monotonic() < end:
            for _ in range(32):
                connection.send(b"r")
                if not connection.recv(1):
                    raise ConnectionResetError("the other end has gone")
            count += 32
        return count / (time.monotonic() - began)


def crr(address: str, port: int, seconds: float) -> float:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    count, began = 0, time.monotonic()
    end = began + seconds
    while time.monotonic() < end:
        connection = socket.socket(family, socket.SOCK_STREAM)
        connection.settimeout(10)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        connection.connect((address, port))
        connection.send(b"c")
        connection.recv(1)
        connection.close()
        count += 1
    return count / (time.monotonic() - began)


def stream(address: str, port: int, seconds: float) -> float:
    piece = bytes(_PIECE)
    with socket.create_connection((address, port), timeout=10) as connection:
        connection.send(b"s")
        sent, began = 0, time.monotonic()
        end = began + seconds
        while time.monotonic() < end:
            sent += connection.send(piece)
        return sent / (time.monotonic() - began)


def datagrams(address: str, port: int, seconds: float) -> float:
    """Between namespaces of one machine, sending returns when the other side has the datagram or lost it."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    piece = bytes(64)
    with socket.socket(family, socket.SOCK_DGRAM) as channel:
        channel.connect((address, port))
        count, began = 0, time.monotonic()
        end = began + seconds
        while time.monotonic() < end:
            for _ in range(64):
                channel.send(piece)
            count += 64
        return count / (time.monotonic() - began)


MEASURES = {"rr": rr, "crr": crr, "stream": stream, "datagrams": datagrams}


def main(words: list[str]) -> None:
    match words:
        case ["serve", address, port]:
            serve(address, int(port))
        case [measure, address, port, seconds] if measure in MEASURES:
            print(MEASURES[measure](address, int(port), float(seconds)))
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
