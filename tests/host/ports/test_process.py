"""The keeper: what it survives, how it is adopted and replaced, and when it ends."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from bridgehead.core.model.errors import HostRefused
from bridgehead.core.plan.diff import Create, Delete, diff
from bridgehead.core.plan.objects import PortHold, state
from bridgehead.host.ports import wire
from bridgehead.host.ports.plane import PortPlane
from tests.host.ports.machine import (
    LIMIT_S,
    bound,
    connected,
    echo,
    everything,
    gone,
    hold,
    killed,
    program,
    serving,
)
from tests.support.wait import until

pytestmark = pytest.mark.host

MakePlane = Callable[..., PortPlane]
CONTAINER = "127.0.0.2:80"
QUIET, RELAYED = hold("tcp", "0.0.0.0:8080"), hold("tcp", "[::]:8080", CONTAINER)
OLD_VERSION = (
    "import sys, bridgehead; bridgehead.__version__ = '0.0.1'\n"
    "from bridgehead.host.companion.process import main\n"
    "from bridgehead.host.ports.keeper import Keeper\n"
    "sys.exit(main('port keeper', sys.argv[1:], Keeper))"
)


def test_it_is_small(plane: PortPlane) -> None:
    resident_kb = int(Path(f"/proc/{plane.pid}/status").read_text().split("VmRSS:")[1].split()[0])

    assert resident_kb < 16_000


def test_it_may_open_as_many_files_as_the_machine_allows(plane: PortPlane) -> None:
    limits = Path(f"/proc/{plane.pid}/limits").read_text().splitlines()
    soft, hard = next(line.split()[3:5] for line in limits if line.startswith("Max open files"))

    assert soft == hard


def test_ports_are_held_and_relayed_when_the_daemon_is_killed_and_adopted_by_the_next(
    machine: Path, new_plane: MakePlane
) -> None:
    daemon = program(
        "import sys; from tests.host.ports.test_process import *\n"
        f"plane = PortPlane({str(machine / 'ports.sock')!r}); plane.observe()\n"
        "assert plane.apply([Create(QUIET), Create(RELAYED)]) == {}\n"
        "print(plane.pid, flush=True); sys.stdin.read()"
    )
    with serving("tcp", CONTAINER, echo), connected("[::1]:8080") as client:
        daemon.kill()
        daemon.communicate()
        client.sendall(b"hello")
        assert client.recv(5) == b"hello"
        with pytest.raises(OSError):
            bound("tcp", "0.0.0.0:8080")
        plane = new_plane()

        assert plane.observe() == state(QUIET, RELAYED)
        client.shutdown(socket.SHUT_WR)
        assert everything(client) == b""
    assert plane.pid is not None
    assert os.getsid(plane.pid) != os.getsid(0)


def test_a_dead_keeper_is_replaced_by_an_empty_one(plane: PortPlane) -> None:
    plane.apply([Create(QUIET), Create(RELAYED)])

    dead = killed(plane)

    assert not plane.alive()
    assert {QUIET.key} == plane.apply([Create(QUIET)]).keys()
    assert plane.observe() == {}
    assert plane.apply(diff({}, state(QUIET, RELAYED))) == {}
    assert plane.pid != dead


def test_each_keeper_met_is_announced(new_plane: MakePlane) -> None:
    met: list[int] = []
    plane = new_plane(born=met.append)

    plane.apply([Create(QUIET)])
    first = killed(plane)
    plane.observe()
    plane.apply([Create(QUIET)])

    assert met == [first, plane.pid]


def test_nothing_is_started_before_there_is_a_port_to_hold(new_plane: MakePlane) -> None:
    plane = new_plane()

    assert plane.observe() == {}
    assert plane.pid is None


def test_whoever_only_looks_starts_and_changes_nothing(machine: Path, new_plane: MakePlane) -> None:
    looking = new_plane(start=False)
    before = looking.observe(), [*machine.iterdir()]
    feeding = new_plane()
    feeding.apply([Create(QUIET)])

    held = looking.observe()
    failed = looking.apply([Delete(QUIET)])

    assert before == ({}, [])
    assert held == feeding.observe() == state(QUIET)
    assert isinstance(failed[QUIET.key], HostRefused)


def test_two_daemons_cannot_both_change_it(plane: PortPlane, new_plane: MakePlane) -> None:
    plane.apply([Create(QUIET)])

    with pytest.raises(HostRefused, match="feeds it already"):
        new_plane().observe()

    assert plane.observe() == state(QUIET)


def test_another_version_takes_over_without_letting_go(machine: Path, new_plane: MakePlane) -> None:
    path = str(machine / "ports.sock")
    subprocess.run(
        [sys.executable, "-c", OLD_VERSION, "--socket", path],
        check=True,
        timeout=LIMIT_S,
        start_new_session=True,
    )
    told = spoken(
        path, {"do": "hello", "own": True}, _apply(QUIET, RELAYED, hold("udp", "[::]:53", CONTAINER))
    )

    with serving("tcp", CONTAINER, echo), connected("[::1]:8080") as client:
        client.sendall(b"before")
        assert client.recv(6) == b"before"
        inodes = _inodes()
        plane = new_plane()
        held = plane.observe()

        assert told[0]["package"] == "0.0.1"
        assert held == state(QUIET, RELAYED, hold("udp", "[::]:53", CONTAINER))
        assert plane.pid == told[0]["pid"]
        assert inodes <= _inodes()
        client.sendall(b"after")
        assert client.recv(5) == b"after"
        client.shutdown(socket.SHUT_WR)
        assert everything(client) == b""
        with connected("[::1]:8080") as later:
            later.sendall(b"new")
            assert later.recv(3) == b"new"
            later.shutdown(socket.SHUT_WR)
            assert everything(later) == b""
    until(lambda: _session_of(plane.pid) == [plane.pid], "the end of who served the connection out")
    assert plane.apply([Delete(item) for item in held.values()]) == {}
    for protocol, where in (("tcp", "0.0.0.0:8080"), ("tcp", "[::]:8080"), ("udp", "[::]:53")):
        bound(protocol, where).close()


def _apply(*holds: PortHold) -> dict[str, Any]:
    return {"do": "apply", "changes": [["put", wire.fields(item)] for item in holds]}


def _inodes() -> set[str]:
    """Of the sockets that listen."""
    lines = [
        line.split()
        for table in ("tcp", "tcp6")
        for line in Path(f"/proc/thread-self/net/{table}").read_text().splitlines()
    ]
    return {line[9] for line in lines if line[3] == "0A"}


def _session_of(pid: int | None) -> list[int]:
    """The process and all that it left behind."""
    assert pid is not None
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(ProcessLookupError):
            if entry.name.isdigit() and os.getsid(int(entry.name)) == os.getsid(pid):
                found.append(int(entry.name))
    return found


def spoken(path: str, *messages: object) -> list[dict[str, Any]]:
    """A session of our own, in which each message is answered by one."""
    with socket.socket(socket.AF_UNIX) as session, session.makefile("rb") as answers:
        session.settimeout(LIMIT_S)
        session.connect(path)
        session.sendall(b"".join(json.dumps(message).encode() + b"\n" for message in messages))
        return [json.loads(answers.readline()) for _ in messages]


def test_a_command_that_cannot_be_run_replaces_nothing(plane: PortPlane, machine: Path) -> None:
    plane.apply([Create(QUIET)])
    plane.close()

    _, answer = spoken(
        str(machine / "ports.sock"),
        {"do": "hello", "own": True},
        {"do": "replace", "command": ["/nonexistent"]},
    )

    assert "cannot become another" in answer["error"]
    assert plane.observe() == state(QUIET)


@pytest.mark.parametrize(
    "change",
    [3, [], ["fly"], ["put", [1]], ["put", ["tcp", "nowhere", 1, None]], ["drop", "tcp"], ["drop", 1, 2, 3]],
    ids=repr,
)
def test_a_change_that_is_none_is_told_so(plane: PortPlane, machine: Path, change: object) -> None:
    plane.close()

    _, answer = spoken(
        str(machine / "ports.sock"),
        {"do": "hello", "own": True},
        {"do": "apply", "changes": [change, ["put", wire.fields(QUIET)]]},
    )

    problem, fine = answer["results"]
    assert problem[0] == 0
    assert fine is None


def test_it_ends_when_nobody_needs_it(machine: Path) -> None:
    path, command = (
        str(machine / "short.sock"),
        [sys.executable, "-m", "bridgehead.host.ports", "--linger", "0.3"],
    )
    plane = PortPlane(path, command)
    plane.apply([Create(QUIET)])
    pid = plane.pid
    assert pid is not None
    plane.close()
    second = PortPlane(path, command)

    held = second.observe()
    second.apply([Delete(QUIET)])
    second.close()

    assert held == state(QUIET)
    until(lambda: gone(pid), "its end")
    assert not Path(path).exists()
