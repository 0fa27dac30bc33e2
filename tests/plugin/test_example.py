"""The example drivers, as they stand in `examples/plugins`, serve Debian's dockerd, and survive a restart."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.bridgehead import bridgehead
from tests.support.daemon import Daemon
from tests.support.example_plugin import NOTHING, ExamplePlugin
from tests.support.oracle import available, oracle
from tests.support.testhost import Host

pytestmark = pytest.mark.host
needs_oracle = pytest.mark.skipif(not available(), reason="no dockerd here: run script/bootstrap --oracle")

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples/plugins/simple_bridge.py"


@pytest.fixture
def plugin(host: Host) -> ExamplePlugin:
    return ExamplePlugin(host)


@pytest.mark.timeout(180)
@pytest.mark.parametrize(
    "make", [bridgehead, pytest.param(oracle, marks=needs_oracle)], ids=["ours", "docker"]
)
def test_the_example_serves_us_and_docker(plugin: ExamplePlugin, make: Callable[[Host], Daemon]) -> None:
    with make(plugin.host) as daemon:
        daemon.import_image()
        docker = daemon.docker

        docker.ok("network", "create", "-d", "simple", "--ipam-driver", "simple", "-o", "mtu=1400", "demo")
        for name in ("one", "two"):
            docker.ok("run", "-d", "--name", name, "--network", "demo", "busybox", "sleep", "1000")
        docker.ok("exec", "one", "ping", "-c", "1", "-W", "5", "two")

        (network,) = json.loads(docker.ok("network", "inspect", "demo"))
        assert (network["Driver"], network["IPAM"]["Config"]) == (
            "simple",
            [{"Subnet": "10.222.0.0/24", "Gateway": "10.222.0.1"}],
        )
        assert sorted(one["IPv4Address"] for one in network["Containers"].values()) == [
            "10.222.0.2/24",
            "10.222.0.3/24",
        ]
        assert "mtu 1400" in docker.ok("exec", "one", "ip", "address", "show", "eth0")
        assert "default via 10.222.0.1" in docker.ok("exec", "one", "ip", "route")

        plugin.restart()
        docker.ok("network", "disconnect", "demo", "two")
        assert "eth0" not in docker.ok("exec", "two", "ip", "-o", "address")
        docker.ok("network", "connect", "demo", "two")
        docker.ok("exec", "one", "ping", "-c", "1", "-W", "5", "two")
        refused = docker(
            "network", "create", "-d", "simple", "-o", "speed=1", "--subnet", "10.9.0.0/24", "other"
        )
        assert refused.err.strip().endswith("remote: unknown option speed: there are bridge and mtu")

        docker.ok("rm", "-f", "one", "two")
        docker.ok("network", "rm", "demo")
        assert plugin.kept() == NOTHING
        assert "sb" not in plugin.host.run("ip", "-br", "link").stdout
        assert "sb-" not in plugin.host.run("iptables", "-S", "FORWARD").stdout
