import json
from typing import Any

import pytest

from tests.cli.scripted import says


def _sandbox(name: str, netns: str, **networks: tuple[str, str]) -> dict[str, Any]:
    attached = {key: {"IPAddress": ipv4, "GlobalIPv6Address": ipv6} for key, (ipv4, ipv6) in networks.items()}
    return {
        "Id": name * 20,
        "Name": name,
        "Netns": netns,
        "Pid": 0,
        "Labels": {"a": "b"},
        "Created": "2026-01-02T03:04:05Z",
        "NetworkSettings": {"Networks": attached},
    }


def test_add_says_where_the_namespace_is_and_what_was_asked_of_it(daemon, bridgehead):
    daemon.on("POST", "/sandboxes/create", says({"Id": "f" * 64, "Warnings": ["mind"]}, 201))

    outcome = bridgehead(
        *("sandbox", "add", "guest", "--netns", "/run/netns/g", "-p", "8080:80", "--expose", "9", "-P"),
        *("--dns", "10.0.0.1", "--label", "a=b", "--network", "lan", "--ip", "10.0.0.9", "--link", "db:data"),
    )

    assert (outcome.code, outcome.out, outcome.err) == (0, "f" * 64 + "\n", "WARNING: mind\n")
    asked = daemon.asked[0]
    assert asked.query["name"] == ["guest"]
    assert asked.json["Netns"] == "/run/netns/g"
    assert "Pid" not in asked.json
    assert asked.json["ExposedPorts"] == {"9/tcp": {}, "80/tcp": {}}
    host = asked.json["HostConfig"]
    assert host["NetworkMode"] == "lan"
    assert host["PortBindings"] == {"80/tcp": [{"HostIp": "", "HostPort": "8080"}]}
    assert (host["PublishAllPorts"], host["Dns"], host["Links"]) == (True, ["10.0.0.1"], ["db:data"])
    endpoint = asked.json["NetworkingConfig"]["EndpointsConfig"]["lan"]
    assert endpoint["IPAMConfig"] == {"IPv4Address": "10.0.0.9"}


def test_add_without_a_network_asks_for_none(daemon, bridgehead):
    daemon.on("POST", "/sandboxes/create", says({"Id": "f" * 64, "Warnings": []}, 201))

    assert bridgehead("sandbox", "add", "guest", "--pid", "123").code == 0

    asked = daemon.asked[0].json
    assert (asked["Pid"], asked["HostConfig"]["NetworkMode"]) == (123, "")
    assert asked["NetworkingConfig"]["EndpointsConfig"] == {}


@pytest.mark.parametrize(
    "wish",
    [
        ("--ip", "10.0.0.9"),
        ("--ip6", "fd00::9"),
        ("--link-local-ip", "169.254.0.9"),
        ("--mac-address", "02:00:00:00:00:09"),
        ("--network-alias", "db"),
    ],
    ids=lambda wish: wish[0],
)
def test_what_belongs_to_a_network_is_not_dropped_without_one(daemon, bridgehead, wish):
    outcome = bridgehead("sandbox", "add", "guest", "--pid", "123", *wish)

    assert (outcome.code, "--network" in outcome.err) == (125, True), outcome.err
    assert daemon.asked == []


def test_add_needs_one_namespace(daemon, bridgehead):
    for words in ((), ("--netns", "/a", "--pid", "1")):
        outcome = bridgehead("sandbox", "add", "guest", *words)
        assert (outcome.code, outcome.err) == (
            125,
            "say which network namespace: --netns PATH or --pid PID\n",
        )
    assert daemon.asked == []


def test_ls_shows_where_they_are(daemon, bridgehead):
    found = [_sandbox("bb", "/run/netns/b"), _sandbox("aa", "/proc/5/ns/net", lan=("10.0.0.2", "fd00::2"))]
    daemon.on("GET", "/sandboxes", says(found))

    assert bridgehead("sandbox", "ls").out == (
        "SANDBOX ID     NAME      NAMESPACE        NETWORKS\n"
        "aaaaaaaaaaaa   aa        /proc/5/ns/net   lan 10.0.0.2 fd00::2\n"
        "bbbbbbbbbbbb   bb        /run/netns/b     \n"
    )
    assert bridgehead("sandbox", "ls", "-q", "--no-trunc").out == "a" * 40 + "\n" + "b" * 40 + "\n"
    shown = bridgehead("sandbox", "ls", "--format", "json").out.splitlines()
    assert json.loads(shown[0])["Networks"] == "lan"
    assert bridgehead("sandbox", "ls", "--format", "{{.Name}} {{.Labels}}").out == "aa a=b\nbb a=b\n"


def test_inspect_and_rm_go_on_after_an_error(daemon, bridgehead):
    daemon.on("GET", "/sandboxes/aa", says(_sandbox("aa", "/run/netns/a")))
    daemon.on("DELETE", "/sandboxes/aa", says(None, 204))

    assert json.loads(bridgehead("sandbox", "inspect", "aa").out)[0]["Name"] == "aa"
    outcome = bridgehead("sandbox", "rm", "nope", "aa")
    assert (outcome.code, outcome.out) == (1, "aa\n")
    assert bridgehead("sandbox", "rm", "-f", "nope").code == 0
