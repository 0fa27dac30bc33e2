"""`docker cp`, `docker export` and `docker diff` on a real daemon, and archives that mean harm."""

import contextlib
import io
import json
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import pytest

from tests.support.census import census, leaks
from tests.support.daemon import Daemon
from tests.support.docker import Answer
from tests.support.wait import until

pytestmark = pytest.mark.host

_MOUNTS = ("-v", "/run/shared:/shared", "-v", "/run/fixed:/fixed:ro")


@pytest.fixture(params=["running", "stopped", "created"])
def box(daemon: Daemon, request: pytest.FixtureRequest) -> Iterator[str]:
    """A container in each of its states."""
    yield from _box(daemon, request.param)


@pytest.fixture
def live(daemon: Daemon) -> Iterator[str]:
    """One that runs."""
    yield from _box(daemon, "running")


@pytest.fixture
def idle(daemon: Daemon) -> Iterator[str]:
    """One that never ran."""
    yield from _box(daemon, "created")


def _box(daemon: Daemon, state: str) -> Iterator[str]:
    daemon.host.run("mkdir", "-p", "/run/shared", "/run/fixed")
    daemon.host.run("sh", "-c", "echo outside > /run/fixed/file")
    verb = ("create",) if state == "created" else ("run", "-d")
    daemon.docker.ok(*verb, "--name", "box", *_MOUNTS, "busybox", "sleep", "1000")
    if state == "stopped":
        daemon.docker.ok("kill", "box")
        daemon.docker.ok("wait", "box")
    yield "box"
    daemon.docker.ok("rm", "-f", "box")
    daemon.host.run("rm", "-rf", "/run/shared", "/run/fixed")


def _tar(*members: tarfile.TarInfo, content: bytes = b"") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for member in members:
            member.size = len(content) if member.isreg() else 0
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def _member(name: str, kind: bytes = tarfile.REGTYPE, **fields: Any) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.mode = kind, 0o644
    for field, value in fields.items():
        setattr(member, field, value)
    return member


def _names(archive: bytes) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        return {member.name: member for member in tar}


def _put(daemon: Daemon, archive: bytes, where: str = "box:/tmp") -> Answer:
    return daemon.docker("cp", "-", where, stdin=archive)


def _got(daemon: Daemon, path: str) -> bytes:
    """The content of one file of the container."""
    with contextlib.closing(docker.DockerClient(base_url=f"unix://{daemon.socket}", timeout=20)) as client:
        pieces, _ = client.containers.get("box").get_archive(path)
        with tarfile.open(fileobj=io.BytesIO(b"".join(pieces))) as tar:
            found = tar.extractfile(tar.getmembers()[0])
            assert found is not None
            return found.read()


def test_files_go_in_and_come_out_as_they_were(daemon: Daemon, box: str, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "deep" / "er").mkdir(parents=True)
    (tree / "deep" / "er" / "file").write_bytes(bytes(range(256)) * 5000)
    (tree / "deep" / "er" / "file").chmod(0o640)
    (tree / "link").symlink_to("deep/er/file")

    daemon.docker.ok("cp", str(tree), f"{box}:/tmp")
    daemon.docker.ok("cp", f"{box}:/tmp/tree", str(tmp_path / "back"))

    back = tmp_path / "back"
    assert (back / "deep/er/file").read_bytes() == (tree / "deep/er/file").read_bytes()
    assert (back / "deep/er/file").stat().st_mode & 0o777 == 0o640
    assert (back / "link").readlink() == Path("deep/er/file")


def test_copied_files_are_there_for_the_container(daemon: Daemon, box: str) -> None:
    owned = _member("owned", uid=5, gid=6, mode=0o4751, mtime=1_000_000_000)
    assert _put(daemon, _tar(owned, content=b"text\n")).code == 0

    daemon.docker("start", box)

    shown = daemon.docker.ok("exec", box, "stat", "-c", "%u %g %a %Y %s", "/tmp/owned")
    assert shown == "5 6 4751 1000000000 5"


