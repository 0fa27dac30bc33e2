"""Images made of containers, on a real daemon."""

import threading

import pytest

from tests.support.daemon import Daemon
from tests.support.wait import until

pytestmark = pytest.mark.host


def _layers(daemon: Daemon) -> set[str]:
    folder = daemon.host.folder / "data" / "layers"
    return {path.name for path in folder.iterdir()}


def test_the_three_files_of_a_container_never_reach_an_image(daemon: Daemon) -> None:
    edit = "cd /etc; for f in host* resolv.conf; do echo '# mine' >> $f; done; echo kept > other; sleep 1000"
    daemon.docker.ok("run", "-d", "--name", "edited", "busybox", "sh", "-c", edit)
    until(lambda: daemon.docker("exec", "edited", "cat", "/etc/other").code == 0, "the edits")

    daemon.docker.ok("commit", "edited", "edited:1")

    config = daemon.docker.ok("inspect", "-f", "{{json .RootFS.Layers}}", "edited:1")
    (new,) = [
        path
        for path in (daemon.host.folder / "data" / "layers").iterdir()
        if path.name in config and (path / "etc/other").exists()
    ]
    assert sorted(path.name for path in new.rglob("*")) == ["etc", "other"]
    shown = daemon.docker.ok(
        "run", "--rm", "edited:1", "cat", "/etc/hosts", "/etc/resolv.conf", "/etc/hostname"
    )
    assert "# mine" not in shown
    daemon.docker.ok("rm", "-f", "edited")
    daemon.docker.ok("rmi", "edited:1")


def test_binds_and_tmpfs_stay_out_of_an_image(daemon: Daemon) -> None:
    command = "echo a > /bound/file; echo b > /fast/file; echo c > /own; sleep 1000"
    options = ("-v", "/run/bound:/bound", "--tmpfs", "/fast")
    daemon.docker.ok("run", "-d", "--name", "mounted", *options, "busybox", "sh", "-c", command)
    until(lambda: daemon.docker("exec", "mounted", "cat", "/own").code == 0, "the files")

    daemon.docker.ok("commit", "mounted", "mounted:1")

    assert daemon.docker.ok(
        "run", "--rm", "mounted:1", "sh", "-c", "cat /own; ls /bound /fast 2>&1; true"
    ) == ("c\nls: /bound: No such file or directory\nls: /fast: No such file or directory")
    daemon.docker.ok("rm", "-f", "mounted")
    daemon.docker.ok("rmi", "mounted:1")


def test_history_shows_what_each_commit_added(daemon: Daemon) -> None:
    for number, size in ((1, 1000), (2, 2000)):
        image = "busybox" if number == 1 else "grown:1"
        command = f"head -c {size} /dev/zero > /file{number}"
        daemon.docker.ok("run", "--name", f"grows{number}", image, "sh", "-c", command)
        daemon.docker.ok("commit", f"grows{number}", f"grown:{number}")

    shown = daemon.docker.ok("history", "--format", "{{.Size}}", "grown:2").split()

    assert shown[:2] == ["2kB", "1kB"]
    daemon.docker.ok("rm", "grows1", "grows2")
    daemon.docker.ok("rmi", "grown:2", "grown:1")


def test_a_refused_commit_lets_the_container_go_on(daemon: Daemon) -> None:
    daemon.docker.ok("run", "-d", "--name", "goes-on", "busybox", "sleep", "1000")
    before = _layers(daemon)

    refused = daemon.docker("commit", "-c", "RUN true", "goes-on")

    assert "not a valid change command" in refused.err
    assert daemon.docker.ok("inspect", "-f", "{{.State.Status}}", "goes-on") == "running"
    assert before == _layers(daemon)
    daemon.docker.ok("rm", "-f", "goes-on")


def test_removal_waits_for_the_commit(daemon: Daemon) -> None:
    write = "dd if=/dev/urandom of=/big bs=1M count=24 2>/dev/null; touch /done; sleep 1000"
    daemon.docker.ok("run", "-d", "--name", "large", "busybox", "sh", "-c", write)
    until(lambda: daemon.docker("exec", "large", "ls", "/done").code == 0, "the file")
    answers = []
    commit = threading.Thread(target=lambda: answers.append(daemon.docker("commit", "large", "large:1")))
    commit.start()
    until(
        lambda: daemon.docker.ok("inspect", "-f", "{{.State.Status}}", "large") == "paused" or answers,
        "the container to be read",
        pause_s=0.001,
    )

    daemon.docker.ok("rm", "-f", "large")
    commit.join(30)

    assert answers[0].code == 0, answers[0].err
    assert daemon.docker.ok("run", "--rm", "large:1", "stat", "-c", "%s", "/big") == str(24 << 20)
    daemon.docker.ok("rmi", "large:1")


def test_a_daemon_killed_while_it_commits_leaves_no_half_image(fresh_daemon: Daemon) -> None:
    daemon = fresh_daemon
    write = "dd if=/dev/urandom of=/big bs=1M count=64 2>/dev/null; touch /done; sleep 1000"
    daemon.docker.ok("run", "-d", "--name", "large", "busybox", "sh", "-c", write)
    until(lambda: daemon.docker("exec", "large", "ls", "/done").code == 0, "the file", 20)
    before = _layers(daemon)
    commit = threading.Thread(target=lambda: daemon.docker("commit", "large", "large:1"))
    commit.start()
    until(lambda: _layers(daemon) != before, "the layer in the making", pause_s=0.001)

    daemon.kill()
    commit.join(30)
    daemon.start()

    if not daemon.docker.ok("images", "-q", "large"):  # else the kill came too late, and it is whole
        assert before == _layers(daemon)
        daemon.docker("unpause", "large")
        daemon.docker.ok("commit", "large", "large:1")
    assert daemon.docker.ok("run", "--rm", "large:1", "stat", "-c", "%s", "/big") == str(64 << 20)
