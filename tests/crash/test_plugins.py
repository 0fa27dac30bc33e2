"""kill -9 of the daemon while a plugin has done what it was asked and has not said so yet."""

import json
import re
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.support.bridgehead import plan
from tests.support.census import census, leaks
from tests.support.daemon import Daemon
from tests.support.example_plugin import NOTHING
from tests.support.wait import until

pytestmark = [pytest.mark.host, pytest.mark.timeout(120)]

ROOT = Path(__file__).parents[2]
PHASES = (
    "request_pool",
    "create_network",
    "request_address",
    "create_endpoint",
    "join",
    "program_external_connectivity",
    "endpoint_oper_info",
    "leave",
    "delete_endpoint",
    "release_address",
    "release_pool",
    "delete_network",
)
# The plugin itself, and how the daemon looks at other people's rules from time to time.
_PASSING = re.compile(r"held_plugin|process (ip6?tables|host_ports|.*bridgehead\.host\.ports)")
_LIFE = (
    "network create -d simple --ipam-driver simple --subnet 10.77.0.0/24 demo",
    "run -d --name one --network demo -p 8080:80 busybox sleep 1000",
    "rm -f one",
    "network rm demo",
)


class Held:
    def __init__(self, daemon: Daemon, method: str) -> None:
        self.folder = daemon.host.folder / "held"
        self.folder.mkdir()
        with (self.folder / "log").open("wb") as log:
            daemon.host.popen(
                [sys.executable, "-m", "tests.support.held_plugin", method, self.folder],
                cwd=ROOT,
                env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "PYTHONPATH": str(ROOT)},
                stderr=log,
            )
        until((daemon.host.root / "run/docker/plugins/simple.sock").exists, "the plugin's socket", limit_s=20)

    def kept(self) -> dict[str, Any]:
        file = self.folder / "state.json"
        kept: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
        return NOTHING | kept


def _disagreements(daemon: Daemon, plugin: Held) -> list[str]:
    """Where the plugin holds something else than the daemon shows."""
    listed = daemon.call("GET", '/networks?filters={"driver":["simple"]}')[1]
    looked = [daemon.call("GET", f"/networks/{network['Id']}") for network in listed]
    shown = [body for status, body in looked if status == 200]
    kept = plugin.kept()
    wrong = [f"{network['Name']}: {network['Status']}" for network in shown if "Status" in network]
    if set(kept["networks"]) != {network["Id"] for network in shown}:
        wrong.append(f"networks: {kept['networks']}, shown {shown}")
    ends = {end["EndpointID"] for network in shown for end in network["Containers"].values()}
    if set(kept["endpoints"]) != ends:
        wrong.append(f"endpoints: {kept['endpoints']}, shown {ends}")
    if set(kept["pools"]) != {block["Subnet"] for network in shown for block in network["IPAM"]["Config"]}:
        wrong.append(f"pools: {kept['pools']}")
    given = {address for pool in kept["pools"].values() for address in pool["addresses"]}
    taken = {
        end["IPv4Address"].partition("/")[0] for network in shown for end in network["Containers"].values()
    }
    gateways = {block.get("Gateway", "none") for network in shown for block in network["IPAM"]["Config"]}
    if given != taken | gateways:
        wrong.append(f"addresses: {given}, shown {taken | gateways}")
    return wrong


@pytest.mark.parametrize("method", PHASES)
def test_a_call_that_was_cut_off_is_undone_or_finished(fresh_daemon: Daemon, method: str) -> None:
    daemon = fresh_daemon
    daemon.docker.ok("network", "create", "warm")
    daemon.docker.ok("run", "--rm", "--net", "warm", "-p", "8080:80", "busybox", "true")
    daemon.docker.ok("network", "rm", "warm")
    before = census(daemon)
    plugin = Held(daemon, method)
    client = threading.Thread(target=_live, args=(daemon,))
    client.start()
    until((plugin.folder / "held").exists, f"a call of {method}", limit_s=30)

    daemon.kill()
    client.join(30)
    (plugin.folder / "go").touch()
    daemon.start()

    _agree(daemon, plugin)
    assert plan(daemon) == []
    daemon.docker("rm", "-f", "one")
    daemon.docker("network", "rm", "demo")
    assert plugin.kept() == NOTHING
    left = leaks(before, census(daemon))
    assert [item for item in left if not _PASSING.search(item)] == []


def _agree(daemon: Daemon, plugin: Held) -> None:
    try:
        until(lambda: not _disagreements(daemon, plugin), "agreement", limit_s=20)
    except TimeoutError:
        assert _disagreements(daemon, plugin) == []


def _live(daemon: Daemon) -> None:
    for command in _LIFE:
        if daemon.docker(*command.split(), timeout_s=60).code:
            return
