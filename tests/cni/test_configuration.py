"""What a configuration, the runtime's additions to it and CNI_ARGS come to."""

import json
from typing import Any

import pytest

from bridgehead.cni.configuration import Configuration, Names, configuration
from bridgehead.cni.request import parse
from bridgehead.cni.sandboxes import bindings
from tests.cni.asking import CONTAINER, configured, environment

_TEXT = json.dumps


def wanted(arguments: str = "", **fields: Any) -> Configuration:
    given = environment("ADD", CNI_ARGS=arguments)
    return configuration(parse(given, _TEXT(configured(**fields)).encode()))


def test_bare_configuration_means_the_network_of_its_name() -> None:
    found = wanted()

    assert (found.name, found.network, found.sandbox) == ("backend", "backend", CONTAINER)
    assert found.socket == "/run/bridgehead/bridgehead.sock"
    assert found.create is None
    assert not any((found.aliases, found.ports, found.ipv4, found.ipv6, found.mac, found.labels))


def test_network_and_socket_are_named_apart() -> None:
    found = wanted(network="lan", socket="unix:///run/other.sock", create={"Internal": True})

    assert (found.name, found.network, found.socket) == ("backend", "lan", "/run/other.sock")
    assert found.create == {"Internal": True}


@pytest.mark.parametrize(
    ("arguments", "name", "aliases"),
    [
        ("", CONTAINER, ()),
        ("K8S_POD_NAME=web", "web", ()),
        ("IgnoreUnknown=1;K8S_POD_NAME=web;COLOUR=red", "web", ()),
        ("K8S_POD_NAME=w", CONTAINER, ("w",)),
        ("K8S_POD_NAMESPACE=shop;K8S_POD_NAME=web", "web.shop", ("web",)),
    ],
)
def test_names_of_a_container(arguments: str, name: str, aliases: tuple[str, ...]) -> None:
    found = wanted(arguments)

    assert (found.sandbox, found.aliases) == (name, aliases)


@pytest.mark.parametrize("aliases", [["db", "primary"], {"backend": ["db", "primary"], "lan": ["other"]}])
def test_aliases_as_a_list_and_as_podman_sends_them(aliases: Any) -> None:
    assert wanted(runtimeConfig={"aliases": aliases}).aliases == ("db", "primary")


@pytest.mark.parametrize(
    ("arguments", "fields"),
    [
        ("IP=10.1.0.7;MAC=02:00:00:00:00:07", {}),
        ("IP=10.9.9.9", {"args": {"cni": {"ips": ["10.1.0.7/16"], "mac": "02:00:00:00:00:07"}}}),
        (
            "IP=10.9.9.9;MAC=02:00:00:00:00:09",
            {
                "args": {"cni": {"ips": ["10.8.8.8"]}},
                "runtimeConfig": {"ips": ["10.1.0.7/16"], "mac": "02:00:00:00:00:07"},
            },
        ),
    ],
)
def test_address_comes_from_the_nearest_place(arguments: str, fields: dict[str, Any]) -> None:
    found = wanted(arguments, **fields)

    assert (found.ipv4, found.ipv6, found.mac) == ("10.1.0.7", "", "02:00:00:00:00:07")


def test_one_address_of_each_family() -> None:
    found = wanted(runtimeConfig={"ips": ["fd00::7/64", "10.1.0.7/16"]})

    assert (found.ipv4, found.ipv6) == ("10.1.0.7", "fd00::7")


def test_port_mappings_become_bindings() -> None:
    mappings = [
        {"hostPort": 8080, "containerPort": 80, "protocol": "tcp"},
        {"hostPort": 8081, "containerPort": 80, "hostIP": "127.0.0.1"},
        {"hostPort": 53, "containerPort": 53, "protocol": "UDP", "hostIP": "::1"},
    ]

    found = wanted(runtimeConfig={"portMappings": mappings})

    assert bindings(found) == {
        "80/tcp": [{"HostIp": "", "HostPort": "8080"}, {"HostIp": "127.0.0.1", "HostPort": "8081"}],
        "53/udp": [{"HostIp": "::1", "HostPort": "53"}],
    }
    assert [str(port) for port in found.ports] == ["8080:80/tcp", "127.0.0.1:8081:80/tcp", "[::1]:53:53/udp"]


def test_name_servers_of_the_configuration_and_of_the_pod() -> None:
    static = {"nameservers": ["10.0.0.1"], "domain": "a.test", "options": ["ndots:2"]}
    runtime = {"servers": ["10.0.0.2"], "searches": ["b.test", "c.test"], "options": []}

    assert wanted(dns=static).names == Names(("10.0.0.1",), ("a.test",), ("ndots:2",))
    assert wanted(dns=static, runtimeConfig={"dns": runtime}).names == Names(
        ("10.0.0.2",), ("b.test", "c.test"), ("ndots:2",)
    )


def test_labels() -> None:
    assert wanted(args={"cni": {"labels": [{"key": "app", "value": "web"}]}}).labels == {"app": "web"}
