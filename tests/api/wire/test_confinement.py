"""Create options about confinement, as clients send them."""

from typing import Any

import pytest

from bridgehead.api.wire import body
from bridgehead.api.wire.confinement import confinement
from bridgehead.api.wire.container_body import HostConfig
from bridgehead.core.model.confinement import Confinement, DeviceWish, Ulimit
from bridgehead.core.model.errors import InvalidParameter, NotImplementedByDriver


def parsed(document: dict[str, Any]) -> Confinement:
    return confinement(body.convert(document, HostConfig))


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({}, Confinement()),
        ({"IpcMode": "private", "Init": None}, Confinement()),
        (
            {"PidMode": "host", "UTSMode": "host", "IpcMode": "host"},
            Confinement(pid="host", ipc="host", uts="host"),
        ),
        ({"PidMode": "container:x"}, Confinement(pid="container:x")),
        (
            {"Ulimits": [{"Name": "NOFILE", "Soft": 1, "Hard": -1}]},
            Confinement(ulimits=(Ulimit("nofile", 1, -1),)),
        ),
        (
            {"Devices": [{"PathOnHost": "/dev/fuse", "PathInContainer": "/dev/f", "CgroupPermissions": "r"}]},
            Confinement(devices=(DeviceWish("/dev/fuse", "/dev/f", "r"),)),
        ),
        ({"Devices": [{"PathOnHost": "/dev/a"}]}, Confinement(devices=(DeviceWish("/dev/a", "/dev/a"),))),
        (
            {"SecurityOpt": ["no-new-privileges", "seccomp=unconfined", "apparmor=unconfined"]},
            Confinement(no_new_privileges=True, all_system_calls=True),
        ),
        (
            {"OomScoreAdj": -5, "ShmSize": 1, "GroupAdd": ["9"]},
            Confinement(oom_score_adjustment=-5, shm_size=1, groups=("9",)),
        ),
        ({"Init": True, "Runtime": "runc", "UsernsMode": "host"}, Confinement(init=True)),
    ],
)
def test_options_are_understood(document: dict[str, Any], expected: Confinement) -> None:
    assert parsed(document) == expected


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"PidMode": "odd"}, "invalid PID mode: odd"),
        ({"UTSMode": "container:x"}, "UTS namespace of another container"),
        ({"Ulimits": [{"Name": "core", "Soft": 2, "Hard": 1}]}, "soft limit must be less"),
        ({"Ulimits": [{"Name": "core", "Soft": -1, "Hard": 1}]}, "soft limit must be less"),
        ({"Devices": [{"PathOnHost": "/dev/a", "CgroupPermissions": "x"}]}, "invalid device mode: x"),
        ({"DeviceRequests": [{"Count": -1, "Capabilities": [["gpu"]]}]}, r"with capabilities: \[\[gpu\]\]"),
        ({"StorageOpt": {"size": "1G"}}, "--storage-opt is not supported"),
        ({"UsernsMode": "odd"}, "invalid user namespace mode"),
        ({"LogConfig": {"Type": "odd"}}, "no log driver named 'odd' is registered"),
        ({"Runtime": "kata"}, "unknown or invalid runtime name: kata"),
        ({"SecurityOpt": ["odd"]}, "invalid --security-opt"),
        ({"SecurityOpt": ["seccomp={}"]}, "knows only unconfined"),
        ({"OomScoreAdj": 1001}, "range for oom score adj"),
        ({"ShmSize": -1}, "SHM size can not be less than 0"),
    ],
)
def test_option_that_makes_no_sense_is_refused(document: dict[str, Any], words: str) -> None:
    with pytest.raises((InvalidParameter, NotImplementedByDriver), match=words):
        parsed(document)
