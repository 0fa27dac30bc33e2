"""How a container's files are seen from outside of it."""

from bridgehead.core import roots
from bridgehead.core.layout import Layout
from bridgehead.core.model.container import (
    Bind,
    Container,
    ContainerSpec,
    ContainerState,
    Image,
    ProcessSpec,
    Status,
)
from bridgehead.core.model.ids import ContainerID, ImageID
from bridgehead.core.model.snapshot import Snapshot

LAYOUT = Layout("/data", "/exec")
IMAGE = Image(ImageID("sha256:i"), ("sha256:low", "sha256:high"))


def container(status: Status = Status.EXITED, **spec) -> Container:
    made = ContainerSpec(ProcessSpec(("true",), user="nobody"), "host", **spec)
    return Container(ContainerID("c"), "box", "", IMAGE.id, "busybox", made, state=ContainerState(status))


def test_the_root_stands_on_the_images_layers():
    found = roots.mount(Snapshot().put(IMAGE), container(), LAYOUT)

    assert found.lower == ("/data/layers/low", "/data/layers/high")
    assert (found.target, found.upper, found.work) == (
        "/data/containers/c/rootfs",
        "/data/containers/c/upper",
        "/data/containers/c/work",
    )


def test_a_paused_container_runs_and_a_restarting_one_does_not():
    snapshot = Snapshot().put(IMAGE)

    running = {status: roots.bare(snapshot, container(status), LAYOUT).running for status in Status}

    assert {status for status, is_so in running.items() if is_so} == {Status.RUNNING, Status.PAUSED}


def test_a_bare_view_has_nothing_mounted():
    view = roots.bare(Snapshot().put(IMAGE), container(binds=(Bind("/a", "/b"),)), LAYOUT)

    assert (view.binds, view.files, view.read_only) == ((), {}, False)


def test_a_furnished_view_has_binds_and_our_own_files_but_for_those_a_bind_replaces():
    binds = (Bind("/a", "/etc/hosts", read_only=True),)

    view = roots.furnished(
        Snapshot().put(IMAGE), container(binds=binds, read_only_rootfs=True), LAYOUT, "/data/containers/x"
    )

    assert view.binds == binds
    assert view.files == {
        "/etc/hostname": "/data/containers/x/hostname",
        "/etc/resolv.conf": "/data/containers/x/resolv.conf",
    }
    assert (view.read_only, view.user) == (True, "nobody")
