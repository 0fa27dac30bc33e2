"""Namespaces of others on the real kernel: told apart, kept without being owned, and missed when they end."""

import asyncio
import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bridgehead.core.model.errors import HostRefused, InvalidParameter
from bridgehead.core.model.guest import GuestRequest
from bridgehead.host.namespaces.files import identity, is_lent, lend, make, remove
from bridgehead.host.namespaces.guests import KernelNamespaces
from tests.host.space import own_space

pytestmark = pytest.mark.host

NAMESPACES = KernelNamespaces()


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    with own_space():
        yield tmp_path


@pytest.fixture
def other(folder: Path) -> str:
    """A namespace as somebody else keeps it."""
    make(f"{folder}/other", lambda: None)
    return f"{folder}/other"


@pytest.fixture
def process(folder: Path) -> Iterator["subprocess.Popen[str]"]:
    """A process with a network of its own; folder: it is the test's own space that it leaves."""
    words = ["unshare", "--net", "sh", "-c", "echo ready; exec sleep 60"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as started:
        assert started.stdout is not None
        assert started.stdout.readline() == "ready\n"
        yield started
        started.kill()


def inode(path: str) -> int:
    found = identity(path)
    assert found is not None
    return found


def test_a_namespace_is_known_by_its_inode(other: str) -> None:
    guest = NAMESPACES.recognise(GuestRequest(other))

    assert (guest.source, guest.inode) == (other, Path(other).stat().st_ino)
    assert guest.boot == Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    assert NAMESPACES.still(guest)
    assert not NAMESPACES.still(replace(guest, boot="another run"))
    assert not NAMESPACES.still(replace(guest, inode=guest.inode + 1))
    assert not NAMESPACES.still(replace(guest, cookie=guest.cookie + 1)), "its inode was given to another"


def test_a_process_is_known_by_when_it_began(process: "subprocess.Popen[str]") -> None:
    guest = NAMESPACES.recognise(GuestRequest(pid=process.pid))

    assert guest.inode == Path(f"/proc/{process.pid}/ns/net").stat().st_ino
    assert NAMESPACES.still(guest)
    assert not NAMESPACES.still(replace(guest, started=guest.started + 1)), "its number was given to another"


def test_what_is_in_it_already_is_known(other: str) -> None:
    subprocess.run(["nsenter", f"--net={other}", "ip", "link", "add", "own0", "type", "bridge"], check=True)

    assert NAMESPACES.recognise(GuestRequest(other)).interfaces == ("lo", "own0")


def test_the_daemons_own_is_recognised(folder: Path) -> None:
    assert NAMESPACES.own() == inode("/proc/self/ns/net")


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("/nowhere", "No such file"),
        ("/etc/passwd", "no network namespace"),
        ("/dev/zero", "no network namespace"),
        ("/proc/self/ns/uts", "no network namespace"),
        ("/proc/self/ns", "no network namespace"),
        ("netns/x", "absolute"),
        ("/a\0b", "NUL"),
    ],
)
def test_what_is_no_network_namespace_is_refused(path: str, sentence: str) -> None:
    with pytest.raises(InvalidParameter, match=sentence):
        NAMESPACES.recognise(GuestRequest(path))


def test_a_pipe_is_refused_without_waiting_for_its_other_end(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(InvalidParameter, match="no network namespace"):
        NAMESPACES.recognise(GuestRequest(f"{tmp_path}/pipe"))


@pytest.mark.parametrize("pid", [-1, 2**31, 2**62])
def test_a_process_that_is_not_there_is_refused(pid: int) -> None:
    with pytest.raises(InvalidParameter, match=f"no process {pid}"):
        NAMESPACES.recognise(GuestRequest(pid=pid))


def test_a_process_that_has_ended_but_was_not_waited_for_is_refused() -> None:
    with subprocess.Popen(["true"]) as ended:
        os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)
        with pytest.raises(InvalidParameter, match="no process"):
            NAMESPACES.recognise(GuestRequest(pid=ended.pid))


def test_a_lent_namespace_is_marked_and_outlives_our_keeping_it(other: str, folder: Path) -> None:
    lend(f"{folder}/ours", other, inode(other))

    assert inode(f"{folder}/ours") == inode(other)
    assert is_lent(f"{folder}/ours")
    assert not is_lent(other)
    assert not is_lent(f"{folder}/nowhere")

    remove(f"{folder}/ours")
    assert not Path(f"{folder}/ours").exists()
    assert identity(other)


def test_a_stranger_at_its_path_is_never_kept(other: str, folder: Path) -> None:
    before = inode(other)
    held = os.open(other, os.O_RDONLY)  # else the next one may get the same number
    remove(other)
    make(other, lambda: None)

    with pytest.raises(HostRefused, match="another one than before"):
        lend(f"{folder}/ours", other, before)
    with pytest.raises(HostRefused, match="is gone"):
        lend(f"{folder}/ours", f"{folder}/nowhere", before)
    assert not Path(f"{folder}/ours").exists()
    os.close(held)


async def test_the_end_of_a_path_is_noticed(other: str) -> None:
    waiting = asyncio.ensure_future(NAMESPACES.gone(NAMESPACES.recognise(GuestRequest(other))))
    done, _ = await asyncio.wait([waiting], timeout=0.1)
    assert not done

    remove(other)

    await asyncio.wait_for(waiting, 3)


async def test_the_end_of_a_process_is_noticed_at_once(process: "subprocess.Popen[str]") -> None:
    waiting = asyncio.ensure_future(NAMESPACES.gone(NAMESPACES.recognise(GuestRequest(pid=process.pid))))
    await asyncio.sleep(0)  # it listens from here on

    process.kill()

    await asyncio.wait_for(waiting, 0.9)


async def test_who_gives_up_waiting_leaves_nothing_open(process: "subprocess.Popen[str]") -> None:
    before = _open_files()
    waiting = asyncio.ensure_future(NAMESPACES.gone(NAMESPACES.recognise(GuestRequest(pid=process.pid))))
    await asyncio.sleep(0)

    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting

    assert _open_files() == before


def _open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))
