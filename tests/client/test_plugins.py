"""Plugins as a user meets them: what they refuse, when they are away, and what they leave to us."""

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.bridgehead import bridgehead
from tests.support.daemon import Daemon
from tests.support.example_plugin import NOTHING, ExamplePlugin
from tests.support.testhost import Host
from tests.support.wait import until

pytestmark = pytest.mark.host

ROOT = Path(__file__).parents[2]
_ADDRESS = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
# A network driver that connects nobody with the world, and leaves that to the engine or not.
_LONELY = """
import subprocess, sys
from bridgehead.plugin import *

class Lonely(NetworkDriver):
    def create_network(self, request): pass
    def delete_network(self, request): pass
    def create_endpoint(self, request): pass
    def delete_endpoint(self, request): pass
    def join(self, request):
        names = "l" + request.endpoint_id[:8], "i" + request.endpoint_id[:8]
        subprocess.run(["ip", "link", "add", names[0], "type", "veth", "peer", "name", names[1]], check=True)
        return Joined(interface_name=InterfaceName(src_name=names[1], dst_prefix="lo"),
                      disable_gateway_service=sys.argv[1] == "shut")
    def leave(self, request):
        subprocess.run(["ip", "link", "delete", "l" + request.endpoint_id[:8]], check=True)
    def endpoint_oper_info(self, request):
        return OperInfo(value={"vlan": 7})

serve(Lonely(), name=sys.argv[1])
"""


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Daemon, ExamplePlugin]]:
    with Host("plugged") as host, bridgehead(host) as daemon:
        plugin = ExamplePlugin(host)
        for name in ("open", "shut"):
            host.popen([sys.executable, "-c", _LONELY, name], cwd=ROOT)
            until((host.root / f"run/docker/plugins/{name}.sock").exists, f"plugin {name}", limit_s=20)
        daemon.import_image()
        yield daemon, plugin


def test_an_unknown_driver_is_refused_at_once_with_the_folders_that_were_looked_in(
    served: tuple[Daemon, ExamplePlugin],
) -> None:
    daemon, _ = served
    begun = time.monotonic()

    drivers = daemon.docker("network", "create", "-d", "nosuch", "x")
    addresses = daemon.docker("network", "create", "--ipam-driver", "nosuch", "x")

    assert time.monotonic() - begun < 5  # dockerd takes 15 s for each
    for refusal, built_in in ((drivers, "bridge, host"), (addresses, "default, null")):
        assert refusal.code == 1
        assert 'plugin "nosuch" not found' in refusal.err
        assert built_in in refusal.err
        assert "looked for nosuch.sock in /run/docker/plugins" in refusal.err
    assert "x" not in daemon.docker.ok("network", "ls", "--format", "{{.Name}}").split()


def test_addresses_of_a_plugin_on_a_bridge_of_ours(served: tuple[Daemon, ExamplePlugin]) -> None:
    daemon, plugin = served
    docker = daemon.docker

    docker.ok("network", "create", "--ipam-driver", "simple", "--subnet", "10.88.0.0/24", "mixed")
    web = ("-p", "8088:80", "busybox", "httpd", "-f", "-h", "/etc")
    docker.ok("run", "-d", "--name", "web", "--network", "mixed", "--ip", "10.88.0.50", *web)
    docker.ok("run", "-d", "--name", "other", "--network", "mixed", "busybox", "sleep", "1000")

    assert docker.ok("inspect", "-f", _ADDRESS, "web") == "10.88.0.50"
    taken = plugin.kept()["pools"]["10.88.0.0/24"]["addresses"]
    assert {"10.88.0.1", "10.88.0.50", docker.ok("inspect", "-f", _ADDRESS, "other")} == set(taken)
    docker.ok("exec", "other", "ping", "-c", "1", "-W", "5", "web")
    fetched = daemon.host.run("busybox", "wget", "-qO-", "http://127.0.0.1:8088/hostname", check=False)
    assert fetched.returncode == 0
    refused = docker("run", "--rm", "--network", "mixed", "--ip", "10.88.0.50", "busybox", "true")
    assert "10.88.0.50 belongs to" in refused.err
    docker.ok("rm", "-f", "web", "other")
    docker.ok("network", "rm", "mixed")
    assert plugin.kept() == NOTHING