def test_an_archive_for_the_user_belongs_to_the_user(daemon: Daemon) -> None:
    daemon.docker.ok("run", "-d", "--name", "box", "-u", "nobody", "busybox", "sleep", "1000")

    copied = daemon.docker("cp", "-a", "-", "box:/tmp", stdin=_tar(_member("mine", uid=5), content=b"x"))

    assert copied.code == 0
    assert daemon.docker.ok("exec", "box", "stat", "-c", "%u %g", "/tmp/mine") == "65534 65534"
    daemon.docker.ok("rm", "-f", "box")


def test_volumes_are_seen_and_written(daemon: Daemon, box: str) -> None:
    assert _got(daemon, "/fixed/file") == b"outside\n"

    assert _put(daemon, _tar(_member("new"), content=b"in\n"), "box:/shared").code == 0
    refused = _put(daemon, _tar(_member("new"), content=b"in\n"), "box:/fixed")

    assert daemon.host.run("cat", "/run/shared/new").stdout == "in\n"
    assert "mounted volume is marked read-only" in refused.err
    assert daemon.host.run("ls", "/run/fixed").stdout == "file\n"


def test_a_read_only_container_is_not_written(daemon: Daemon) -> None:
    daemon.docker.ok("create", "--name", "box", "--read-only", *_MOUNTS, "busybox", "true")

    refused = _put(daemon, _tar(_member("new")))

    assert "container rootfs is marked read-only" in refused.err
    daemon.docker.ok("rm", "-f", "box")


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("/etc/passwd", ["passwd"]),
        ("etc/../etc/passwd", ["passwd"]),
        ("/tmp/tree", ["tree", "tree/a", "tree/sub", "tree/sub/b"]),
        ("/tmp/tree/", ["tree", "tree/a", "tree/sub", "tree/sub/b"]),
        ("/tmp/tree/.", [".", "./a", "./sub", "./sub/b"]),
        ("/tmp/to-tree", ["to-tree"]),
        ("/tmp/to-tree/", ["to-tree", "to-tree/a", "to-tree/sub", "to-tree/sub/b"]),
        ("/tmp/to-tree/a", ["a"]),
    ],
)
def test_archives_are_called_what_the_client_called_them(
    daemon: Daemon, idle: str, path: str, names: list[str]
) -> None:
    tree = [_member("tree", tarfile.DIRTYPE), _member("tree/a"), _member("tree/sub/b")]
    _put(daemon, _tar(*tree, _member("to-tree", tarfile.SYMTYPE, linkname="/tmp/tree")))
    with contextlib.closing(docker.DockerClient(base_url=f"unix://{daemon.socket}", timeout=20)) as client:
        pieces, facts = client.containers.get(idle).get_archive(path)
        found = _names(b"".join(pieces))

    assert names == list(found)
    assert facts["name"] == names[0]
    assert facts["linkTarget"] == ("/tmp/tree" if path == "/tmp/to-tree" else "")


@pytest.mark.parametrize(
    "members",
    [
        [_member("../../escaped")],
        [_member("/../escaped")],
        [_member("a", tarfile.LNKTYPE, linkname="../../../etc/passwd")],
    ],
)
def test_names_that_climb_out_are_refused(daemon: Daemon, idle: str, members: list[tarfile.TarInfo]) -> None:
    answer = _put(daemon, _tar(*members))

    assert "outside" in answer.err
    assert daemon.host.run("sh", "-c", "ls -d /escaped /run/escaped 2>&1", check=False).returncode != 0


def test_links_lead_nowhere_but_into_the_container(daemon: Daemon, live: str) -> None:
    daemon.host.run("sh", "-c", "mkdir -p /run/secret; echo secret > /run/secret/file")
    links = [
        _member("up", tarfile.SYMTYPE, linkname="../../../../../../../.."),
        _member("secret", tarfile.SYMTYPE, linkname="/run/secret"),
        _member("up/run/planted"),
        _member("shadow", tarfile.SYMTYPE, linkname="/etc/passwd"),
    ]

    assert _put(daemon, _tar(*links, content=b"planted\n")).code == 0

    assert daemon.host.run("ls", "/run/planted", check=False).returncode != 0
    assert _got(daemon, "/run/planted") == b"planted\n"
    refused = daemon.docker("cp", f"{live}:/tmp/secret/file", "-")
    assert "Could not find the file /tmp/secret/file in container box" in refused.err
    assert b"nobody" in _got(daemon, "/tmp/up/etc/passwd")
    assert _got(daemon, "/tmp/up/etc/passwd").startswith(b"root:x:0:0:root:/root:/bin/sh\nnobody")


