from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from bridgehead.core.plan.diff import Create, Delete
from bridgehead.host.ports.plane import PortPlane
from tests.host.ports.machine import hold
from tests.host.space import own_space


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Path]:
    """A folder on a machine of the test's own; its namespace is the keeper's own too."""
    with own_space():
        yield tmp_path


@pytest.fixture
def new_plane(machine: Path) -> Iterator[Callable[..., PortPlane]]:
    """Makes planes for one socket, as daemons one after the other would; the process ends with the test."""
    path = str(machine / "ports.sock")
    with ExitStack() as opened:
        opened.callback(PortPlane(path, start=False).stop)

        def make(**options: bool) -> PortPlane:
            plane = PortPlane(path, **options)
            opened.callback(plane.close)
            return plane

        yield make


@pytest.fixture
def plane(new_plane: Callable[..., PortPlane]) -> PortPlane:
    """A plane whose keeper runs and holds nothing."""
    plane = new_plane()
    first = hold("udp", "127.0.0.9:9")
    assert plane.apply([Create(first), Delete(first)]) == {}
    return plane
