"""Whose namespace and files a sandbox has, and what that means when the lender is down, gone or another."""

import ipaddress
from dataclasses import replace

import pytest

from bridgehead.core import shared
from bridgehead.core.desired import dirty, fragment, owners
from bridgehead.core.drivers.bridge import BridgeDriver
from bridgehead.core.drivers.plain import PlainDriver
from bridgehead.core.facts import HostFacts
from bridgehead.core.firewall.spelling import NoFirewall
from bridgehead.core.layout import Layout
from bridgehead.core.model.container import (
    Container,
    ContainerSpec,
    ContainerState,
    Image,
    ProcessSpec,
    Status,
)
from bridgehead.core.model.errors import BridgeheadError, Conflict, HostRefused
from bridgehead.core.model.ids import ContainerID, EndpointID, ImageID, NetworkID, SandboxID
from bridgehead.core.model.network import (
    BridgeOptions,
    Endpoint,
    EndpointWish,
    Network,
    Phase,
    Sandbox,
    SandboxKind,
    Subnet,
)
from bridgehead.core.model.snapshot import Snapshot
from bridgehead.core.plan.names import ResolverView
from bridgehead.core.plan.objects import File, Namespace, Veth

IMAGE = Image(ImageID("sha256:00"), ("sha256:01",))
PREFIX = ipaddress.ip_network("172.18.0.0/16")
OWN = Network(
    NetworkID("n" * 64),
    "own",
    "bridge",
    "",
    subnets=(Subnet(PREFIX, PREFIX[1]),),
    bridge=BridgeOptions("br-own"),
    phase=Phase.READY,
)
FACTS = HostFacts(
    Layout("/data", "/exec"),
    {item.name: item for item in (BridgeDriver(NoFirewall()), PlainDriver("host"), PlainDriver("null"))},
)
HOME = SandboxID("a" * 64)


def container(name: str, mode: str, status: Status = Status.RUNNING) -> Container:
    return Container(
        ContainerID(name * 8),
        name,
        "",
        IMAGE.id,
        "busybox",
        ContainerSpec(ProcessSpec(("sh",)), hostname=f"host-of-{name}", network_mode=mode),
        networks={} if mode.startswith("container:") else {mode: EndpointWish()},
        state=ContainerState(status),
    )


LENDER, JOINER = container("lender", "own"), container("joiner", f"container:{'lender' * 8}")


def lent(sandbox: SandboxID = HOME) -> Snapshot:
    """lender, at 172.18.0.2 in a sandbox of this id, and joiner in its namespace."""
    endpoint = Endpoint(
        EndpointID("e" * 64),
        OWN.id,
        sandbox,
        LENDER.id,
        EndpointWish(),
        interface="eth0",
        host_interface="vethe",
        addresses=(ipaddress.ip_interface("172.18.0.2/16"),),
    )
    own = Sandbox(sandbox, LENDER.id, joined=None if sandbox == HOME else HOME)
    joiner = Sandbox(SandboxID("g" * 64), JOINER.id, SandboxKind.SHARED, joined=HOME, lender=LENDER.id)
    return Snapshot().put(IMAGE, OWN, LENDER, JOINER, own, endpoint, joiner)


def left(snapshot: Snapshot, status: Status = Status.EXITED) -> Snapshot:
    """The lender does not run any more."""
    boxes = [box for box in snapshot.sandboxes.values() if box.container == LENDER.id]
    gone = replace(LENDER, state=ContainerState(status))
    return snapshot.drop(*boxes, *snapshot.endpoints.values()).put(gone)


def wanted(snapshot: Snapshot) -> list[object]:
    return [item for owner in owners(snapshot) for item in fragment(snapshot, owner, FACTS).values()]


def contents(snapshot: Snapshot, name: str) -> list[str]:
    return [
        item.content for item in wanted(snapshot) if isinstance(item, File) and item.path.endswith(f"/{name}")
    ]


