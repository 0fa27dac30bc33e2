"""Clients that ask for much and read nothing: the daemon and everybody else's containers do not notice."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.support.daemon import Daemon
from tests.support.wait import until

pytestmark = pytest.mark.host
_READERS = 20
_MOST_GROWTH_KIB = 32 << 10
_TALK = "while :; do echo 0123456789012345678901234567890123456789; echo x >>/count; done"


@pytest.fixture
def talker(daemon: Daemon) -> Iterator[str]:
    daemon.docker.ok("run", "-d", "--name", "talker", "busybox", "sh", "-c", _TALK)
    yield "talker"
    daemon.docker.ok("rm", "-f", "talker")


def deaf(daemon: Daemon, method: str, path: str) -> socket.socket:
    """A client that has its answer's head and reads no further."""
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(10)
    client.connect(str(daemon.socket))
    client.sendall(f"{method} {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    assert client.recv(12) == b"HTTP/1.1 200"
    return client


def said(daemon: Daemon) -> int:
    return int(daemon.docker.ok("exec", "talker", "wc", "-l", "/count").split()[0])


def resident_kib(daemon: Daemon) -> int:
    status = (daemon.host.root / f"proc/{daemon.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0])


@pytest.mark.parametrize("path", ["/containers/talker/logs?follow=1&stdout=1", "/events?since=1"])
def test_a_stream_that_nobody_reads_costs_nobody_anything(daemon: Daemon, talker: str, path: str) -> None:
    before = resident_kib(daemon)
    with ExitStack() as clients:
        for _ in range(_READERS):
            clients.enter_context(deaf(daemon, "GET", path))

        heard = said(daemon)
        until(lambda: said(daemon) > heard + 10_000, f"{talker} to go on", 20)
        began = time.monotonic()
        for _ in range(50):
            assert daemon.call("GET", f"/containers/{talker}/json")[0] == 200

        assert time.monotonic() - began < 5
        assert resident_kib(daemon) < before + _MOST_GROWTH_KIB


def test_an_attached_client_that_reads_nothing_holds_up_its_own_container_alone(
    daemon: Daemon, talker: str
) -> None:
    daemon.docker.ok("run", "-d", "--name", "other", "busybox", "sh", "-c", "sleep 1; echo done")
    before = resident_kib(daemon)
    with deaf(daemon, "POST", f"/containers/{talker}/attach?stream=1&stdout=1"):
        assert daemon.docker.ok("wait", "other") == "0"
        assert daemon.docker.ok("logs", "other") == "done"
        assert resident_kib(daemon) < before + _MOST_GROWTH_KIB
    # Gone, it holds nobody up.
    heard = said(daemon)
    until(lambda: said(daemon) > heard + 1000, f"{talker} to go on", 20)
    daemon.docker.ok("rm", "-f", "other")
