"""Links of other people's drivers on a real kernel: lent to a sandbox, and given back."""

import ipaddress

import pytest

from bridgehead.core.model.errors import Conflict, HostRefused
from bridgehead.core.plan.borrowed import BorrowedLink
from bridgehead.core.plan.diff import Create, diff
from bridgehead.core.plan.objects import LinkAddress, Namespace, Route, state
from bridgehead.host.netlink.plane import LinkPlane
from tests.host.netlink.conftest import ip
from tests.host.netlink.topology import reach

pytestmark = pytest.mark.host

_MAC = "02:42:0a:7b:00:03"
_ADDRESS = ipaddress.ip_interface("10.123.0.3/24")


def pair(name: str) -> None:
    """As a driver makes one: an end to keep, and one to lend."""
    ip("link", "add", f"{name}-k", "type", "veth", "peer", "name", name)
    ip("link", "set", f"{name}-k", "up")


def links() -> set[str]:
    return {line.split(":")[1].split("@")[0].strip() for line in ip("-o", "link").splitlines()}


def lent(folder: str, **changes: object) -> tuple[str, BorrowedLink]:
    path = f"{folder}/box"
    fields: dict[str, object] = {"mac": _MAC, "ipv6": True} | changes
    return path, BorrowedLink(path, "eth0", "plug0", **fields)  # type: ignore[arg-type]


def test_a_borrowed_link_is_inside_under_its_new_name_and_nothing_more_is_to_do(
    plane: LinkPlane, folder: str
) -> None:
    pair("plug0")
    path, link = lent(folder)
    route = Route(path, ipaddress.ip_network("10.200.0.0/16"), "eth0", ipaddress.ip_address("10.123.0.1"))
    desired = state(Namespace(path), link, LinkAddress(path, "eth0", _ADDRESS), route)

    assert reach(plane, desired) == {}

    assert plane.observe() == desired
    newcomer = LinkPlane(folder)
    assert newcomer.observe() == desired
    assert newcomer.apply([Create(item) for item in desired.values()]) == {}
    newcomer.close()
    assert "plug0" not in links()


@pytest.mark.parametrize("everything_goes", [True, False], ids=["with its namespace", "alone"])
def test_a_borrowed_link_comes_back_under_its_old_name(
    plane: LinkPlane, folder: str, everything_goes: bool
) -> None:
    pair("plug0")
    path, link = lent(folder)
    reach(plane, state(Namespace(path), link, LinkAddress(path, "eth0", _ADDRESS)))

    failures = reach(plane, {} if everything_goes else state(Namespace(path)))

    assert failures == {}
    assert {"plug0", "plug0-k"} <= links()
    shown = ip("-d", "link", "show", "plug0")
    assert "alias" not in shown
    assert "group default" in shown
    assert plane.observe() == ({} if everything_goes else state(Namespace(path)))


def test_a_link_that_its_owner_deleted_counts_as_given_back(plane: LinkPlane, folder: str) -> None:
    pair("plug0")
    path, link = lent(folder)
    reach(plane, state(Namespace(path), link))
    ip("link", "del", "plug0-k")

    ops = diff(state(Namespace(path), link), state(Namespace(path)))

    assert plane.apply(ops) == {}


def test_a_link_that_is_down_is_put_right_where_it_stands(plane: LinkPlane, folder: str) -> None:
    pair("plug0")
    path, link = lent(folder)
    desired = state(Namespace(path), link)
    reach(plane, desired)
    ip("link", "set", "eth0", "down", namespace=path)

    assert diff(plane.observe(), desired) != []
    reach(plane, desired)

    assert plane.observe() == desired


def test_an_interface_that_does_not_exist_is_refused_by_its_name(plane: LinkPlane, folder: str) -> None:
    path, link = lent(folder)

    failures = reach(plane, state(Namespace(path), link))

    assert isinstance(failures[link.key], HostRefused)
    assert "plug0, which does not exist" in str(failures[link.key])


def test_what_is_somebody_elses_inside_stays(plane: LinkPlane, folder: str) -> None:
    pair("plug0")
    path, link = lent(folder)
    reach(plane, state(Namespace(path)))
    ip("link", "add", "eth0", "type", "veth", "peer", "name", "other", namespace=path)

    failures = reach(plane, state(Namespace(path), link))

    assert isinstance(failures[link.key], Conflict)
    assert "plug0" in links()
