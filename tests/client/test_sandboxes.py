"""Namespaces of others as guests of our networks, beside containers, with the real docker command line."""

import contextlib
import json
import subprocess
from collections.abc import Iterator

import docker
import pytest

from tests.client import sandboxes
from tests.client.sandboxes import add, bridgehead, shown
from tests.support import guest
from tests.support.bridgehead import plan
from tests.support.census import census, leaks
from tests.support.daemon import Daemon
from tests.support.testhost import Host
from tests.support.wait import until

pytestmark = pytest.mark.host


@pytest.fixture
def lan(daemon: Daemon) -> Iterator[Daemon]:
    yield from sandboxes.lan(daemon)


def _gone(daemon: Daemon, name: str) -> None:
    until(lambda: daemon.call("GET", f"/sandboxes/{name}")[0] == 404, f"{name} gone", 5)


def _serve(host: Host, namespace: str, port: int, word: str) -> None:
    """A page that says hello from `word`."""
    folder = host.folder / word
    folder.mkdir(exist_ok=True)
    (folder / "index.html").write_text(f"hello from {word}")
    words = ["busybox", "httpd", "-f", "-p", str(port), "-h", folder]
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    host.popen(["nsenter", f"--net={namespace}", *words], **quiet)
    listening = f":{port} "
    until(lambda: listening in guest.run(host, namespace, "ss", "-ltn"), "a listener in there")


def _said(host: Host, namespace: str, url: str) -> str:
    return guest.run(host, namespace, "timeout", "3", "busybox", "wget", "-qO-", url, check=False)


def test_guest_and_container_reach_each_other_by_name(lan: Daemon) -> None:
    path = add(lan, "guest", "--network", "lan", "--network-alias", "visitor")

    address = shown(lan, "guest")["NetworkSettings"]["Networks"]["lan"]["IPAddress"]
    assert guest.addresses(lan.host, path, "eth0") == [address]
    assert guest.resolved(lan.host, path, "web") == ["10.60.0.10"]
    assert guest.resolved(lan.host, path, "guest") == [address]
    for name in ("guest", "visitor"):
        assert f"PING {name} ({address})" in lan.docker.ok("exec", "web", "ping", "-c1", "-W2", name)
    assert lan.docker.ok("inspect", "-f", "{{.Id}}", "web").startswith(
        _said(lan.host, path, "http://10.60.0.10/hostname").strip() or "nothing"
    )


def test_it_starts_with_a_loopback_and_connects_with_the_docker_command(lan: Daemon) -> None:
    path = add(lan, "guest")
    assert guest.links(lan.host, path) == ["lo"]
    assert shown(lan, "guest")["NetworkSettings"]["Networks"] == {}

    name = "com.docker.network.endpoint.ifname=lan7"
    lan.docker.ok("network", "connect", "--ip", "10.60.0.77", "--driver-opt", name, "lan", "guest")

    assert guest.addresses(lan.host, path, "lan7") == ["10.60.0.77"]
    assert guest.resolved(lan.host, path, "web") == ["10.60.0.10"]
    attached = json.loads(lan.docker.ok("network", "inspect", "lan"))[0]["Containers"]
    assert "guest" in {item["Name"] for item in attached.values()}
    assert "active endpoints" in lan.docker("network", "rm", "lan").err

    lan.docker.ok("network", "disconnect", "lan", "guest")

    assert guest.links(lan.host, path) == ["lo"]
    assert guest.rules(lan.host, path) == ""
    assert guest.run(lan.host, path, "ip", "route") == ""


def test_the_python_library_connects_it(lan: Daemon) -> None:
    path = add(lan, "guest")
    with contextlib.closing(docker.DockerClient(base_url=f"unix://{lan.socket}", timeout=20)) as client:
        network = client.networks.get("lan")

        network.connect("guest", aliases=["other"])
        found = client.containers.get("guest")

        assert (found.status, found.attrs["Config"]["Image"]) == ("running", "(namespace)")
        assert [item.name for item in client.containers.list(filters={"ancestor": "(namespace)"})] == [
            "guest"
        ]
        assert "eth0" in guest.links(lan.host, path)
        network.disconnect("guest")
        assert guest.links(lan.host, path) == ["lo"]


def test_a_published_port_leads_into_it(lan: Daemon) -> None:
    path = add(lan, "guest", "--network", "lan", "-p", "8080:80")
    _serve(lan.host, path, 80, "guest")

    assert "hello from guest" in lan.host.run("busybox", "wget", "-qO-", "http://127.0.0.1:8080/").stdout
    other = add(lan, "other", "--network", "lan")
    gateway = "10.60.0.1"
    assert "hello from guest" in _said(lan.host, other, f"http://{gateway}:8080/")
    assert "0.0.0.0:8080->80/tcp" in lan.docker.ok("ps", "--filter", "publish=8080", "--format", "{{.Ports}}")
    taken = lan.docker("run", "--rm", "-p", "8080:80", "busybox", "true")
    assert taken.code == 125
    assert "guest" in taken.err  # the holder

    bridgehead(lan, "sandbox", "rm", "guest")

    lan.docker.ok("run", "--rm", "-p", "8080:80", "busybox", "true")


