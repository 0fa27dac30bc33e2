"""What is announced about an interface, and whether links of ours upon it are a reason to look."""

import pytest

from bridgehead.core import lowers
from bridgehead.core.judgement import believed, concerns
from bridgehead.core.model.ids import ContainerID, EndpointID, NetworkID, SandboxID
from bridgehead.core.model.network import Endpoint, EndpointWish, LanOptions, Network, ParentKind
from bridgehead.core.model.snapshot import Snapshot
from bridgehead.core.plan.lan import ParentLink, SubLink
from bridgehead.core.plan.notice import LinkChanged, LinkGone
from bridgehead.core.plan.objects import KernelObject

ONE = SubLink("macvlan", "eth9", "/ns/1", "eth0", "bridge")
TWO = SubLink("macvlan", "eth9", "/ns/2", "eth0", "bridge")
MADE = ParentLink("eth8.5", "vlan", "eth8", 5)
GIVEN = Network(NetworkID("a"), "lan", "macvlan", "", lan=LanOptions("eth9", "bridge"))
TAGGED = Network(NetworkID("b"), "tagged", "macvlan", "", lan=LanOptions("eth8.5", "bridge", ParentKind.VLAN))
END = Endpoint(EndpointID("e"), GIVEN.id, SandboxID("s"), ContainerID("c"), EndpointWish())


def changed(name: str, *, up: bool = True) -> LinkChanged:
    return LinkChanged(name, mac="", mtu=1500, up=up, master="")


def test_what_stands_on_an_interface_is_missed_with_it() -> None:
    ours = believed([ONE, MADE])

    for name in ("eth9", "eth8", "eth8.5"):
        assert concerns(LinkGone(name), ours), name
    assert not concerns(LinkGone("eth7"), ours)


@pytest.mark.parametrize(
    ("before", "now", "suspicious"),
    [
        pytest.param([ONE, TWO], [ONE, TWO], True, id="nothing of ours moved: somebody else's doing"),
        pytest.param([ONE], [ONE, TWO], False, id="we made one"),
        pytest.param([ONE, TWO], [ONE], False, id="we took one away"),
        pytest.param([], [], False, id="none of ours"),
    ],
)
def test_an_interface_is_suspicious_when_links_upon_it_moved_and_ours_did_not(
    before: list[KernelObject], now: list[KernelObject], suspicious: bool
) -> None:
    earlier = believed(before)

    assert concerns(changed("eth9"), believed(now, earlier.lan)) is suspicious


def test_a_parent_of_ours_that_is_down_is_a_reason_to_look() -> None:
    assert concerns(changed("eth8.5", up=False), believed([MADE]))
    assert not concerns(changed("eth8.5"), believed([MADE]))


def test_an_interface_that_endpoints_wait_for_is_welcome() -> None:
    snapshot = Snapshot().put(GIVEN, TAGGED, END)

    waiting = believed([], snapshot=snapshot)
    served = believed([ONE, MADE], snapshot=snapshot)

    assert concerns(changed("eth9"), waiting)
    assert concerns(changed("eth8"), waiting), "a VLAN of ours is to stand on it"
    assert not concerns(changed("eth7"), waiting)
    assert served.lan.awaited == frozenset()
    assert believed([], snapshot=Snapshot().put(GIVEN)).lan.awaited == frozenset(), "nobody is attached"


def test_networks_are_found_by_what_they_stand_on() -> None:
    snapshot = Snapshot().put(GIVEN, TAGGED)

    assert lowers.on(snapshot, "eth9") == [GIVEN]
    assert lowers.on(snapshot, "eth8") == [TAGGED]
    assert lowers.on(snapshot, "eth8.5") == [TAGGED]
