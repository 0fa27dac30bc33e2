"""What stands before a line of a log when details are asked for."""

import json

import pytest

from bridgehead.api.wire.log_details import details
from bridgehead.core.model.container import Container, ContainerSpec, ProcessSpec
from bridgehead.core.model.ids import ContainerID, ImageID

SPEC = ContainerSpec(
    ProcessSpec(("true",), environment=("COLOUR=light red", "PATH=/bin", "EMPTY=")),
    "host",
    labels={"tier": "back", "team": "a,b"},
)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (None, b" "),
        ({}, b" "),
        ({"labels": "tier"}, b"tier=back "),
        ({"labels": "tier,missing", "env": "COLOUR"}, b"COLOUR=light+red,tier=back "),
        ({"labels-regex": "^te"}, b"team=a%2Cb "),
        ({"env-regex": "^E"}, b"EMPTY= "),
        ({"env-regex": "("}, b" "),
    ],
)
def test_kept_labels_and_variables_are_told(options: dict[str, str] | None, expected: bytes):
    echo = json.dumps({"LogConfig": {"Type": "json-file", "Config": options}})
    container = Container(ContainerID("c"), "box", "", ImageID("i"), "busybox", SPEC, host_config_echo=echo)

    assert details(container) == expected
