"""kill -9 of the daemon in the middle of a copy: nothing of it stays, and the container starts."""

import io
import tarfile
import threading
from collections.abc import Iterator

import pytest

from tests.support.census import census, leaks
from tests.support.daemon import Daemon, UnixConnection
from tests.support.wait import until

pytestmark = pytest.mark.host


def _archive() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        member = tarfile.TarInfo("big")
        member.size = 8 << 20
        tar.addfile(member, io.BytesIO(bytes(member.size)))
    return buffer.getvalue()


def _children(daemon: Daemon) -> list[str]:
    return [words for words in daemon.host.processes().values() if "host.copying" in words]


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_a_copy_ends_with_the_daemon(fresh_daemon: Daemon, method: str) -> None:
    daemon, over = fresh_daemon, threading.Event()
    daemon.docker.ok("create", "--name", "box", "busybox", "true")
    daemon.docker.ok("cp", "-", "box:/tmp", stdin=_archive())
    daemon.docker.ok("start", "-a", "box")
    before = census(daemon)

    def half() -> Iterator[bytes]:
        yield _archive()[:5000]
        over.wait(20)

    connection = daemon.connection()
    body = half() if method == "PUT" else None
    asking = threading.Thread(target=_ask, args=(connection, method, body))
    asking.start()
    until(lambda: bool(_children(daemon)), "the child")

    daemon.kill()

    until(lambda: not _children(daemon), "its end")
    over.set()
    asking.join(10)
    connection.close()
    daemon.start()
    assert daemon.docker.ok("start", "-a", "box") == ""
    until(lambda: leaks(before, census(daemon)) == [], "nothing left")


def _ask(connection: UnixConnection, method: str, body: Iterator[bytes] | None) -> None:
    try:
        connection.request(method, "/containers/box/archive?path=/tmp", body)
    except OSError:
        return
