"""The process: who may feed it, what it survives, when it ends, and that it leaks nothing."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from bridgehead.core.model.errors import HostRefused
from bridgehead.core.plan.diff import Create, Delete, diff
from bridgehead.core.plan.names import NameRecord, ResolverView, Upstream
from bridgehead.core.plan.objects import state
from bridgehead.host.resolver.plane import ResolverPlane
from tests.host.resolver.asking import (
    addresses,
    ask,
    client,
    exchange_tcp,
    framed,
    knows,
    name_server,
    question,
    read_framed,
)
from tests.host.space import bind, make_namespace
from tests.support.wait import until

pytestmark = pytest.mark.host

WEB = NameRecord("e1", "n1", "net", ("web",), ("10.1.0.2",))
MakePlane = Callable[..., ResolverPlane]


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def descriptors(plane: ResolverPlane) -> int:
    return len(list(Path(f"/proc/{plane.pid}/fd").iterdir()))


def killed(plane: ResolverPlane) -> int:
    pid = plane.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    until(lambda: gone(pid), "the resolver's death")
    return pid


def test_it_is_small(plane: ResolverPlane) -> None:
    resident_kb = int(Path(f"/proc/{plane.pid}/status").read_text().split("VmRSS:")[1].split()[0])

    assert resident_kb < 16_000


def test_what_was_applied_is_observed(plane: ResolverPlane, view: ResolverView) -> None:
    full = replace(
        view,
        links=(("n1", "a", "b"),),
        upstreams=(Upstream("::1"), Upstream("1.1.1.1", True)),
        ndots_set=True,
    )
    desired = state(WEB, full, replace(WEB, endpoint="e2", names=("\udcff", "ü"), addresses=()))

    assert plane.apply(diff(plane.observe(), desired)) == {}
    assert diff(plane.observe(), desired) == []
    assert plane.apply([Create(WEB), Create(full)]) == {}
    assert plane.apply([Delete(item) for item in [*desired.values(), *desired.values()]]) == {}
    assert plane.observe() == {}


def test_it_serves_on_when_its_daemon_is_killed_and_is_adopted(
    machine: Path, new_plane: MakePlane, view: ResolverView
) -> None:
    program = (
        "import sys\n"
        "from bridgehead.core.plan.diff import Create\n"
        "from bridgehead.core.plan.objects import NameRecord, ResolverView\n"
        "from bridgehead.host.resolver.plane import ResolverPlane\n"
        f"plane = ResolverPlane({str(machine / 'resolver.sock')!r})\n"
        f"plane.observe(); plane.apply([Create({WEB!r}), Create({view!r})])\n"
        "print(plane.pid, flush=True); sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as feeder:
        assert feeder.stdout is not None
        pid = int(feeder.stdout.readline())
        feeder.kill()

    assert addresses(ask(view.namespace, "web")) == ["10.1.0.2"]
    plane = new_plane()
    assert diff(plane.observe(), state(WEB, view)) == []
    assert pid == plane.pid
    assert os.getsid(pid) != os.getsid(0)


def test_a_dead_resolver_is_replaced_by_an_empty_one(plane: ResolverPlane, view: ResolverView) -> None:
    plane.apply([Create(WEB), Create(view)])

    dead = killed(plane)

    assert not plane.alive()
    assert {WEB.key} == plane.apply([Create(WEB)]).keys()
    assert {WEB.key} == plane.apply([Create(WEB)]).keys()
    assert plane.observe() == {}
    assert plane.apply([Create(WEB), Create(view)]) == {}
    assert plane.alive()
    assert dead != plane.pid
    assert addresses(ask(view.namespace, "web")) == ["10.1.0.2"]


def test_two_daemons_cannot_feed_it(plane: ResolverPlane, new_plane: MakePlane) -> None:
    second = new_plane()

    with pytest.raises(HostRefused, match=f"process {os.getpid()} feeds it"):
        second.observe()
    plane.close()

    assert second.observe() == {}


def test_looking_starts_and_changes_nothing(new_plane: MakePlane, machine: Path, view: ResolverView) -> None:
    looking = new_plane(start=False)
    before = looking.observe(), sorted(path.name for path in machine.iterdir())

    feeding = new_plane()
    feeding.observe()
    feeding.apply([Create(WEB), Create(view)])

    assert before == ({}, ["sandbox"])
    assert state(WEB, view) == looking.observe()
    assert {WEB.key} == looking.apply([Delete(WEB)]).keys()
    assert state(WEB, view) == feeding.observe()


def test_one_bad_change_does_not_hinder_the_others(plane: ResolverPlane, view: ResolverView) -> None:
    nowhere = replace(view, sandbox="s2", namespace="/nonexistent")
    taken = replace(view, sandbox="s3")
    bad = [
        nowhere,
        taken,
        replace(view, sandbox="s4", port=70000),
        replace(WEB, endpoint="e9", addresses=("x",)),
    ]

    failed = plane.apply([Create(item) for item in [view, *bad, WEB]])

    assert {item.key for item in bad} == failed.keys()
    assert all(isinstance(error, HostRefused) for error in failed.values())
    assert state(WEB, view) == plane.observe()


def test_a_replaced_namespace_is_noticed(plane: ResolverPlane, view: ResolverView, machine: Path) -> None:
    plane.apply([Create(WEB), Create(view)])
    other = make_namespace(machine / "other")
    bind(other, Path(view.namespace))

    held = plane.observe()
    plane.apply([Create(view)])

    assert state(WEB) == held
    assert addresses(ask(other, "web")) == ["10.1.0.2"]


def test_a_view_moves_to_another_port_and_back(plane: ResolverPlane, view: ResolverView) -> None:
    plane.apply([Create(WEB), Create(view)])

    plane.apply([Create(replace(view, port=view.port + 1))])
    with pytest.raises(ConnectionRefusedError):
        ask(view.namespace, "web")
    plane.apply([Create(view)])

    assert addresses(ask(view.namespace, "web")) == ["10.1.0.2"]


def test_no_descriptor_outlives_its_use(plane: ResolverPlane, view: ResolverView) -> None:
    before = descriptors(plane)

    for _ in range(5):
        plane.apply([Create(WEB), Create(replace(view, upstreams=(Upstream("127.0.1.1"),)))])
        idle = client(view.namespace, socket.SOCK_STREAM)
        with name_server("", "127.0.1.1", knows("203.0.113.7")):
            ask(view.namespace, "known.example")
            ask(view.namespace, "known.example", tcp=True)
        plane.apply([Create(replace(view, port=view.port + 1)), Create(view), Delete(view)])
        assert read_framed(idle) == b""
        idle.close()

    until(lambda: descriptors(plane) == before, "the last closed descriptor")


def test_garbage_harms_nobody(plane: ResolverPlane, view: ResolverView) -> None:
    plane.apply([Create(WEB), Create(view)])
    random = Random(1)
    good = question("web", use_edns=0)

    with client(view.namespace, socket.SOCK_DGRAM) as asker:
        for _ in range(500):
            mutated = bytearray(good)
            mutated[random.randrange(2, len(good))] = random.randrange(256)
            asker.send(bytes(mutated))
            asker.send(random.randbytes(random.randrange(100)))
    for junk in (b"\0\0", b"\xff\xff" + bytes(100), framed(b"junk"), framed(random.randbytes(500))):
        with client(view.namespace, socket.SOCK_STREAM) as asker:
            asker.sendall(junk)
            asker.shutdown(socket.SHUT_WR)
            while read_framed(asker):
                pass

    assert addresses(ask(view.namespace, "web")) == ["10.1.0.2"]
    assert diff(plane.observe(), state(WEB, view)) == []


@pytest.mark.parametrize(
    "line",
    [b"junk", b"[]", b"{}", b'{"do":[]}', b'{"do":"fly"}', b'{"do":"apply","changes":3}', b"[" * 99999],
)
def test_a_daemon_that_talks_nonsense_is_told_so(plane: ResolverPlane, line: bytes) -> None:
    plane.close()

    _, answer = spoken(plane, b'{"do":"hello","own":true}', line)

    assert list(answer) == ["error"]
    assert plane.observe() == {}


@pytest.mark.parametrize(
    "change",
    [
        3,
        [],
        ["fly"],
        ["put-view", [1]],
        ["put-record", [1, 2, 3, 4, 5]],
        ["drop-view", 1],
        ["drop-view", None],
    ],
    ids=repr,
)
def test_a_change_that_is_none_is_told_so(plane: ResolverPlane, change: object) -> None:
    plane.close()
    request = json.dumps({"do": "apply", "changes": [change, ["drop-record", "nobody"]]}).encode()

    _, answer = spoken(plane, b'{"do":"hello","own":true}', request)

    problem, fine = answer["results"]
    assert isinstance(problem, str)
    assert fine is None


def spoken(plane: ResolverPlane, *lines: bytes) -> list[dict[str, object]]:
    """A session of our own, in which each line is answered by one."""
    with socket.socket(socket.AF_UNIX) as session, session.makefile("rb") as answers:
        session.settimeout(5)
        session.connect(plane._path)
        session.sendall(b"".join(line + b"\n" for line in lines))
        return [json.loads(answers.readline()) for _ in lines]


def test_half_a_conversation_is_answered_to_its_end(plane: ResolverPlane, view: ResolverView) -> None:
    plane.apply([Create(WEB), Create(view)])
    packet = question("web")

    with client(view.namespace, socket.SOCK_STREAM) as asker:
        for part in (framed(packet)[:1], framed(packet)[1:9], framed(packet)[9:] + framed(packet)):
            asker.send(part)
        asker.shutdown(socket.SHUT_WR)
        replies = [read_framed(asker) for _ in range(3)]

    assert [packet[:2], packet[:2], b""] == [reply[:2] for reply in replies]


def test_many_connections_shut_nobody_else_out_for_good(plane: ResolverPlane, view: ResolverView) -> None:
    plane.apply([Create(WEB), Create(view)])
    crowd = [client(view.namespace, socket.SOCK_STREAM) for _ in range(150)]

    udp = addresses(ask(view.namespace, "web"))
    for one in crowd:
        one.close()

    assert udp == ["10.1.0.2"]
    assert len(until(lambda: _tried(view.namespace), "a connection")) == 1


def _tried(namespace: str) -> list[bytes]:
    try:
        return [reply for reply in exchange_tcp(namespace, question("web")) if reply]
    except ConnectionError:
        return []


def test_it_ends_when_nobody_needs_it(machine: Path, view: ResolverView) -> None:
    command = [sys.executable, "-m", "bridgehead.host.resolver", "--linger", "0.3"]
    plane = ResolverPlane(str(machine / "short.sock"), command)
    plane.observe()
    plane.apply([Create(view)])
    pid = plane.pid
    assert pid is not None
    plane.close()
    second = ResolverPlane(str(machine / "short.sock"), command)

    held = second.observe()
    second.apply([Delete(view)])
    second.close()

    assert state(view) == held
    until(lambda: gone(pid), "its end")
    assert not (machine / "short.sock").exists()


def test_a_resolver_of_another_version_is_replaced(machine: Path, view: ResolverView) -> None:
    path = str(machine / "resolver.sock")
    heard: list[str] = []

    def speak_like_an_old_one() -> None:
        with listening, listening.accept()[0] as session, session.makefile("rwb") as lines:
            for line in lines:
                heard.append(json.loads(line)["do"])
                lines.write(
                    b'{"protocol":1,"package":"0.0.1","pid":1}\n' if heard[-1] == "hello" else b"{}\n"
                )
                lines.flush()
                if heard[-1] == "shutdown":
                    Path(path).unlink()
                    return

    listening = socket.socket(socket.AF_UNIX)
    listening.bind(path)
    listening.listen()
    old = threading.Thread(target=speak_like_an_old_one)
    old.start()
    plane = ResolverPlane(path)

    held = plane.observe()

    old.join(5)
    assert held == {}
    assert heard == ["hello", "replace", "shutdown"]
    assert plane.alive()
    plane.stop()
    assert not plane.alive()


def test_a_command_that_starts_nothing_is_reported(machine: Path) -> None:
    failed = ResolverPlane(str(machine / "x.sock"), ["/nonexistent"]).apply([Create(WEB)])

    assert "cannot start the resolver" in str(failed[WEB.key])


def test_nothing_is_started_before_there_is_a_name_to_keep(new_plane: MakePlane) -> None:
    met: list[int] = []
    plane = new_plane(born=met.append)

    assert plane.observe() == {}
    assert plane.pid is None
    assert plane.apply([Create(WEB)]) == {}
    assert [plane.pid] == met
