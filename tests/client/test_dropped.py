"""Clients that vanish in the middle: the daemon neither acts on half a request nor keeps anything of them."""

import contextlib
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.client.observed import observed
from tests.support.daemon import Daemon
from tests.support.wait import until

pytestmark = pytest.mark.host


def _open_files(daemon: Daemon) -> int:
    return len(list((daemon.host.root / f"proc/{daemon.pid}/fd").iterdir()))


def _dial(daemon: Daemon) -> socket.socket:
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(10)
    client.connect(str(daemon.socket))
    return client


def _request(method: str, path: str, body: bytes = b"", *, length: int | None = None) -> bytes:
    size = len(body) if length is None else length
    head = f"{method} {path} HTTP/1.1\r\nHost: d\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {size}\r\n\r\n".encode() + body


def _as_before(daemon: Daemon, before: dict[str, Any]) -> None:
    with contextlib.suppress(TimeoutError):
        until(lambda: before == observed(daemon), "everything as before", limit_s=5)
    assert before == observed(daemon)


@pytest.fixture
def sleeper(daemon: Daemon) -> Iterator[str]:
    daemon.docker.ok(
        "run", "-d", "--name", "sleeper", "busybox", "sh", "-c", "while sleep 0.1; do echo x; done"
    )
    yield "sleeper"
    daemon.docker.ok("rm", "-f", "sleeper")


@pytest.mark.parametrize(
    "sent",
    [
        b"POST /networks/cre",
        _request("POST", "/networks/create", b'{"Name": "half"', length=100),
        _request("POST", "/images/create?fromSrc=-&repo=half", b"\0" * 600, length=10240),
        _request("POST", "/containers/create?name=half", b'{"Image": "busybox"', length=4000),
    ],
    ids=["half a line", "half a network", "half an image", "half a container"],
)
def test_half_a_request_does_nothing(daemon: Daemon, sent: bytes) -> None:
    before = observed(daemon)

    with _dial(daemon) as client:
        client.sendall(sent)
        time.sleep(0.1)

    _as_before(daemon, before)


def _pruned(daemon: Daemon) -> object:
    daemon.docker.ok("network", "prune", "-f")
    return observed(daemon)


def test_whole_request_of_a_vanished_client_is_done_or_not_but_never_half(daemon: Daemon) -> None:
    before = observed(daemon)

    for number in range(20):
        with _dial(daemon) as client:
            client.sendall(_request("POST", "/networks/create", b'{"Name": "gone%d"}' % number))

    # Some are made only now, and may be half made at any one look.
    until(lambda: _pruned(daemon) == before, "nothing is left of them", 20)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/containers/sleeper/wait"),
        ("POST", "/containers/sleeper/attach?stream=1&stdout=1&stderr=1"),
        ("GET", "/containers/sleeper/logs?follow=1&stdout=1"),
        ("GET", "/events"),
    ],
)
def test_vanished_listener_leaves_no_open_file(daemon: Daemon, sleeper: str, method: str, path: str) -> None:
    daemon.call("GET", "/_ping")
    before = _open_files(daemon)

    for _ in range(20):
        with _dial(daemon) as client:
            client.sendall(_request(method, path))
            assert client.recv(12).startswith(b"HTTP/1.1 ")

    until(lambda: _open_files(daemon) <= before + 1, "as many open files as before")
    assert daemon.docker.ok("inspect", "-f", "{{.State.Running}}", sleeper) == "true"


def test_client_that_vanishes_unread_does_not_hold_up_the_container(daemon: Daemon) -> None:
    """While it lives, a client that reads nothing holds the container back, as with Docker: `run | less`."""
    daemon.docker.ok(
        "create", "--name", "talker", "busybox", "sh", "-c", "dd if=/dev/zero bs=64k count=200; exit 7"
    )
    try:
        with _dial(daemon) as deaf:
            deaf.sendall(_request("POST", "/containers/talker/attach?stream=1&stdout=1&stderr=1"))
            daemon.docker.ok("start", "talker")

        assert daemon.docker.ok("wait", "talker", timeout_s=20) == "7"
    finally:
        daemon.docker.ok("rm", "-f", "talker")
