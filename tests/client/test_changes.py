"""`docker diff` on a real daemon."""

import pytest

from tests.support.daemon import Daemon
from tests.support.wait import until

pytestmark = pytest.mark.host


def test_changes_are_listed(daemon: Daemon) -> None:
    change = "cd /tmp; mkdir -p a/b; echo x > a/b/c; rm /etc/group; echo x >> /etc/passwd; sleep 1000"
    daemon.docker.ok(
        "run",
        "-d",
        "--name",
        "box",
        "-v",
        "/run/a:/shared",
        "-v",
        "/run/b:/fixed:ro",
        "busybox",
        "sh",
        "-c",
        change,
    )
    until(lambda: daemon.docker("exec", "box", "grep", "x$", "/etc/passwd").code == 0, "the changes")
    expected = ["C /etc", "D /etc/group", "C /etc/passwd"]
    expected += ["A /fixed", "A /shared", "C /tmp", "A /tmp/a", "A /tmp/a/b", "A /tmp/a/b/c"]

    running = daemon.docker.ok("diff", "box").splitlines()
    daemon.docker.ok("kill", "box")
    daemon.docker.ok("wait", "box")

    assert sorted(expected) == sorted(running) == sorted(daemon.docker.ok("diff", "box").splitlines())
    daemon.docker.ok("rm", "-f", "box")


def test_nothing_changed_is_nothing(daemon: Daemon) -> None:
    daemon.docker.ok("create", "--name", "never", "busybox", "true")
    daemon.docker.ok("run", "--name", "once", "busybox", "true")

    assert daemon.docker.ok("diff", "never") == daemon.docker.ok("diff", "once") == ""
    daemon.docker.ok("rm", "never", "once")


def test_sizes_count_each_file_once_and_nothing_through_a_link(daemon: Daemon) -> None:
    daemon.host.run("sh", "-c", "mkdir -p /run/big; head -c 100000 /dev/zero > /run/big/file")
    write = "head -c 5000 /dev/zero > /tmp/a; ln /tmp/a /tmp/b; ln -s /run/big /tmp/c; rm /etc/group"
    daemon.docker.ok("run", "--name", "box", "-v", "/run/big:/big", "busybox", "sh", "-c", write)

    sizes = daemon.docker.ok("inspect", "-s", "-f", "{{.SizeRw}}", "box")
    listed = daemon.docker.ok("ps", "-a", "-s", "--format", "{{.Size}}")

    assert sizes == "5000"
    assert listed.startswith("5kB (virtual ")
    freed = daemon.docker.ok("container", "prune", "-f")
    assert "Total reclaimed space: 5kB" in freed