def test_what_is_replaced_is_not_written_through(daemon: Daemon, idle: str) -> None:
    """A file takes the place of a link, and leaves alone what the link leads to."""
    _put(daemon, _tar(_member("link", tarfile.SYMTYPE, linkname="/etc/passwd")))

    assert _put(daemon, _tar(_member("link"), content=b"new\n")).code == 0

    assert _got(daemon, "/tmp/link") == b"new\n"
    assert b"nobody" in _got(daemon, "/etc/passwd")


def test_devices_come_along_but_cannot_be_used(daemon: Daemon, idle: str) -> None:
    node = _member("disk", tarfile.BLKTYPE, devmajor=7, devminor=0)

    answer = _put(daemon, _tar(node, _member("pipe", tarfile.FIFOTYPE)))

    assert answer.code == 0, answer
    daemon.docker("start", idle)
    opened = daemon.docker("exec", idle, "head", "-c", "1", "/tmp/disk")
    assert "Operation not permitted" in opened.err
    shown = _names(daemon.docker.popen("cp", f"{idle}:/tmp", "-").communicate(timeout=20)[0])
    assert {"tmp", "tmp/disk", "tmp/pipe"} <= shown.keys()


def test_a_swapped_folder_leads_nowhere(daemon: Daemon) -> None:
    """The container changes a folder into a link to the host's and back, as fast as it can."""
    daemon.host.run("sh", "-c", "mkdir -p /run/secret; echo secret > /run/secret/file")
    swap = (
        "mkdir -p /d/run; while :; do rm -rf /d/x; ln -s ../../../../../run /d/x; rm /d/x; mkdir /d/x; done"
    )
    daemon.docker.ok("run", "-d", "--name", "box", "busybox", "sh", "-c", swap)
    until(lambda: daemon.docker("exec", "box", "ls", "-d", "/d/run").code == 0, "the folder")

    for _ in range(8):
        daemon.docker("cp", "-", "box:/d/x", stdin=_tar(_member("secret/planted"), content=b"planted"))
        out, _ = daemon.docker.popen("cp", "box:/d", "-").communicate(timeout=20)
        assert b"secret\n" not in out

    assert daemon.host.run("ls", "/run/secret").stdout == "file\n"
    daemon.docker.ok("rm", "-f", "box")


@pytest.mark.parametrize(
    ("archive", "sentence"),
    [
        (b"this is no archive" * 100, "invalid tar header"),
        (_tar(_member("a"), content=b"x" * 2000)[:1500], "unexpected EOF"),
        (b"\x1f\x8b" + b"\0" * 600, "invalid archive"),
    ],
)
def test_what_is_no_archive_is_refused(daemon: Daemon, idle: str, archive: bytes, sentence: str) -> None:
    connection = daemon.connection()
    connection.request("PUT", f"/containers/{idle}/archive?path=/tmp", archive)
    response = connection.getresponse()
    status, message = response.status, json.loads(response.read())["message"]
    connection.close()

    assert (status, sentence in message) == (400, True), message


def test_a_huge_header_is_refused(daemon: Daemon, idle: str) -> None:
    member = _member("a")
    member.pax_headers = {"comment": "x" * (2 << 20)}
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        tar.addfile(member)

    answer = _put(daemon, buffer.getvalue())

    assert "an extension is too long" in answer.err


@pytest.mark.parametrize(
    ("method", "query", "status", "sentence"),
    [
        ("GET", "", 400, "path cannot be empty"),
        ("PUT", "", 400, "path cannot be empty"),
        ("GET", "path=/nowhere", 404, "Could not find the file /nowhere in container box"),
        ("PUT", "path=/nowhere", 404, "Could not find the file /nowhere in container box"),
        ("PUT", "path=/etc/passwd", 400, "extraction point is not a directory"),
        ("GET", "path=/etc/passwd/x", 404, "Could not find the file"),
        ("GET", "path=/a%00b", 400, "zero byte"),
        ("GET", f"path=/{'x' * 5000}", 400, "File name too long"),
    ],
)
def test_bad_requests_say_what_is_wrong(
    daemon: Daemon, idle: str, method: str, query: str, status: int, sentence: str
) -> None:
    answered, said = daemon.call(method, f"/containers/{idle}/archive?{query}")

    assert (answered, sentence in said["message"]) == (status, True), said


