"""What a namespace of somebody else means in kernel objects."""

from bridgehead.core.desired import fragment, sandbox_owners
from bridgehead.core.drivers.plain import PlainDriver
from bridgehead.core.facts import HostFacts
from bridgehead.core.layout import Layout
from bridgehead.core.model.container import Container, ContainerSpec, ContainerState, ProcessSpec, Status
from bridgehead.core.model.guest import Guest
from bridgehead.core.model.ids import ContainerID, ImageID, SandboxID
from bridgehead.core.model.network import Phase, Sandbox
from bridgehead.core.model.snapshot import Snapshot
from bridgehead.core.plan.diff import Delete, diff
from bridgehead.core.plan.names import ResolverRedirect
from bridgehead.core.plan.objects import Directory, File, Namespace, OverlayMount, state
from bridgehead.host.store.codec import decode, encode

GUEST = Guest(77, "boot", "/run/netns/blue", interfaces=("lo",))
CONTAINER = Container(
    id=ContainerID("c" * 64),
    name="blue",
    created="",
    image=ImageID(""),
    image_reference="(namespace)",
    spec=ContainerSpec(ProcessSpec((GUEST.source,)), "blue", network_mode="none"),
    state=ContainerState(Status.RUNNING),
    guest=GUEST,
)
SANDBOX = Sandbox(SandboxID("d" * 64), CONTAINER.id, resolver_port=5000, phase=Phase.READY)
SNAPSHOT = Snapshot().put(CONTAINER, SANDBOX)
FACTS = HostFacts(Layout("/data", "/run"), drivers={"null": PlainDriver("null")})
PATH = FACTS.layout.namespace(SANDBOX.id)


def test_its_namespace_comes_from_where_it_is_said_to_be() -> None:
    found = fragment(SNAPSHOT, sandbox_owners(SANDBOX).namespace, FACTS)

    assert [item.of for item in found.values() if isinstance(item, Namespace)] == [GUEST]


def test_it_has_files_but_no_root() -> None:
    owners = sandbox_owners(SANDBOX)

    found = [item for owner in owners for item in fragment(SNAPSHOT, owner, FACTS).values()]

    assert {item.path.rpartition("/")[2] for item in found if isinstance(item, File)} == {
        "hosts",
        "hostname",
        "resolv.conf",
    }
    assert not [item for item in found if isinstance(item, OverlayMount | Directory)]


def test_a_lent_namespace_looks_like_one_of_our_own_to_a_difference() -> None:
    assert diff(state(Namespace(PATH)), state(Namespace(PATH, GUEST))) == []


def test_only_a_lent_redirect_is_taken_away_by_itself_and_before_its_namespace() -> None:
    own, lent = ResolverRedirect(PATH, 5000), ResolverRedirect(PATH, 5000, lent=True)

    assert diff(state(Namespace(PATH), own), {}) == [Delete(Namespace(PATH))]
    assert diff(state(Namespace(PATH), lent), {}) == [Delete(lent), Delete(Namespace(PATH))]


def test_a_process_is_known_by_its_own_file() -> None:
    guest = Guest(77, "boot", pid=12, started=3)

    assert (guest.source, guest.spoken) == ("/proc/12/ns/net", "process 12")


def test_a_guest_is_stored_and_a_record_from_before_has_none() -> None:
    assert decode("containers", encode(CONTAINER)) == CONTAINER
    older = encode(CONTAINER).replace(b'"guest":', b'"something":')
    found = decode("containers", older)
    assert isinstance(found, Container)
    assert found.guest is None
