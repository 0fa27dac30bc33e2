"""A link plane on a network and a mount table of its own, for each test."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridgehead.host.namespaces.entering import libc
from bridgehead.host.netlink.plane import LinkPlane
from tests.host.space import own_space

_CLONE_FS = 0x200


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[str]:
    """Where namespaces are kept, on a machine with nothing but a loopback."""
    with own_space():
        yield f"{tmp_path}/netns"
        # A thread that is just ending shares our working folder, and the kernel would let nobody out.
        libc.unshare(_CLONE_FS)


@pytest.fixture
def plane(folder: str) -> Iterator[LinkPlane]:
    made = LinkPlane(folder)
    yield made
    made.close()


def ip(*words: str, namespace: str = "") -> str:
    """What iproute2 says: a witness who shares no code with us."""
    enter = ["nsenter", f"--net={namespace}"] if namespace else []
    done = subprocess.run([*enter, "ip", *words], check=True, capture_output=True, text=True, timeout=10)
    return done.stdout
