from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from bridgehead.host.namespaces.entering import socket_in
from bridgehead.host.nft.plane import FirewallPlane
from tests.host.space import own_space


@pytest.fixture
def namespaces(tmp_path: Path) -> Iterator[Path]:
    """The sandboxes' folder on a machine of the test's own."""
    folder = tmp_path / "netns"
    folder.mkdir()
    with own_space():
        yield folder


@pytest.fixture
def new_plane(namespaces: Path) -> Iterator[Callable[[], FirewallPlane]]:
    """Makes planes that know nothing of one another, as after a restart of the daemon."""
    with ExitStack() as opened:
        yield lambda: opened.enter_context(closing(FirewallPlane(str(namespaces), socket_in)))


@pytest.fixture
def plane(new_plane: Callable[[], FirewallPlane]) -> FirewallPlane:
    return new_plane()


@pytest.fixture
def witness(namespaces: Path) -> Iterator[FirewallPlane]:
    """A plane that only looks, with a memory as empty as a new daemon's."""
    with closing(FirewallPlane(str(namespaces), socket_in, table_flags=0)) as plane:
        yield plane
