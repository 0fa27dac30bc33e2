"""Volumes by the docker command line: named, anonymous, the image's, filled, shared, removed."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.daemon import Daemon
from tests.support.wait import until

pytestmark = pytest.mark.host


@pytest.fixture(autouse=True)
def nothing_is_left(daemon: Daemon) -> Iterator[None]:
    yield
    daemon.docker("volume", "prune", "--all", "--force")
    assert daemon.docker.ok("volume", "ls", "-q") == ""
    assert list(Path(daemon.places["data"], "volumes").iterdir()) == []


def test_files_outlive_their_container(daemon: Daemon) -> None:
    daemon.docker.ok("run", "--rm", "-v", "data:/m", "busybox", "sh", "-c", "echo kept >/m/file")

    said = daemon.docker.ok(
        "run", "--rm", "--mount", "type=volume,src=data,dst=/n", "busybox", "cat", "/n/file"
    )

    assert said == "kept"


def test_first_use_copies_what_the_image_has_there(daemon: Daemon) -> None:
    filled = daemon.docker.ok("run", "--rm", "-v", "data:/etc", "busybox", "cat", "/etc/passwd")
    kept = daemon.docker.ok("run", "--rm", "-v", "data:/m", "busybox", "head", "-n", "1", "/m/passwd")
    empty = daemon.docker.ok("run", "--rm", "-v", "bare:/etc:nocopy", "busybox", "ls", "/etc")

    assert filled.startswith("root:")
    assert kept.startswith("root:")
    assert "passwd" not in empty


def test_read_only_volume_cannot_be_written(daemon: Daemon) -> None:
    answer = daemon.docker("run", "--rm", "-v", "data:/m:ro", "busybox", "touch", "/m/file")

    assert "Read-only file system" in answer.err


def test_volume_in_use_is_refused_by_the_name_of_its_holder(daemon: Daemon) -> None:
    daemon.docker.ok("create", "--name", "holder", "-v", "data:/m", "busybox")

    answer = daemon.docker("volume", "rm", "data")
    daemon.docker.ok("rm", "holder")

    assert answer.code == 1
    assert "remove data: volume is in use - [" in answer.err
    assert "(holder)" in answer.err


def test_anonymous_volumes_go_with_rm_v_and_with_run_rm(daemon: Daemon) -> None:
    daemon.docker.ok("run", "--name", "one", "-v", "/a", "-v", "named:/b", "busybox", "true")
    before = daemon.docker.ok("volume", "ls", "-q").split()
    daemon.docker.ok("rm", "-v", "one")
    daemon.docker.ok("run", "--rm", "-v", "/a", "busybox", "true")

    assert len(before) == 2
    until(lambda: daemon.docker.ok("volume", "ls", "-q") == "named", "only the named volume left")


def test_rm_alone_leaves_the_anonymous_volume(daemon: Daemon) -> None:
    daemon.docker.ok("run", "--name", "one", "-v", "/a", "busybox", "true")
    daemon.docker.ok("rm", "one")

    left = daemon.docker.ok("volume", "ls", "-q", "--filter", "dangling=true")
    pruned = daemon.docker.ok("volume", "prune", "--force")

    assert len(left) == 64
    assert left in pruned


def test_image_s_volume_is_made_and_filled(daemon: Daemon) -> None:
    daemon.docker.ok("create", "--name", "model", "busybox")
    daemon.docker.ok("commit", "--change", "VOLUME /etc", "model", "keeping")

    mounts = daemon.docker.ok("run", "--name", "one", "keeping", "cat", "/etc/passwd")
    shown = json.loads(daemon.docker.ok("inspect", "--format", "{{json .Mounts}}", "one"))
    daemon.docker.ok("rm", "-v", "one", "model")
    daemon.docker.ok("rmi", "keeping")

    assert mounts.startswith("root:")
    assert [(mount["Type"], mount["Destination"], mount["Driver"]) for mount in shown] == [
        ("volume", "/etc", "local")
    ]


def test_volumes_from_another_container(daemon: Daemon) -> None:
    daemon.docker.ok("run", "--name", "lender", "-v", "data:/m", "busybox", "sh", "-c", "echo lent >/m/file")

    read = daemon.docker.ok("run", "--rm", "--volumes-from", "lender:ro", "busybox", "cat", "/m/file")
    written = daemon.docker("run", "--rm", "--volumes-from", "lender:ro", "busybox", "touch", "/m/file")
    daemon.docker.ok("rm", "lender")

    assert read == "lent"
    assert "Read-only" in written.err


def test_lists_are_filtered_by_name_label_and_use(daemon: Daemon) -> None:
    daemon.docker.ok("volume", "create", "--label", "tier=back", "one")
    daemon.docker.ok("volume", "create", "two")
    daemon.docker.ok("create", "--name", "holder", "-v", "two:/m", "busybox")

    def listed(*filters: str) -> list[str]:
        words = [word for text in filters for word in ("--filter", text)]
        return daemon.docker.ok("volume", "ls", "-q", *words).split()

    found = [listed("name=wo"), listed("label=tier=back"), listed("dangling=true"), listed("driver=local")]
    daemon.docker.ok("rm", "holder")

    assert found == [["two"], ["one"], ["one"], ["one", "two"]]


def test_prune_spares_named_volumes_and_what_a_label_saves(daemon: Daemon) -> None:
    daemon.docker.ok("volume", "create", "--label", "keep", "one")
    daemon.docker.ok("volume", "create", "two")

    daemon.docker.ok("volume", "prune", "--force")
    both = daemon.docker.ok("volume", "ls", "-q").split()
    daemon.docker.ok("volume", "prune", "--force", "--all", "--filter", "label!=keep")

    assert both == ["one", "two"]
    assert daemon.docker.ok("volume", "ls", "-q") == "one"


def test_volume_may_stand_for_a_folder_of_the_host(daemon: Daemon) -> None:
    folder = daemon.host.folder / "srv"
    folder.mkdir()
    options = [word for text in ("type=none", "o=bind", f"device={folder}") for word in ("--opt", text)]
    daemon.docker.ok("volume", "create", *options, "outside")

    daemon.docker.ok("run", "--rm", "-v", "outside:/m", "busybox", "touch", "/m/file")
    daemon.docker.ok("volume", "rm", "outside")

    assert (folder / "file").exists()


def test_killed_daemon_keeps_volumes_and_finishes_removals(fresh_daemon: Daemon) -> None:
    docker = fresh_daemon.docker
    docker.ok("run", "-d", "--rm", "--name", "box", "-v", "/own", "-v", "data:/m", "busybox", "sleep", "1000")

    fresh_daemon.kill()
    pid = next(pid for pid, words in fresh_daemon.host.processes().items() if words == "sleep 1000")
    fresh_daemon.host.kill(pid)
    fresh_daemon.start()

    until(lambda: docker.ok("volume", "ls", "-q") == "data", "the container's own volume is gone")
    folder = Path(fresh_daemon.places["data"], "volumes")
    until(lambda: [entry.name for entry in folder.iterdir()] == ["data"], "and its folder")
