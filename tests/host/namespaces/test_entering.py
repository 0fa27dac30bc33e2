"""Entering a namespace: what is opened belongs there, and the caller stays where it was."""

import os
import socket
from pathlib import Path

import pytest

from bridgehead.core.model.errors import HostRefused
from bridgehead.host.namespaces.entering import CLONE_NEWNET, checked, in_own_thread, inside, libc, socket_in

pytestmark = pytest.mark.host


def own_namespace() -> str:
    return str(Path("/proc/thread-self/ns/net").readlink())


@pytest.fixture
def elsewhere() -> str:
    """A namespace that lives as long as the descriptor behind this path."""

    def unshare_and_open() -> int:
        checked(libc.unshare(CLONE_NEWNET))
        return os.open("/proc/thread-self/ns/net", os.O_RDONLY)

    return f"/proc/self/fd/{in_own_thread(unshare_and_open)}"


def test_an_errand_runs_inside_and_the_caller_stays_outside(elsewhere: str) -> None:
    before = own_namespace()

    seen = inside(elsewhere, own_namespace)

    assert str(Path(elsewhere).readlink()) == seen
    assert before == own_namespace() != seen


def test_a_socket_belongs_to_the_namespace_it_was_opened_in(elsewhere: str) -> None:
    with socket_in(elsewhere, socket.AF_INET, socket.SOCK_STREAM) as server:
        server.bind(("0.0.0.0", 80))
        server.listen()

        tables = inside(elsewhere, Path("/proc/thread-self/net/tcp").read_text)

    assert ":0050 " in tables


def test_the_error_of_an_errand_is_the_callers(elsewhere: str) -> None:
    with pytest.raises(ZeroDivisionError):
        inside(elsewhere, lambda: 1 // 0)


def test_a_namespace_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(HostRefused, match=f"{tmp_path}/gone"):
        socket_in(f"{tmp_path}/gone", socket.AF_INET, socket.SOCK_STREAM)


def test_a_file_that_is_no_namespace_is_refused(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()

    with pytest.raises(HostRefused, match="Invalid argument"):
        socket_in(f"{tmp_path}/plain", socket.AF_INET, socket.SOCK_STREAM)
