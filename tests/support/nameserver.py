"""The name server of the outside world: one known name, and a quick no to everything else.

Run inside a host as `python -m tests.support.nameserver ADDRESS`; it prints a line when it listens.
"""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

from tests.support.testhost import OUTSIDE_ADDRESS, Host

KNOWN_NAME = "known.example.test."
KNOWN_ADDRESS = "203.0.113.7"
_ROOT = Path(__file__).parents[2]


def answer(query: dns.message.Message) -> dns.message.Message:
    response = dns.message.make_response(query)
    response.flags |= dns.flags.RA
    question = query.question[0]
    if question.name.to_text() != KNOWN_NAME:
        response.set_rcode(dns.rcode.NXDOMAIN)
    elif question.rdtype == dns.rdatatype.A:
        response.answer.append(dns.rrset.from_text(KNOWN_NAME, 60, "IN", "A", KNOWN_ADDRESS))
    return response


def serve(address: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((address, 53))
        print("listening", flush=True)
        while True:
            packet, client = server.recvfrom(4096)
            server.sendto(answer(dns.message.from_wire(packet)).to_wire(), client)


def start(host: Host) -> None:
    """Give `host` an uplink and, on its far side, this name server at the address its resolv.conf names.

    Ends with the outside machine.
    """
    process = host.outside().popen(
        [sys.executable, "-m", "tests.support.nameserver", OUTSIDE_ADDRESS],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(_ROOT)},
    )
    assert process.stdout is not None
    with process.stdout as said:
        assert said.readline() == b"listening\n"


@contextmanager
def serving(prefix: Sequence[str], address: str) -> Iterator[None]:
    """Meanwhile one answers at `address`, where the command words `prefix` (nsenter, say) lead."""
    command = [*prefix, sys.executable, "-m", "tests.support.nameserver", address]
    environment = {**os.environ, "PYTHONPATH": str(_ROOT)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"listening\n"
            yield
        finally:
            process.kill()


if __name__ == "__main__":
    serve(sys.argv[1])
