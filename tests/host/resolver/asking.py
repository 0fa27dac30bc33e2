"""Clients and name servers made of nothing but sockets, with dnspython to read and write."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import dns.message
import dns.rcode
import dns.rrset

from bridgehead.host.namespaces.entering import socket_in

RESOLVER, PORT = "127.0.0.11", 5353
LIMIT_S = 12.0

Behaviour = Callable[[bytes], list[bytes]]


def question(name: str, kind: str = "A", **options: object) -> bytes:
    return dns.message.make_query(name, kind, **options).to_wire()


def ask(namespace: str, name: str, kind: str = "A", *, tcp: bool = False) -> dns.message.Message:
    packet = question(name, kind)
    return dns.message.from_wire(exchange_tcp(namespace, packet)[0] if tcp else exchange(namespace, packet))


def exchange(namespace: str, packet: bytes) -> bytes:
    with client(namespace, socket.SOCK_DGRAM) as asker:
        asker.send(packet)
        return asker.recv(65535)


def exchange_tcp(namespace: str, *packets: bytes) -> list[bytes]:
    """One connection for all, each asked before the first answer is read."""
    with client(namespace, socket.SOCK_STREAM) as asker:
        asker.sendall(b"".join(framed(packet) for packet in packets))
        return [read_framed(asker) for _ in packets]


def client(namespace: str, kind: int) -> socket.socket:
    asker = socket_in(namespace, socket.AF_INET, kind)
    asker.settimeout(LIMIT_S)
    asker.connect((RESOLVER, PORT))
    return asker


def framed(packet: bytes) -> bytes:
    return len(packet).to_bytes(2, "big") + packet


def read_framed(connection: socket.socket) -> bytes:
    """b'' when the other side has ended."""
    length = int.from_bytes(connection.recv(2, socket.MSG_WAITALL), "big")
    return connection.recv(length, socket.MSG_WAITALL) if length else b""


def addresses(message: dns.message.Message) -> list[str]:
    return [record.to_text() for section in message.answer for record in section]


def knows(address: str) -> Behaviour:
    """Answers every name by one address."""

    def answer(packet: bytes) -> list[bytes]:
        query = dns.message.from_wire(packet)
        response = dns.message.make_response(query)
        response.answer.append(dns.rrset.from_text(query.question[0].name, 60, "IN", "A", address))
        return [response.to_wire()]

    return answer


def refuses(code: dns.rcode.Rcode) -> Behaviour:
    def answer(packet: bytes) -> list[bytes]:
        response = dns.message.make_response(dns.message.from_wire(packet))
        response.set_rcode(code)
        return [response.to_wire()]

    return answer


def silent(_packet: bytes) -> list[bytes]:
    return []


@contextmanager
def name_server(namespace: str, address: str, behaviour: Behaviour) -> Iterator[list[bytes]]:
    """A server at port 53 of `address`; gives the packets it was asked, as they come."""
    asked: list[bytes] = []
    over_udp = socket_in(namespace, socket.AF_INET, socket.SOCK_DGRAM)
    over_tcp = socket_in(namespace, socket.AF_INET, socket.SOCK_STREAM)
    over_tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    for door in (over_udp, over_tcp):
        door.bind((address, 53))
        door.settimeout(LIMIT_S)
    over_tcp.listen()
    threads = [
        threading.Thread(target=_serve_udp, args=(over_udp, behaviour, asked)),
        threading.Thread(target=_serve_tcp, args=(over_tcp, behaviour, asked)),
    ]
    for thread in threads:
        thread.start()
    try:
        yield asked
    finally:
        over_udp.sendto(b"", (address, 53))  # to whoever reads it: the end
        over_tcp.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join(LIMIT_S)
        over_udp.close()
        over_tcp.close()


def _serve_udp(door: socket.socket, behaviour: Behaviour, asked: list[bytes]) -> None:
    with suppress(OSError):
        while True:
            packet, asker = door.recvfrom(65535)
            if not packet:
                return
            asked.append(packet)
            for reply in behaviour(packet):
                door.sendto(reply, asker)


def _serve_tcp(door: socket.socket, behaviour: Behaviour, asked: list[bytes]) -> None:
    with suppress(OSError):
        while True:
            connection, _ = door.accept()
            connection.settimeout(LIMIT_S)
            with connection:
                asked.append(read_framed(connection))
                connection.sendall(b"".join(framed(reply) for reply in behaviour(asked[-1])))
