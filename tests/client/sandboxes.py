"""A network with a container on it, and namespaces that join as sandboxes."""

from collections.abc import Iterator
from typing import Any

from tests.support import guest
from tests.support.daemon import Daemon


def lan(daemon: Daemon) -> Iterator[Daemon]:
    """A network `lan` with a container `web` on it; whatever else a test made is gone after it."""
    daemon.docker.ok("network", "create", "--subnet", "10.60.0.0/24", "lan")
    run = ("run", "-d", "--name", "web", "--net", "lan", "--ip", "10.60.0.10", "busybox")
    daemon.docker.ok(*run, "httpd", "-f", "-p", "80", "-h", "/etc")
    yield daemon
    clean(daemon)


def clean(daemon: Daemon) -> None:
    daemon.docker.remove_all()
    for entry in daemon.host.json("ip", "-j", "netns", "list"):
        daemon.host.run("ip", "netns", "del", entry["name"])


def bridgehead(daemon: Daemon, *words: str) -> str:
    return daemon.host.run("bridgehead", "-H", f"unix://{daemon.socket}", *words).stdout.strip()


def add(daemon: Daemon, name: str, *words: str) -> str:
    """A namespace and its sandbox of the same name; the path."""
    path = guest.make(daemon.host, name)
    bridgehead(daemon, "sandbox", "add", name, "--netns", path, *words)
    return path


def shown(daemon: Daemon, name: str) -> dict[str, Any]:
    status, answer = daemon.call("GET", f"/sandboxes/{name}")
    assert status == 200, answer
    found: dict[str, Any] = answer
    return found