def test_ports_come_with_the_first_network_that_leads_in(lan: Daemon) -> None:
    path = add(lan, "guest", "--expose", "80", "-P")
    _serve(lan.host, path, 80, "guest")
    assert shown(lan, "guest")["NetworkSettings"]["Ports"] == {"80/tcp": None}

    lan.docker.ok("network", "connect", "lan", "guest")

    port = shown(lan, "guest")["NetworkSettings"]["Ports"]["80/tcp"][0]["HostPort"]
    assert "hello from guest" in lan.host.run("busybox", "wget", "-qO-", f"http://127.0.0.1:{port}/").stdout


def test_links_lead_both_ways_between_containers_and_guests(lan: Daemon) -> None:
    """On the default bridge, whose members know no names: only links tell them."""
    path = add(lan, "source", "--network", "bridge", "--expose", "80")
    address = guest.addresses(lan.host, path, "eth0")[0]
    sleep = ("busybox", "sleep", "1000")
    lan.docker.ok("run", "-d", "--name", "user", "--link", "source:data", "--expose", "9", *sleep)

    told = lan.docker.ok("exec", "user", "sh", "-c", "cat /etc/hosts; env; ping -c1 -W2 data")
    assert f"{address}\tdata" in told
    assert f"DATA_PORT_80_TCP_ADDR={address}" in told

    add(lan, "recipient", "--network", "bridge", "--link", "user:back")
    hosts = lan.host.run("cat", shown(lan, "recipient")["HostsPath"]).stdout
    assert "\tback " in hosts


def test_new_links_give_private_names(lan: Daemon) -> None:
    path = add(lan, "guest", "--network", "lan", "--link", "web:page")

    assert guest.resolved(lan.host, path, "page") == ["10.60.0.10"]
    assert "can't find page" in lan.docker("exec", "web", "nslookup", "page.").out


def test_networks_are_isolated_for_it_too(lan: Daemon) -> None:
    lan.docker.ok("network", "create", "--internal", "--subnet", "10.61.0.0/24", "shut")
    path = add(lan, "guest", "--network", "shut")

    assert guest.run(lan.host, path, "ip", "route").splitlines()[0].startswith("10.61.0.0/24")
    assert _said(lan.host, path, "http://10.60.0.10/") == ""
    assert guest.resolved(lan.host, path, "web") == []


def test_the_list_of_containers_shows_what_it_is(lan: Daemon) -> None:
    path = add(lan, "guest", "--label", "kind=guest")

    line = lan.docker.ok(
        "ps", "--filter", "label=kind=guest", "--format", "{{.Image}} {{.Command}} {{.Names}}"
    )
    assert line == f'(namespace) "{path}" guest'
    assert json.loads(bridgehead(lan, "sandbox", "ls", "--format", "json"))["Netns"] == path
    seen = json.loads(lan.docker.ok("inspect", "guest"))[0]
    assert (seen["State"]["Running"], seen["Path"]) == (True, path)


def test_a_container_joins_its_network(lan: Daemon) -> None:
    path = add(lan, "guest", "--network", "lan")
    address = guest.addresses(lan.host, path, "eth0")[0]

    joined = ("run", "-d", "--name", "joiner", "--network", "container:guest", "busybox", "sleep", "1000")
    lan.docker.ok(*joined)

    told = lan.docker.ok("exec", "joiner", "sh", "-c", "ip -o -4 address show eth0; ping -c1 -W2 web")
    assert f"inet {address}/" in told
    assert "PING web (10.60.0.10)" in told
    bridgehead(lan, "sandbox", "rm", "guest")
    assert guest.links(lan.host, path) == ["lo"]
    status, said = lan.call("POST", "/sandboxes/create?name=again", {"Netns": path})
    assert (status, 'that of container "joiner"' in said["message"]) == (409, True), said
    lan.docker.ok("rm", "-f", "joiner")
    bridgehead(lan, "sandbox", "add", "again", "--netns", path, "--network", "lan")
    assert guest.links(lan.host, path) == ["eth0", "lo"]
    assert guest.rules(lan.host, path)


def test_it_joins_a_macvlan_network_and_leaves_it(lan: Daemon) -> None:
    lan.host.run("ip", "link", "add", "parent0", "type", "veth", "peer", "name", "wall0")
    try:
        options = ("-d", "macvlan", "-o", "parent=parent0", "--subnet", "10.64.0.0/24")
        lan.docker.ok("network", "create", *options, "street")
        path = add(lan, "guest", "--network", "street")
        assert guest.addresses(lan.host, path, "eth0")[0].startswith("10.64.0.")

        bridgehead(lan, "sandbox", "rm", "guest")

        assert guest.links(lan.host, path) == ["lo"]
    finally:
        lan.docker("network", "rm", "street")
        lan.host.run("ip", "link", "del", "parent0")


