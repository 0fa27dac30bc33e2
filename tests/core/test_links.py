"""What links of the old kind mean: variables, lines of hosts, firewall rules, and whose they are."""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import pytest

from bridgehead.core import links
from bridgehead.core.desired import dirty, fragment
from bridgehead.core.drivers.bridge import BridgeDriver
from bridgehead.core.drivers.plain import PlainDriver
from bridgehead.core.facts import HostFacts
from bridgehead.core.firewall.rules import LinkAccept
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
from bridgehead.core.model.errors import Conflict
from bridgehead.core.model.ids import ContainerID, EndpointID, ImageID, NetworkID, SandboxID
from bridgehead.core.model.network import (
    BridgeOptions,
    Endpoint,
    EndpointWish,
    Link,
    Network,
    Phase,
    Sandbox,
    Subnet,
)
from bridgehead.core.model.snapshot import Snapshot
from bridgehead.core.plan.filtering import FirewallElement
from bridgehead.core.plan.objects import File, KernelObject

IMAGE = Image(ImageID("sha256:00"), ("sha256:01",))
PREFIX = ipaddress.ip_network("172.17.0.0/16")


@dataclass
class Written(NoFirewall):
    """Spells a link as one element, so that a test can read what was asked for."""

    asked: list[LinkAccept] = field(default_factory=list)

    def link(self, item: LinkAccept) -> Iterable[KernelObject]:
        self.asked.append(item)
        ends = (str(item.recipient), str(item.source))
        return (FirewallElement("links", (*ends, item.protocol, str(item.port)), "accept"),)


FIREWALL = Written()
FACTS = HostFacts(
    Layout("/data", "/exec"),
    {driver.name: driver for driver in (BridgeDriver(FIREWALL), PlainDriver("host"), PlainDriver("null"))},
    firewall=FIREWALL,
)


def network(*, icc: bool = True) -> Network:
    return Network(
        NetworkID("n" * 64),
        "bridge",
        "bridge",
        "",
        subnets=(Subnet(PREFIX, PREFIX[1]),),
        bridge=BridgeOptions("docker0", icc=icc),
        phase=Phase.READY,
    )


def container(name: str, *linked: Link, ports: Iterable[str] = (), env: Iterable[str] = ()) -> Container:
    return Container(
        ContainerID(name * 8),
        name,
        "",
        IMAGE.id,
        "busybox",
        ContainerSpec(
            ProcessSpec(("sh",), tuple(env)),
            hostname=f"host-of-{name}",
            exposed_ports=tuple(ports),
            links=linked,
        ),
        networks={"bridge": EndpointWish()},
        state=ContainerState(Status.RUNNING),
    )


def to(source: str, alias: str) -> Link:
    return Link(source * 8, alias)


def running(snapshot: Snapshot, item: Container, number: int) -> Snapshot:
    """`number`: the last byte of its address."""
    sandbox = Sandbox(SandboxID(f"sandbox-{item.name}"), item.id)
    endpoint = Endpoint(
        EndpointID(f"endpoint-{item.name}"),
        NetworkID("n" * 64),
        sandbox.id,
        item.id,
        EndpointWish(),
        interface="eth0",
        addresses=(ipaddress.ip_interface(f"{PREFIX[number]}/16"),),
    )
    return snapshot.put(item, sandbox, endpoint)


def world(*, icc: bool = True, ports: Iterable[str] = ("5432/tcp",)) -> Snapshot:
    """db at .2, and web at .3, which knows it as webdb."""
    snapshot = running(Snapshot().put(IMAGE, network(icc=icc)), container("db", ports=ports), 2)
    return running(snapshot, container("web", to("db", "webdb")), 3)


def stopped(snapshot: Snapshot, name: str) -> Snapshot:
    gone = snapshot.find_container(name)
    sandboxes = [box for box in snapshot.sandboxes.values() if box.container == gone.id]
    ends = [end for end in snapshot.endpoints.values() if end.container == gone.id]
    return snapshot.drop(*sandboxes, *ends).put(replace(gone, state=ContainerState(Status.EXITED)))


def told(snapshot: Snapshot, name: str = "web") -> dict[str, str]:
    recipient = snapshot.find_container(name)
    words = links.environment(recipient, list(links.linked(snapshot, recipient)))
    return dict(word.split("=", 1) for word in words)


def hosts(snapshot: Snapshot, name: str = "web") -> str:
    objects = fragment(snapshot, f"namespace/sandbox-{name}", FACTS).values()
    return next(item.content for item in objects if isinstance(item, File) and item.path.endswith("/hosts"))


def accepted(snapshot: Snapshot, name: str = "web") -> set[tuple[str, ...]]:
    objects = fragment(snapshot, f"stack/sandbox-{name}", FACTS).values()
    return {item.match for item in objects if isinstance(item, FirewallElement)}


@pytest.mark.parametrize(
    ("ports", "first"),
    [
        (("8080/tcp", "80/tcp"), "tcp://172.17.0.2:80"),
        (("53/udp", "5432/tcp"), "udp://172.17.0.2:53"),
        (("53/udp", "53/tcp"), "tcp://172.17.0.2:53"),
    ],
)
def test_the_lowest_port_is_the_links_own_and_tcp_wins_a_tie(ports: tuple[str, ...], first: str) -> None:
    assert first == told(world(ports=ports))["WEBDB_PORT"]


def test_every_exposed_port_is_told_in_four_variables() -> None:
    assert told(world()) == {
        "WEBDB_NAME": "/web/webdb",
        "WEBDB_PORT": "tcp://172.17.0.2:5432",
        "WEBDB_PORT_5432_TCP": "tcp://172.17.0.2:5432",
        "WEBDB_PORT_5432_TCP_ADDR": "172.17.0.2",
        "WEBDB_PORT_5432_TCP_PORT": "5432",
        "WEBDB_PORT_5432_TCP_PROTO": "tcp",
    }


