import ipaddress
from ipaddress import ip_address
from typing import Any

import pytest

from bridgehead.api.version import Version
from bridgehead.api.wire import body, container_request
from bridgehead.api.wire.container_body import CreateBody
from bridgehead.core.model.container import Bind, PortRequest, RestartPolicy
from bridgehead.core.model.errors import InvalidParameter, NotImplementedByDriver
from bridgehead.core.model.network import Link
from bridgehead.core.model.requests import ContainerRequest

NEW = Version(1, 48)


def request(document: dict[str, Any], version: Version = NEW) -> ContainerRequest:
    return container_request.request(*body.convert_keeping(document, CreateBody), "", version)


def _request(host: dict[str, Any] | None = None, **config: Any) -> ContainerRequest:
    return request({"Image": "x", **config, "HostConfig": host or {}})


@pytest.mark.parametrize(
    ("document", "field", "value"),
    [
        ({"Cmd": "one"}, "command", ("one",)),
        ({"Cmd": []}, "command", ()),
        ({"Cmd": None}, "command", None),
        ({"Entrypoint": ["a", "b"]}, "entrypoint", ("a", "b")),
        ({"StopTimeout": 0}, "stop_timeout_s", 0),
        ({}, "stop_timeout_s", None),
        ({"NetworkDisabled": True}, "network_mode", "none"),
        ({"HostConfig": {"NetworkMode": "default"}}, "network_mode", "bridge"),
        ({"HostConfig": {"Binds": ["/a:/b:ro,rslave"]}}, "binds", (Bind("/a", "/b", True, "rslave", True),)),
        (
            {"HostConfig": {"Mounts": [{"Type": "bind", "Source": "/a", "Target": "/b"}]}},
            "binds",
            (Bind("/a", "/b"),),
        ),
        (
            {
                "HostConfig": {
                    "Mounts": [
                        {"Type": "tmpfs", "Target": "/t", "TmpfsOptions": {"SizeBytes": 5, "Mode": 511}}
                    ]
                }
            },
            "tmpfs",
            {"/t": "size=5,mode=777"},
        ),
        ({"ExposedPorts": {"80": {}, "53-54/udp": None}}, "exposed_ports", ("80/tcp", "53/udp", "54/udp")),
        (
            {
                "HostConfig": {
                    "PortBindings": {"80/tcp": [{"HostIp": "::1", "HostPort": "8080"}], "90/tcp": []}
                }
            },
            "published_ports",
            (PortRequest("tcp", 80, ip_address("::1"), 8080, 8080), PortRequest("tcp", 90)),
        ),
        (
            {"HostConfig": {"RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 3}}},
            "restart",
            RestartPolicy("on-failure", 3),
        ),
        ({"MacAddress": "02-42-AC-11-00-02"}, "mac", "02:42:ac:11:00:02"),
    ],
    ids=str,
)
def test_what_was_asked_is_understood(document: dict[str, Any], field: str, value: object) -> None:
    assert value == getattr(request({"Image": "x", **document}), field)


def test_cpus_become_a_quota() -> None:
    limits = _request({"NanoCpus": 1_500_000_000, "PidsLimit": -1}).limits

    assert (limits.cpu_quota, limits.cpu_period, limits.pids) == (150_000, 100_000, 0)


def test_endpoints_and_links_become_wishes_and_what_is_said_twice_counts_once() -> None:
    asked = _request(
        {"NetworkMode": "own", "Links": ["db:data"]},
        NetworkingConfig={
            "EndpointsConfig": {
                "own": {"IPAMConfig": {"IPv4Address": "10.0.0.9"}, "Links": ["db:data"]},
                "default": None,
            }
        },
    )

    assert {"own", "bridge"} == set(asked.networks)
    assert (ipaddress.ip_address("10.0.0.9"),) == asked.networks["own"].addresses
    assert (Link("db", "data"),) == asked.networks["own"].links


def test_echoes_keep_what_is_not_understood() -> None:
    asked = request({"image": "x", "Odd": 1, "hostconfig": {"oddsize": 7, "MEMORY": 9, "Binds": None}})

    assert asked.config_echo == '{"Image":"x","Odd":1}'
    assert asked.host_config_echo == '{"oddsize":7,"Memory":9}'


def test_older_clients_may_name_one_endpoint_only() -> None:
    document = {"Image": "x", "NetworkingConfig": {"EndpointsConfig": {"a": {}, "b": {}}}}

    with pytest.raises(InvalidParameter, match="multiple network endpoints: a, b"):
        request(document, Version(1, 43))


@pytest.mark.parametrize(
    ("document", "error", "words"),
    [
        ({"Cmd": 7}, InvalidParameter, "Cmd: expected"),
        ({"HostConfig": {"Memory": 10**30}}, InvalidParameter, "HostConfig.Memory: expected"),
        ({"HostConfig": {"Memory": "1g"}}, InvalidParameter, "HostConfig.Memory: expected int, got str"),
        ({"ExposedPorts": {"abc": {}}}, InvalidParameter, 'invalid port specification: "abc"'),
        (
            {"HostConfig": {"PortBindings": {"80": [{"HostPort": "99999"}]}}},
            InvalidParameter,
            'invalid port specification: "99999"',
        ),
        ({"HostConfig": {"Binds": ["/a:"]}}, InvalidParameter, "invalid volume specification: '/a:'"),
        ({"Volumes": {"/": {}}}, InvalidParameter, "destination can't be '/'"),
        ({"HostConfig": {"Binds": ["/a:/b:odd"]}}, InvalidParameter, "invalid mode: odd"),
        ({"HostConfig": {"Binds": ["vol:b"]}}, InvalidParameter, "mount path must be absolute"),
        (
            {"HostConfig": {"Mounts": [{"Type": "cluster", "Target": "/b"}]}},
            NotImplementedByDriver,
            "'cluster'",
        ),
        ({"HostConfig": {"RestartPolicy": {"Name": "odd"}}}, InvalidParameter, "unknown policy 'odd'"),
        ({"MacAddress": "zz"}, InvalidParameter, "invalid MAC address: zz"),
    ],
    ids=str,
)
def test_what_makes_no_sense_is_refused(document: dict[str, Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words.replace("(", r"\(")):
        request({"Image": "x", **document})
