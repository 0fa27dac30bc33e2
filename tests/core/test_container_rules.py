from dataclasses import replace
from ipaddress import ip_address
from typing import Any

import pytest

from bridgehead.core.container_rules import check
from bridgehead.core.model.container import Limits, PortRequest, RestartPolicy
from bridgehead.core.model.errors import InvalidParameter
from bridgehead.core.model.network import EndpointWish, Link
from bridgehead.core.model.requests import ContainerRequest

PLAIN = ContainerRequest("c1", "busybox")


def linked(mode: str) -> dict[str, object]:
    return {"network_mode": mode, "networks": {mode: EndpointWish(links=(Link("db", "db"),))}}


JOINING: dict[str, object] = {"network_mode": "container:db"}


def joined(**wish: Any) -> dict[str, object]:
    return {**JOINING, "networks": {"container:db": EndpointWish(**wish)}}


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
        {"network_mode": "container:db", "dns_search": ("example.org",)},
        joined(),
        {"network_mode": "none", "mac": "02:42:ac:11:00:99"},
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
        ({"network_mode": "container:"}, "invalid container format container:<name|id>"),
        ({"network_mode": "container"}, "invalid container format container:<name|id>"),
        ({**JOINING, "hostname": "own"}, "conflicting options: hostname and the network mode"),
        ({**JOINING, "dns": ("1.1.1.1",)}, "conflicting options: dns and the network mode"),
        ({**JOINING, "extra_hosts": ("db:10.0.0.7",)}, "custom host-to-IP mapping and the network mode"),
        ({**JOINING, "publish_all": True}, "port publishing and the container type network mode"),
        ({**JOINING, "published_ports": (PortRequest("tcp", 80),)}, "port publishing and the container"),
        ({**JOINING, "exposed_ports": ("80/tcp",)}, "port exposing and the container type network mode"),
        ({**JOINING, "mac": "02:42:ac:11:00:99"}, "mac-address and the network mode"),
        ({"network_mode": "host", "mac": "02:42:ac:11:00:99"}, "mac-address and the network mode"),
        (joined(mac="02:42:ac:11:00:99"), "mac-address and the network mode"),
        (joined(aliases=("db",)), "network-scoped aliases are only supported for user-defined networks"),
        (joined(addresses=(ip_address("10.0.0.7"),)), "user specified IP address is supported on user"),
        (joined(gateway_priority=1), "endpoint options and the network mode"),
        ({**JOINING, "networks": {"own": EndpointWish()}}, "cannot be connected to any other network"),
    ],
)
def test_what_makes_no_sense_is_named(words: dict[str, object], sentence: str) -> None:
    with pytest.raises(InvalidParameter, match=sentence):
        check(replace(PLAIN, **words))  # type: ignore[arg-type]