def test_kinds_are_kept_when_asked(daemon: Daemon, idle: str) -> None:
    _put(daemon, _tar(_member("folder", tarfile.DIRTYPE), _member("folder/x"), _member("file")))

    for member in (_member("folder"), _member("file", tarfile.DIRTYPE)):
        assert "cannot overwrite" in _put(daemon, _tar(member)).err
    with contextlib.closing(docker.DockerClient(base_url=f"unix://{daemon.socket}", timeout=20)) as client:
        assert client.containers.get(idle).put_archive("/tmp", _tar(_member("folder"), content=b"now"))

    assert _got(daemon, "/tmp/folder") == b"now"


def test_a_reader_that_goes_away_leaves_nothing(daemon: Daemon, live: str) -> None:
    big = _tar(_member("big"), content=bytes(8 << 20))
    assert _put(daemon, big).code == 0
    before = census(daemon)
    processes = len(daemon.host.processes())
    connection = daemon.connection()
    connection.request("GET", f"/containers/{live}/archive?path=/tmp")
    assert connection.getresponse().read(1000)

    connection.close()

    until(lambda: len(daemon.host.processes()) <= processes, "no child left")
    assert leaks(before, census(daemon)) == []
    assert daemon.docker("start", live).code == 0


def test_stopping_does_not_wait_for_a_slow_reader(daemon: Daemon) -> None:
    daemon.docker.ok("run", "-d", "--name", "box", "busybox", "sleep", "1000")
    _put(daemon, _tar(_member("big"), content=bytes(8 << 20)))
    connection = daemon.connection()
    connection.request("GET", "/containers/box/archive?path=/tmp")
    response = connection.getresponse()
    assert response.read(1000)

    daemon.docker.ok("stop", "-t", "0", "box", timeout_s=5)
    daemon.docker.ok("start", "box", timeout_s=5)

    assert len(response.read()) > 8 << 20
    connection.close()
    daemon.docker.ok("rm", "-f", "box")


def test_an_export_is_the_containers_own(daemon: Daemon, box: str) -> None:
    _put(daemon, _tar(_member("new"), content=b"new\n"))
    _put(daemon, _tar(_member("not-mine"), content=b"new\n"), "box:/shared")

    archive, _ = daemon.docker.popen("export", box).communicate(timeout=20)

    found = _names(archive)
    assert {"bin/busybox", "etc/passwd", "tmp/new", "shared"} <= found.keys()
    assert found.keys().isdisjoint({"shared/not-mine", "fixed/file", "proc/1", ".", "/", ""})
    assert found["tmp"].mode == 0o1777


def test_an_export_can_be_imported(daemon: Daemon, idle: str) -> None:
    _put(daemon, _tar(_member("new"), content=b"new\n"))
    archive, _ = daemon.docker.popen("export", idle).communicate(timeout=20)

    daemon.docker.ok("import", "-", "again:1", stdin=archive)

    assert daemon.docker.ok("run", "--rm", "again:1", "/bin/cat", "/tmp/new") == "new"
    daemon.docker.ok("rmi", "again:1")


def test_a_start_waits_until_the_files_are_written(daemon: Daemon) -> None:
    daemon.docker.ok("create", "--name", "box", "busybox", "cat", "/tmp/late")
    reading, writing = io.BytesIO(_tar(_member("late"), content=b"late\n")), threading.Event()

    def body() -> Iterator[bytes]:
        yield reading.read(512)
        writing.wait(5)
        yield reading.read()

    connection = daemon.connection()
    putting = threading.Thread(
        target=lambda: connection.request("PUT", "/containers/box/archive?path=/tmp", body())
    )
    putting.start()
    until(lambda: any("host.copying" in words for words in daemon.host.processes().values()), "the child")
    started = daemon.docker.popen("start", "-a", "box")
    writing.set()
    putting.join(5)

    assert connection.getresponse().status == 200
    assert started.communicate(timeout=10)[0] == b"late\n"
    connection.close()
    daemon.docker.ok("rm", "-f", "box")
