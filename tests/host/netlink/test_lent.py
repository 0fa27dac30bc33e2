"""Namespaces of others in the link plane: used as our own ones are, and left as they were."""

import json
from pathlib import Path

import pytest

from bridgehead.core.model.guest import Guest
from bridgehead.core.plan.diff import Create, Delete
from bridgehead.core.plan.objects import Namespace, state
from bridgehead.host.namespaces.files import identity, make, remove
from bridgehead.host.netlink.plane import LinkPlane
from tests.host.netlink.conftest import ip
from tests.host.netlink.topology import NETWORK, endpoint, reach
from tests.support.wait import until

pytestmark = pytest.mark.host


@pytest.fixture
def other(plane: LinkPlane, tmp_path: Path) -> str:
    """Somebody's namespace with an interface of their own, on the plane's own machine."""
    path = f"{tmp_path}/other"
    make(path, lambda: None)
    ip("link", "add", "own0", "type", "bridge", namespace=path)
    return path


def lent(folder: str, other: str) -> Namespace:
    return Namespace(f"{folder}/2", Guest(identity(other) or 0, "boot", other))


def links(namespace: str) -> list[str]:
    return sorted(link["ifname"] for link in json.loads(ip("-j", "link", namespace=namespace)))


def test_links_in_it_are_made_seen_and_taken_away_and_nothing_else(
    plane: LinkPlane, folder: str, other: str
) -> None:
    _, *inside = endpoint(folder, 2)
    desired = state(*NETWORK, lent(folder, other), *inside)

    assert reach(plane, desired) == {}

    assert links(other) == ["eth0", "lo", "own0"]
    assert "UP" in ip("link", "show", "lo", namespace=other)
    assert desired == plane.observe()
    assert reach(plane, state(*NETWORK)) == {}
    assert links(other) == ["lo", "own0"]
    assert not Path(f"{folder}/2").exists()
    assert [link["ifname"] for link in json.loads(ip("-j", "link")) if link["ifname"] == "veth2"] == []


def test_a_newcomer_takes_it_away_without_knowing_whose_it_is(
    plane: LinkPlane, folder: str, other: str
) -> None:
    _, *inside = endpoint(folder, 2)
    assert reach(plane, state(*NETWORK, lent(folder, other), *inside)) == {}
    newcomer = LinkPlane(folder)

    assert reach(newcomer, {}) == {}

    assert links(other) == ["lo", "own0"]
    newcomer.close()


def test_our_keeping_it_does_not_keep_it_once_we_let_go(plane: LinkPlane, folder: str, other: str) -> None:
    wanted = lent(folder, other)
    assert plane.apply([Create(wanted)]) == {}
    ip("link", "add", "end", "type", "veth", "peer", "name", "far", "netns", other)

    remove(other)
    assert plane.apply([Delete(wanted)]) == {}

    until(lambda: '"end"' not in ip("-j", "link"), "the kernel takes the pair down with the namespace")


def test_a_stranger_is_refused(plane: LinkPlane, folder: str, other: str) -> None:
    wanted = Namespace(f"{folder}/2", Guest(1, "boot", other))

    failures = plane.apply([Create(wanted)])

    assert "another one than before" in str(failures[wanted.key])
    assert plane.observe() == {}
