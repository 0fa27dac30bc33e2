"""Daemons with flags, and what tests of their parameters do with them."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

import pytest

from tests.support.bridgehead import bridgehead
from tests.support.daemon import Daemon, DaemonFailed
from tests.support.testhost import OUTSIDE_ADDRESS, Host

_FIRST_VISITOR = """
import socket, sys
server = socket.create_server((sys.argv[1], 7000))
server.settimeout(20)
print("listening", flush=True)
print(server.accept()[1][0], flush=True)
"""
ADDRESS = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
MTU = "cat /sys/class/net/eth0/mtu"


@contextmanager
def running(host: Host, *flags: str) -> Iterator[Daemon]:
    with bridgehead(host, *flags) as daemon:
        daemon.import_image()
        yield daemon


def refusal(host: Host, *flags: str) -> str:
    with pytest.raises(DaemonFailed) as failed:
        bridgehead(host, *flags).start()
    return str(failed.value)


def once(daemon: Daemon, command: str, *options: str) -> str:
    return daemon.docker.ok("run", "--rm", *options, "busybox", "sh", "-c", command)


def sleeper(daemon: Daemon, name: str, *options: str) -> str:
    """A container that stays, and its address."""
    daemon.docker.ok("run", "-d", "--name", name, *options, "busybox", "sleep", "1000")
    return daemon.docker.ok("inspect", "-f", ADDRESS, name)


def addresses(host: Host, link: str) -> list[str]:
    return [
        f"{item['local']}/{item['prefixlen']}"
        for item in host.json("ip", "-json", "address", "show", link)[0]["addr_info"]
        if item["scope"] == "global"
    ]


@contextmanager
def visitors(outside: Host) -> Iterator[IO[str]]:
    """A line with the address of whoever connects to port 7000 out there."""
    listener = outside.popen(
        [sys.executable, "-c", _FIRST_VISITOR, OUTSIDE_ADDRESS], stdout=subprocess.PIPE, text=True
    )
    assert listener.stdout is not None
    with listener.stdout as seen:
        assert seen.readline() == "listening\n"
        yield seen


def brctl(host: Host) -> None:
    """The manual's own two commands, with a machine that has them."""
    host.run("busybox", "brctl", "addbr", "br0")
    host.run("busybox", "ifconfig", "br0", "188.18.0.1")
