from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from bridgehead.core.plan.diff import Create, Delete
from bridgehead.core.plan.names import NameRecord, ResolverView
from bridgehead.host.resolver.plane import ResolverPlane
from tests.host.resolver.asking import PORT
from tests.host.space import make_namespace, own_space


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Path]:
    """A folder on a machine of the test's own; its namespace is the resolver's own too."""
    with own_space():
        yield tmp_path


@pytest.fixture
def sandbox(machine: Path) -> str:
    return make_namespace(machine / "sandbox")


@pytest.fixture
def view(sandbox: str) -> ResolverView:
    return ResolverView("s1", sandbox, PORT, networks=("n1", "n2"))


@pytest.fixture
def new_plane(machine: Path) -> Iterator[Callable[..., ResolverPlane]]:
    """Makes planes for one socket, as daemons one after the other would; the process ends with the test."""
    path = str(machine / "resolver.sock")
    with ExitStack() as opened:
        opened.callback(ResolverPlane(path, start=False).stop)

        def make(**options: bool) -> ResolverPlane:
            plane = ResolverPlane(path, **options)
            opened.callback(plane.close)
            return plane

        yield make


@pytest.fixture
def plane(new_plane: Callable[..., ResolverPlane]) -> ResolverPlane:
    """A plane whose resolver runs and holds nothing."""
    plane = new_plane()
    first = NameRecord("e0", "n0", "net", ("first",), ("10.0.0.1",))
    assert plane.apply([Create(first), Delete(first)]) == {}
    return plane
