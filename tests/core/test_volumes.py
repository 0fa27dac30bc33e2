"""What volumes may be called, and which of them a container gets, shares and leaves behind."""

from dataclasses import replace

import pytest

from bridgehead.core import volumes
from bridgehead.core.layout import Layout
from bridgehead.core.model.container import Bind, Container, ContainerSpec, ProcessSpec
from bridgehead.core.model.errors import BridgeheadError, InvalidParameter, NotFound, NotImplementedByDriver
from bridgehead.core.model.ids import ContainerID, ImageID, VolumeName
from bridgehead.core.model.requests import ContainerRequest
from bridgehead.core.model.snapshot import Snapshot
from bridgehead.core.model.volume import Volume, VolumeMount, VolumeMountRequest, VolumeRequest

LAYOUT = Layout("/data", "/exec")
DATA = Volume(VolumeName("data"), "")
MADE_UP = Volume(VolumeName("f" * 64), "", anonymous=True)


def container(name: str, *mounts: VolumeMount, binds: tuple[Bind, ...] = ()) -> Container:
    spec = ContainerSpec(ProcessSpec(("true",)), name, volumes=mounts, binds=binds)
    return Container(ContainerID(name), name, "", ImageID("sha256:0"), "image", spec)


def mount(volume: Volume, target: str = "/m", **words: bool) -> VolumeMount:
    return VolumeMount(volume.id, target, **words)


@pytest.mark.parametrize(
    ("request_", "error", "words"),
    [
        (VolumeRequest("-x"), InvalidParameter, "invalid characters"),
        (VolumeRequest("../etc"), InvalidParameter, "use absolute path"),
        (VolumeRequest("a"), InvalidParameter, "too short"),
        (VolumeRequest("a" * 256), InvalidParameter, "too long"),
        (VolumeRequest("aa", "nfs"), NotFound, 'plugin "nfs" not found'),
        (VolumeRequest("aa", options={"size": "1"}), InvalidParameter, 'invalid option: "size"'),
        (VolumeRequest("aa", options={"type": "nfs", "device": ":/x"}), NotImplementedByDriver, "'nfs'"),
        (VolumeRequest("aa", options={"o": "bind"}), InvalidParameter, "device"),
    ],
)
def test_volume_that_cannot_be_is_refused(
    request_: VolumeRequest, error: type[BridgeheadError], words: str
) -> None:
    with pytest.raises(error, match=words):
        volumes.checked(request_)


@pytest.mark.parametrize(
    "request_",
    [
        VolumeRequest(),
        VolumeRequest("my_data.1-x", "local"),
        VolumeRequest("aa", options={"o": "bind", "device": "/srv"}),
    ],
)
def test_volume_that_can_be_passes(request_: VolumeRequest) -> None:
    volumes.checked(request_)


def test_image_path_gets_a_volume_unless_something_is_mounted_there() -> None:
    request = ContainerRequest(
        "",
        "image",
        binds=(Bind("/srv", "/one"),),
        volumes=(VolumeMountRequest(VolumeRequest("data"), "/two/"),),
        tmpfs={"/three": ""},
        kept_paths=("/four",),
    )

    wished = volumes.wishes(request, ("/one/", "/two", "/three", "/four", "/five"))

    assert [(wish.volume.name, wish.target) for wish in wished] == [
        ("data", "/two/"),
        ("", "/four"),
        ("", "/five"),
    ]


def test_two_mounts_at_one_path_are_refused() -> None:
    request = ContainerRequest(
        "", "image", binds=(Bind("/srv", "/m"),), volumes=(VolumeMountRequest(VolumeRequest("data"), "/m/"),)
    )

    with pytest.raises(InvalidParameter, match="Duplicate mount point: /m/"):
        volumes.wishes(request, ())


def test_volumes_from_another_container_yield_to_own_mounts() -> None:
    lender = container("lender", mount(DATA), mount(MADE_UP, "/other"), binds=(Bind("/srv", "/srv"),))
    request = ContainerRequest(
        "", "image", volumes=(VolumeMountRequest(VolumeRequest("mine"), "/m"),), volumes_from=("lender:ro",)
    )

    lent = volumes.lent(Snapshot().put(lender), request)

    assert [(wish.volume.name, wish.target, wish.read_only) for wish in lent.volumes] == [
        ("mine", "/m", False),
        (MADE_UP.id, "/other", True),
    ]
    assert [(bind.source, bind.read_only) for bind in lent.binds] == [("/srv", True)]


def test_only_anonymous_volumes_that_nobody_else_has_leave_with_a_container() -> None:
    shared = replace(MADE_UP, id=VolumeName("e" * 64))
    first = container("first", mount(DATA), mount(MADE_UP, "/a"), mount(shared, "/b"))
    snapshot = Snapshot().put(DATA, MADE_UP, shared, first, container("second", mount(shared)))

    leaving = volumes.leaving_with(snapshot, first.id)

    assert leaving == [replace(MADE_UP, leaving=True)]


def test_volume_that_leaves_is_not_found() -> None:
    with pytest.raises(NotFound, match="get data: no such volume"):
        volumes.find(Snapshot().put(replace(DATA, leaving=True)), "data")


def test_runtime_mounts_the_volume_s_folder_or_the_folder_it_stands_for() -> None:
    named = Volume(VolumeName("named"), "", {"type": "none", "o": "bind,ro", "device": "/srv/x"})
    user = container("user", mount(DATA, "/a", read_only=True), mount(named, "/b"))

    binds = volumes.binds(Snapshot().put(DATA, named, user), user, LAYOUT)

    assert [(bind.source, bind.target, bind.read_only) for bind in binds] == [
        ("/data/volumes/data/_data", "/a", True),
        ("/srv/x", "/b", True),
    ]
