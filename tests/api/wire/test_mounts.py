"""`-v` and `--mount`, as clients send them."""

from typing import Any

import pytest

from bridgehead.api.wire import body, mounts
from bridgehead.api.wire.container_body import HostConfig
from bridgehead.core.model.container import Bind
from bridgehead.core.model.errors import InvalidParameter, NotImplementedByDriver
from bridgehead.core.model.volume import VolumeMountRequest, VolumeRequest


def host(document: dict[str, Any]) -> HostConfig:
    return body.convert(document, HostConfig)


@pytest.mark.parametrize(
    ("document", "volume"),
    [
        ({"Binds": ["data:/m"]}, VolumeMountRequest(VolumeRequest("data"), "/m")),
        (
            {"Binds": ["data:/m:ro,nocopy"], "VolumeDriver": "local"},
            VolumeMountRequest(VolumeRequest("data", "local"), "/m", read_only=True, populate=False),
        ),
        ({"Mounts": [{"Type": "volume", "Target": "/m"}]}, VolumeMountRequest(VolumeRequest(), "/m")),
        (
            {
                "Mounts": [
                    {
                        "Type": "volume",
                        "Source": "data",
                        "Target": "/m",
                        "ReadOnly": True,
                        "VolumeOptions": {
                            "NoCopy": True,
                            "Labels": {"a": "b"},
                            "DriverConfig": {"Name": "local", "Options": {"o": "bind"}},
                        },
                    }
                ]
            },
            VolumeMountRequest(
                VolumeRequest("data", "local", {"o": "bind"}, {"a": "b"}),
                "/m",
                read_only=True,
                populate=False,
            ),
        ),
    ],
)
def test_volumes_are_told_from_folders(document: dict[str, Any], volume: VolumeMountRequest) -> None:
    asked = host(document)

    assert mounts.volumes(asked) == (volume,)
    assert mounts.binds(asked) == ()


def test_path_alone_is_kept_in_a_volume_of_its_own() -> None:
    asked = host({"Binds": ["/one", "/src:/dst"]})

    assert mounts.kept_paths(asked, {"/two": {}}) == ("/two", "/one")
    assert mounts.binds(asked) == (Bind("/src", "/dst", create_source=True),)


def test_bind_may_ask_for_its_source_to_be_made() -> None:
    mount = {"Type": "bind", "Source": "/s", "Target": "/t", "BindOptions": {"CreateMountpoint": True}}

    assert mounts.binds(host({"Mounts": [mount]})) == (Bind("/s", "/t", create_source=True),)


@pytest.mark.parametrize(
    ("document", "error", "words"),
    [
        ({"Binds": ["data:/m:rshared"]}, InvalidParameter, "no propagation"),
        (
            {"Mounts": [{"Type": "volume", "Target": "/m", "VolumeOptions": {"Subpath": "a"}}]},
            NotImplementedByDriver,
            "subpath",
        ),
        ({"Mounts": [{"Type": "volume", "Target": "m"}]}, InvalidParameter, "must be absolute"),
    ],
)
def test_volume_that_makes_no_sense_is_refused(
    document: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        mounts.volumes(host(document))


def test_temporary_file_system_has_no_source() -> None:
    with pytest.raises(InvalidParameter, match="Source must not be specified"):
        mounts.tmpfs(host({"Mounts": [{"Type": "tmpfs", "Source": "x", "Target": "/t"}]}))