def test_ports_in_a_row_have_a_start_and_an_end() -> None:
    variables = told(world(ports=("8002/tcp", "8000/tcp", "8001/tcp", "8001/udp", "9000/tcp", "9001/tcp")))

    assert {key: value for key, value in variables.items() if key.endswith(("_START", "_END"))} == {
        "WEBDB_PORT_8000_TCP_START": "tcp://172.17.0.2:8000",
        "WEBDB_PORT_8000_TCP_PORT_START": "8000",
        "WEBDB_PORT_8000_TCP_END": "tcp://172.17.0.2:8002",
        "WEBDB_PORT_8000_TCP_PORT_END": "8002",
    }


def test_without_exposed_ports_there_is_the_name_alone() -> None:
    assert told(world(ports=())) == {"WEBDB_NAME": "/web/webdb"}


def test_a_sources_own_variables_are_told_but_home_and_path() -> None:
    source = container("db", env=("doc=docker", "HOME=/x", "PATH=/bin", "A=b=c", "unset"))

    variables = told(world().put(source))

    assert {"WEBDB_NAME", "WEBDB_ENV_doc", "WEBDB_ENV_A"} == set(variables)
    assert (variables["WEBDB_ENV_doc"], variables["WEBDB_ENV_A"]) == ("docker", "b=c")


def test_an_alias_is_spelled_in_capitals_without_dashes() -> None:
    snapshot = world().put(container("web", to("db", "my-db.x")))

    assert "MY_DB.X_PORT_5432_TCP" in told(snapshot)


def test_a_containers_own_variables_win_over_its_links() -> None:
    web = container("web", to("db", "webdb"), env=("WEBDB_NAME=mine",))

    environment = links.informed(world(), web).spec.process.environment

    assert environment[-1] == "WEBDB_NAME=mine"


def test_hosts_has_a_line_for_each_link_before_its_own() -> None:
    snapshot = world().put(container("web", to("db", "webdb"), to("db", "db")))

    assert hosts(snapshot).endswith(
        "172.17.0.2\twebdb host-of-db db\n172.17.0.2\tdb host-of-db\n172.17.0.3\thost-of-web\n"
    )


def test_hosts_follows_the_source_to_its_new_address() -> None:
    moved = running(stopped(world(), "db"), container("db"), 9)

    assert "172.17.0.9\twebdb host-of-db db\n" in hosts(moved)


def test_a_name_never_leads_to_the_next_holder_of_a_stopped_sources_address() -> None:
    snapshot = running(stopped(world(), "db"), container("other"), 2)

    assert "webdb" not in hosts(snapshot)
    assert told(snapshot) == {}


@pytest.mark.parametrize(
    "change",
    [
        lambda snapshot: snapshot.put(container("web")),
        lambda snapshot: stopped(snapshot, "db").drop(snapshot.find_container("db")),
    ],
    ids=["the link", "the source"],
)
def test_what_a_link_gave_goes_with(change: object) -> None:
    snapshot = change(world(icc=False))  # type: ignore[operator]

    assert "webdb" not in hosts(snapshot)
    assert set() == accepted(snapshot)


def test_links_open_every_exposed_port_where_talking_is_forbidden() -> None:
    snapshot = world(icc=False, ports=("5432/tcp", "53/udp"))

    assert {
        ("172.17.0.3", "172.17.0.2", "tcp", "5432"),
        ("172.17.0.3", "172.17.0.2", "udp", "53"),
    } == accepted(snapshot)
    assert set() == accepted(snapshot, "db")


def test_links_need_no_rules_where_talking_is_allowed() -> None:
    assert set() == accepted(world(icc=True))


def test_link_rules_follow_the_source_to_its_new_address() -> None:
    before = world(icc=False)
    after = running(stopped(before, "db"), container("db", ports=("5432/tcp",)), 9)

    assert {("172.17.0.3", "172.17.0.9", "tcp", "5432")} == accepted(after)
    assert {"stack/sandbox-web", "namespace/sandbox-web"} <= dirty(before, after)


@pytest.mark.parametrize("name", ["db", "other"])
def test_only_recipients_are_concerned_by_a_sources_end(name: str) -> None:
    before = running(world(), container("other"), 4)

    concerned = dirty(before, stopped(before, name))

    assert (name == "db") == ("namespace/sandbox-web" in concerned)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            lambda snapshot: stopped(snapshot, "db"),
            "Cannot link to a non running container: /db AS /web/webdb",
        ),
        (
            lambda snapshot: snapshot.put(replace(snapshot.find_container("db"), networks={})),
            "Cannot link to /db, as it does not belong to the default network",
        ),
    ],
    ids=["stopped", "elsewhere"],
)
def test_a_start_needs_every_source_running_on_the_default_network(change: object, reason: str) -> None:
    snapshot = change(world())  # type: ignore[operator]

    with pytest.raises(Conflict) as refusal:
        links.required(snapshot, snapshot.find_container("web"))

    assert reason == refusal.value.message


def test_a_link_is_a_further_name_of_its_source() -> None:
    snapshot = world()

    assert snapshot.find_container("/web/webdb").name == "db"
    assert {snapshot.find_container("db").id: ["web/webdb"]} == links.aliases(snapshot)


def test_of_two_links_with_one_alias_the_first_counts() -> None:
    snapshot = running(world(), container("other"), 4)
    snapshot = snapshot.put(container("web", to("db", "one"), to("other", "one")))

    assert hosts(snapshot).count("\tone ") == 1
    assert "172.17.0.2\tone host-of-db db\n" in hosts(snapshot)