def test_prune_and_a_plain_remove_leave_it_and_force_lets_go(lan: Daemon) -> None:
    path = add(lan, "guest", "--network", "lan")
    guest.run(lan.host, path, "ip", "link", "add", "own0", "type", "bridge")

    lan.docker.ok("container", "prune", "-f")
    assert "bridgehead sandbox rm, or rm -f" in lan.docker("rm", "guest").err
    assert "eth0" in guest.links(lan.host, path)
    lan.docker.ok("rm", "-f", "guest")

    assert guest.links(lan.host, path) == ["lo", "own0"]
    assert guest.rules(lan.host, path) == ""
    assert lan.docker.ok("ps", "-aq", "--filter", "name=guest") == ""


def test_it_goes_with_its_namespace(lan: Daemon) -> None:
    lan.docker.ok("run", "--rm", "busybox", "true")
    before = census(lan)
    add(lan, "guest", "--network", "lan", "-p", "8080:80")

    lan.host.run("ip", "netns", "del", "guest")

    _gone(lan, "guest")
    until(lambda: leaks(before, census(lan)) == [], "nothing left of it")
    assert plan(lan) == []


def test_it_goes_with_its_process(lan: Daemon) -> None:
    pid = guest.process(lan.host, 10061)
    bridgehead(lan, "sandbox", "add", "guest", "--pid", str(pid), "--network", "lan")
    path = f"/proc/{pid}/ns/net"
    assert guest.resolved(lan.host, path, "web") == ["10.60.0.10"]
    assert (shown(lan, "guest")["Pid"], shown(lan, "guest")["Netns"]) == (pid, path)

    lan.host.kill(pid)

    _gone(lan, "guest")


def test_another_namespace_at_its_path_is_a_stranger(lan: Daemon) -> None:
    add(lan, "guest", "--network", "lan")

    lan.host.run("ip", "netns", "del", "guest")
    path = guest.make(lan.host, "guest")

    _gone(lan, "guest")
    assert guest.links(lan.host, path) == ["lo"]


def test_events_tell_its_life(lan: Daemon) -> None:
    since = lan.host.run("date", "+%s.%N").stdout.strip()
    add(lan, "guest", "--network", "lan")
    lan.host.run("ip", "netns", "del", "guest")

    def told() -> list[str]:
        now = lan.host.run("date", "+%s.%N").stdout.strip()
        words = ("events", "--since", since, "--until", now, "--format", "{{.Type}} {{.Action}}")
        return lan.docker.ok(*words).splitlines()

    until(lambda: "container destroy" in told(), "its last event")
    assert told() == [
        "container create",
        "network connect",
        "container start",
        "container die",
        "network disconnect",
        "container destroy",
    ]


def test_names_of_its_own_interfaces_are_left_to_it(lan: Daemon) -> None:
    path = guest.make(lan.host, "guest")
    guest.run(lan.host, path, "ip", "link", "add", "eth0", "type", "bridge")

    bridgehead(lan, "sandbox", "add", "guest", "--netns", path, "--network", "lan")

    assert guest.links(lan.host, path) == ["eth0", "eth1", "lo"]
    assert "bridge" in guest.run(lan.host, path, "ip", "-d", "link", "show", "eth0")


def test_rules_of_its_own_stay(lan: Daemon) -> None:
    path = guest.make(lan.host, "guest")
    guest.run(lan.host, path, "nft", "table ip own { chain c { type filter hook input priority 0; }; }")
    before = guest.rules(lan.host, path)
    bridgehead(lan, "sandbox", "add", "guest", "--netns", path, "--network", "lan")
    assert guest.resolved(lan.host, path, "web") == ["10.60.0.10"]

    bridgehead(lan, "sandbox", "rm", "guest")

    assert guest.rules(lan.host, path) == before


def test_what_it_is_given_comes_back_when_it_is_lost(lan: Daemon) -> None:
    path = add(lan, "guest", "--network", "lan")

    guest.run(lan.host, path, "ip", "link", "del", "eth0")

    until(lambda: guest.links(lan.host, path) == ["eth0", "lo"], "the interface is back")
    until(lambda: guest.resolved(lan.host, path, "web") == ["10.60.0.10"], "names are back")


def test_a_new_name_is_known_to_others(lan: Daemon) -> None:
    path = add(lan, "guest", "--network", "lan")

    lan.docker.ok("rename", "guest", "renamed")

    address = guest.addresses(lan.host, path, "eth0")[0]
    assert f"({address})" in lan.docker.ok("exec", "web", "ping", "-c1", "-W2", "renamed")
    assert shown(lan, "renamed")["Netns"] == path


def test_options_without_a_meaning_are_told(lan: Daemon) -> None:
    path = guest.make(lan.host, "guest")

    body = {"Netns": path, "Cmd": ["sh"], "HostConfig": {"Memory": 1 << 30}}
    status, said = lan.call("POST", "/sandboxes/create?name=guest", body)

    assert status == 201
    assert said["Warnings"] == [
        "Cmd has no effect on a sandbox that is no container",
        "Memory has no effect on a sandbox that is no container",
    ]
