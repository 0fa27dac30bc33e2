from dataclasses import replace

import pytest

from bridgehead.core.container_rules import check
from bridgehead.core.model.container import Limits, RestartPolicy
from bridgehead.core.model.errors import InvalidParameter
from bridgehead.core.model.network import EndpointWish, Link
from bridgehead.core.model.requests import ContainerRequest

PLAIN = ContainerRequest("c1", "busybox")


def linked(mode: str) -> dict[str, object]:
    return {"network_mode": mode, "networks": {mode: EndpointWish(links=(Link("db", "db"),))}}


@pytest.mark.parametrize(
    "words",
    [
        {},
        {"limits": Limits(memory=6 << 20), "cap_add": ("ALL", "net_admin"), "cap_drop": ("CAP_KILL",)},
        {"auto_remove": True, "restart": RestartPolicy("no")},
        {"extra_hosts": ("up:host-gateway", "six:fe80::1"), "dns": ("1.1.1.1", "::1")},
        {"working_directory": "/tmp", "stop_signal": "RTMIN+3"},
        {"network_mode": "bridge", "links": (Link("db", "db"),)},
        linked("own"),
    ],
)
def test_what_docker_takes_is_taken(words: dict[str, object]) -> None:
    check(replace(PLAIN, **words))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ({"hostname": "h" * 65}, "is too long"),
        ({"limits": Limits(memory=1024)}, "6MB"),
        ({"auto_remove": True, "restart": RestartPolicy("always")}, "can't create 'AutoRemove'"),
        ({"cap_add": ("FLY",)}, 'invalid CapAdd: unknown capability: "FLY"'),
        ({"extra_hosts": ("db",)}, 'bad format for add-host: "db"'),
        ({"extra_hosts": ("db:nowhere",)}, 'invalid IP address in add-host: "nowhere"'),
        ({"dns": ("nine",)}, "invalid name server address: nine"),
        ({"working_directory": "here"}, "needs to be an absolute path"),
        ({"stop_signal": "FOO"}, "invalid signal: FOO"),
        (linked("host"), "host type networking can't be used with links"),
        (linked("none"), "none type networking can't be used with links"),
        (linked("container:db"), "container type network can't be used with links"),
    ],
)
def test_what_makes_no_sense_is_named(words: dict[str, object], sentence: str) -> None:
    with pytest.raises(InvalidParameter, match=sentence):
        check(replace(PLAIN, **words))  # type: ignore[arg-type]