def test_a_network_waits_visibly_for_its_plugin_and_comes_back_with_it(
    fresh_daemon: Daemon,
) -> None:
    daemon, plugin = fresh_daemon, ExamplePlugin(fresh_daemon.host)
    docker = daemon.docker
    docker.ok("network", "create", "-d", "simple", "--ipam-driver", "simple", "demo")
    docker.ok("run", "-d", "--name", "one", "--network", "demo", "busybox", "sleep", "1000")
    docker.ok("run", "-d", "--name", "two", "--network", "demo", "busybox", "sleep", "1000")
    plugin.stop()
    daemon.kill()
    daemon.start()

    def status() -> object:
        return json.loads(docker.ok("network", "inspect", "demo"))[0].get("Status")

    until(status, "the mark on the network")
    assert 'plugin "simple" not found' in str(status())
    assert "networks wait for" in docker.ok("info", "--format", "{{.Warnings}}")
    docker.ok("exec", "one", "ping", "-c", "1", "-W", "5", "two")  # what is joined goes on
    assert 'plugin "simple" not found' in docker("run", "--rm", "--network", "demo", "busybox", "true").err
    docker.ok("rm", "-f", "two")

    plugin.start()
    until(lambda: status() is None, "the network without a mark", limit_s=30)
    until(lambda: len(plugin.kept()["endpoints"]) == 1, "the farewell that was owed", limit_s=30)
    docker.ok("run", "--rm", "--network", "demo", "busybox", "ping", "-c", "1", "-W", "5", "one")
    docker.ok("rm", "-f", "one")
    docker.ok("network", "rm", "demo")
    assert plugin.kept() == NOTHING


def test_without_its_plugin_a_network_goes_only_by_force(fresh_daemon: Daemon) -> None:
    daemon, plugin = fresh_daemon, ExamplePlugin(fresh_daemon.host)
    daemon.docker.ok("network", "create", "-d", "simple", "--subnet", "10.89.0.0/24", "demo")
    plugin.stop()

    refused = daemon.docker("network", "rm", "demo")
    assert 'plugin "simple" not found' in refused.err
    assert "demo" in daemon.docker.ok("network", "ls", "--format", "{{.Name}}").split()
    assert daemon.call("DELETE", "/networks/demo?force=1")[0] == 204
    assert "demo" not in daemon.docker.ok("network", "ls", "--format", "{{.Name}}").split()


def test_a_killed_plugin_is_refused_and_nothing_changes(fresh_daemon: Daemon) -> None:
    """Its socket is still there."""
    daemon, plugin = fresh_daemon, ExamplePlugin(fresh_daemon.host)
    docker = daemon.docker
    docker.ok("network", "create", "-d", "simple", "--ipam-driver", "simple", "demo")
    before = docker.ok("network", "ls", "-q")
    plugin.kill()

    for words in (
        ("create", "-d", "simple", "late"),
        ("create", "--ipam-driver", "simple", "late"),
        ("create", "-d", "simple", "--ipam-driver", "simple", "late"),
        ("rm", "demo"),
    ):
        assert "cannot be reached: Connection refused" in docker("network", *words).err
        assert docker.ok("network", "ls", "-q") == before

    plugin.start()
    docker.ok("run", "--rm", "--network", "demo", "busybox", "true")
    docker.ok("network", "create", "-d", "simple", "late")
    docker.ok("network", "rm", "late", "demo")
    assert plugin.kept() == NOTHING


@pytest.mark.parametrize("driver", ["open", "shut"])
def test_a_driver_without_a_gateway_gets_ours_unless_it_says_otherwise(
    served: tuple[Daemon, ExamplePlugin], driver: str
) -> None:
    daemon, _ = served
    docker = daemon.docker
    docker.ok("network", "create", "-d", driver, "--subnet", "10.90.0.0/24", "lonely")
    docker.ok(
        "run", "-d", "--name", "alone", "--network", "lonely", "-p", "8090:80", "busybox", "sleep", "99"
    )

    routes = docker.ok("exec", "alone", "ip", "route")
    hosts = docker.ok("exec", "alone", "cat", "/etc/hosts")
    networks = json.loads(docker.ok("inspect", "-f", "{{json .NetworkSettings.Networks}}", "alone"))
    (shown,) = json.loads(docker.ok("network", "inspect", "lonely"))[0]["Containers"].values()

    assert ("default via" in routes) == (driver == "open")
    assert list(networks) == ["lonely"]
    assert "172." not in hosts
    assert shown["DriverInfo"] == {"vlan": 7}
    if driver == "open":
        (gateway,) = json.loads(docker.ok("network", "inspect", "docker_gwbridge"))[0]["Containers"].values()
        assert gateway["Name"].startswith("gateway_")
        assert "8090" in docker.ok("port", "alone")
        docker.ok("network", "create", "way")
        docker.ok("network", "connect", "way", "alone")
        assert json.loads(docker.ok("network", "inspect", "docker_gwbridge"))[0]["Containers"] == {}
        docker.ok("network", "disconnect", "way", "alone")
        assert "default via" in docker.ok("exec", "alone", "ip", "route")
        docker.ok("network", "rm", "way")
    docker.ok("rm", "-f", "alone")
    docker.ok("network", "rm", "lonely")
    assert not [
        link
        for link in daemon.host.json("ip", "-j", "link")
        if link["ifname"][0] in "li" and link["ifname"] != "lo"
    ]
