"""What is refused of namespaces of others: requests that cannot be, and verbs that need a process of ours."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.client import sandboxes
from tests.client.sandboxes import add, bridgehead, shown
from tests.support import guest
from tests.support.census import census, leaks
from tests.support.daemon import Daemon
from tests.support.wait import until

pytestmark = pytest.mark.host


@pytest.fixture
def lan(daemon: Daemon) -> Iterator[Daemon]:
    yield from sandboxes.lan(daemon)


@pytest.mark.parametrize(
    "words",
    [
        ("start", "guest"),
        ("stop", "guest"),
        ("restart", "guest"),
        ("kill", "guest"),
        ("pause", "guest"),
        ("unpause", "guest"),
        ("exec", "guest", "true"),
        ("attach", "guest"),
        ("logs", "guest"),
        ("top", "guest"),
        ("wait", "guest"),
        ("commit", "guest", "image"),
        ("cp", "guest:/etc", "-"),
        ("cp", "/etc/passwd", "guest:/etc"),
        ("export", "guest"),
        ("diff", "guest"),
        ("stats", "--no-stream", "guest"),
        ("update", "--pids-limit", "5", "guest"),
    ],
    ids=lambda words: "-".join(words[:2]).replace("/", ""),
)
def test_what_needs_a_process_of_ours_is_refused(lan: Daemon, words: tuple[str, ...]) -> None:
    path = add(lan, "guest")

    answer = lan.docker(*words)

    assert answer.code != 0
    assert f"no container but a sandbox for the network namespace of {path}" in answer.err
    assert shown(lan, "guest")["Name"] == "guest"


@pytest.mark.parametrize(
    ("query", "body", "status", "sentence"),
    [
        ("taken", {"Netns": "/run/netns/second"}, 409, '"/taken" is already in use'),
        ("new", {"Netns": "/run/netns/taken"}, 409, 'already is sandbox "taken"'),
        ("new", {"Netns": "/proc/1/ns/net"}, 409, "the daemon's own network namespace"),
        ("new", {"Pid": 1}, 409, "the daemon's own network namespace"),
        ("new", {"Netns": "/run/netns/none"}, 400, "No such file"),
        ("new", {"Netns": "/etc/passwd"}, 400, "is no network namespace"),
        ("new", {"Netns": "/proc/1/ns/uts"}, 400, "is no network namespace"),
        ("new", {"Netns": "relative"}, 400, "must be absolute"),
        ("new", {"Pid": 999999}, 400, "no process 999999"),
        ("new", {"Pid": -1}, 400, "no process -1"),
        ("new", {}, 400, "a path or a process id"),
        ("new", {"Netns": "/run/netns/second", "Pid": 1}, 400, "one of the two"),
        ("", {"Netns": "/run/netns/second"}, 400, "needs a name"),
        ("new", {"Netns": "/run/netns/second", "HostConfig": {"NetworkMode": "host"}}, 400, "host"),
        ("new", {"Netns": "/run/netns/second", "HostConfig": {"NetworkMode": "container:web"}}, 400, "web"),
        ("new", {"Netns": "/run/netns/second", "HostConfig": {"NetworkMode": "nowhere"}}, 404, "nowhere"),
        ("new", {"Netns": "/run/netns/second", "HostConfig": {"Links": ["web"]}}, 400, "need a network"),
        ("new", {"Netns": 5}, 400, "Netns"),
    ],
)
def test_a_bad_request_names_what_is_wrong_and_changes_nothing(
    lan: Daemon, query: str, body: dict[str, Any], status: int, sentence: str
) -> None:
    add(lan, "taken")
    second = guest.make(lan.host, "second")
    before = census(lan)

    answered, said = lan.call("POST", f"/v1.48/sandboxes/create?name={query}", body)

    assert (answered, sentence in said["message"]) == (status, True), said
    assert leaks(before, census(lan)) == []
    assert guest.links(lan.host, second) == ["lo"]


def test_a_containers_namespace_is_no_guest(lan: Daemon) -> None:
    pid = lan.docker.ok("inspect", "-f", "{{.State.Pid}}", "web")

    answered, said = lan.call("POST", "/sandboxes/create?name=new", {"Pid": int(pid)})

    assert (answered, 'is that of container "web"' in said["message"]) == (409, True), said


@pytest.mark.parametrize(
    ("there", "sentence"),
    [
        (("ip", "link", "add", "eth0", "type", "bridge"), "interface named eth0"),
        (("nft", "table ip bridgehead { chain own { accept; }; }"), "nftables table of its own"),
    ],
    ids=["interface", "table"],
)
def test_what_stands_in_the_way_inside_is_named_and_stays(
    lan: Daemon, there: tuple[str, ...], sentence: str
) -> None:
    path = add(lan, "guest")
    guest.run(lan.host, path, *there)
    before = guest.links(lan.host, path), guest.rules(lan.host, path)

    name = "com.docker.network.endpoint.ifname=eth0"
    answer = lan.docker("network", "connect", "--driver-opt", name, "lan", "guest")

    assert sentence in answer.err
    assert path in answer.err
    assert "/run/bridgehead/netns" not in answer.err
    until(lambda: (guest.links(lan.host, path), guest.rules(lan.host, path)) == before, "all as before")
    assert shown(lan, "guest")["NetworkSettings"]["Networks"] == {}
    bridgehead(lan, "sandbox", "rm", "guest")
    assert (guest.links(lan.host, path), guest.rules(lan.host, path)) == before