def paths(snapshot: Snapshot) -> list[str]:
    return [item.path for item in wanted(snapshot) if isinstance(item, Namespace)]


@pytest.mark.parametrize("snapshot", [lent(), lent(SandboxID("b" * 64))], ids=["at home", "come back"])
def test_both_have_one_namespace_and_one_set_of_files(snapshot: Snapshot) -> None:
    assert paths(snapshot) == ["/exec/netns/aaaaaaaaaaaa"]
    assert len(contents(snapshot, "hosts")) == 1
    assert contents(snapshot, "hosts")[0].endswith("172.18.0.2\thost-of-lender\n")
    inside = [item.namespace for item in wanted(snapshot) if isinstance(item, Veth | ResolverView)]
    assert inside == ["/exec/netns/aaaaaaaaaaaa"] * 2


def test_the_joiner_keeps_namespace_and_files_without_what_the_lender_took_along() -> None:
    snapshot = left(lent())

    assert paths(snapshot) == ["/exec/netns/aaaaaaaaaaaa"]
    assert contents(snapshot, "hostname") == ["host-of-lender\n"]
    assert "172.18.0.2" not in contents(snapshot, "hosts")[0]
    assert contents(snapshot, "resolv.conf") == contents(lent(), "resolv.conf")
    assert not [item for item in wanted(snapshot) if isinstance(item, Veth | ResolverView)]


def test_a_removed_lender_has_no_files() -> None:
    snapshot = left(lent()).drop(LENDER)

    assert paths(snapshot) == ["/exec/netns/aaaaaaaaaaaa"]
    assert contents(snapshot, "hosts") == []


def test_nobody_there_nothing_kept() -> None:
    snapshot = left(lent())

    assert paths(snapshot.drop(*snapshot.sandboxes.values())) == []


@pytest.mark.parametrize(
    "change",
    [
        left,
        lambda snapshot: left(snapshot).drop(LENDER),
        lambda snapshot: snapshot.drop(*snapshot.endpoints.values()),
        lambda snapshot: snapshot.drop(snapshot.sandboxes[SandboxID("g" * 64)]),
    ],
    ids=["lender ends", "lender is removed", "lender leaves its network", "joiner ends"],
)
def test_whatever_changes_for_one_concerns_their_namespace(change: object) -> None:
    before = lent()

    assert f"namespace/{HOME}" in dirty(before, change(before))  # type: ignore[operator]


def test_a_change_of_a_lender_that_is_down_concerns_what_it_left() -> None:
    before = left(lent())

    assert f"namespace/{HOME}" in dirty(before, before.put(replace(LENDER, networks={})))


def test_a_lender_is_at_home_where_somebody_waits_for_it() -> None:
    assert shared.kept_for(left(lent()), LENDER.id) == HOME
    assert shared.kept_for(left(lent()), ContainerID("lender2" * 8)) is None


@pytest.mark.parametrize(
    ("target", "snapshot", "kind", "sentence"),
    [
        (LENDER, left(lent()).drop(LENDER), HostRefused, f"No such container: {LENDER.id}"),
        (LENDER, left(lent()), Conflict, "container lender is exited"),
        (LENDER, left(lent(), Status.CREATED), Conflict, "container lender is created"),
        (LENDER, left(lent(), Status.RESTARTING), Conflict, "is restarting, wait until the container is run"),
        (JOINER, left(lent()).drop(LENDER), Conflict, f"that of container {LENDER.id}, which was removed"),
    ],
)
def test_a_start_needs_its_target_running_and_its_lender_there(
    target: Container, snapshot: Snapshot, kind: type[BridgeheadError], sentence: str
) -> None:
    with pytest.raises(kind) as refusal:
        shared.required(snapshot, target.id)

    assert sentence in refusal.value.message


def test_who_joins_a_joiner_is_where_that_one_is() -> None:
    found = shared.required(lent(), JOINER.id)

    assert (found.namespace, shared.lender(found)) == (HOME, LENDER.id)
