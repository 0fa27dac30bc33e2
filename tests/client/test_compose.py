"""A project with all that Compose asks of networks: up, restarted, scaled and down, by both composes."""

import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support import compose
from tests.support.at_length import at_length
from tests.support.census import census, leaks, links
from tests.support.compose import Compose
from tests.support.daemon import Daemon
from tests.support.wait import until

pytestmark = [pytest.mark.host, pytest.mark.timeout(240)]

FILE = Path(__file__).with_name("shop.yaml")
OLD_ONLY_HERE = pytest.mark.skipif(bool(compose.OLD_MISSING), reason=f"no {compose.OLD_MISSING} here")
AT_LENGTH = pytest.mark.skipif(not at_length(), reason="takes minutes: script/conformance plays it")
KINDS = [
    pytest.param(compose.new, id="5"),
    pytest.param(compose.old, id="1.29", marks=[OLD_ONLY_HERE, AT_LENGTH]),
]


@pytest.fixture(scope="module", params=KINDS)
def shop(request: pytest.FixtureRequest, daemon: Daemon) -> Iterator[Compose]:
    """The project, up; when it is down again nothing of it is left."""
    make: Callable[[Daemon, Path, str], Compose] = request.param
    daemon.docker.ok("network", "create", "outside")
    # The processes that keep ports and answer names stay once they are needed.
    daemon.docker.ok("run", "--rm", "--network", "outside", "-p", "18080:80", "busybox", "true")
    until(lambda: not [name for name in links(daemon.host) if name.startswith("veth")], "no veth pair left")
    before = census(daemon)
    project = make(daemon, FILE, "shop")
    project.ok("up", "-d", timeout_s=120)
    yield project
    project.ok("down", "--volumes", "--timeout", "1", timeout_s=120)
    assert daemon.docker.ok("ps", "-aq") == ""
    assert daemon.docker.ok("volume", "ls", "-q") == ""
    nothing_left(daemon, before)
    daemon.docker.ok("network", "rm", "outside")


def nothing_left(daemon: Daemon, before: frozenset[str]) -> None:
    """Once the kernel has taken apart what takes it a moment."""
    with contextlib.suppress(TimeoutError):
        until(lambda: not leaks(before, census(daemon)), "nothing left", pause_s=0.2)
    assert leaks(before, census(daemon)) == []


def container(daemon: Daemon, service: str) -> str:
    """The id of the service's first container."""
    labels = (
        "--filter",
        f"label=com.docker.compose.service={service}",
        "--filter",
        "label=com.docker.compose.oneoff=False",
    )
    return daemon.docker.ok("ps", "-aq", *labels).split()[-1]


def fetched(shop: Compose, service: str, address: str) -> str:
    return shop.daemon.docker.ok(
        "exec", container(shop.daemon, service), "wget", "-qO-", f"http://{address}/"
    )


def works(shop: Compose) -> None:
    """Names, aliases, static addresses and links lead where they should."""
    assert fetched(shop, "proxy", "web") == "hello"
    assert fetched(shop, "app", "database:5432") == "rows"
    assert fetched(shop, "app", "store:5432") == "rows"
    assert fetched(shop, "side", "10.77.0.10:5432") == "rows"
    assert fetched(shop, "side", "127.0.0.1") == "hello"
    page = shop.daemon.host.run("wget", "-qO-", "http://127.0.0.1:18080/etc/group").stdout
    assert "nogroup" in page


def test_services_find_each_other(shop: Compose) -> None:
    works(shop)


def test_health_was_waited_for(shop: Compose) -> None:
    health = shop.daemon.docker.ok("inspect", "-f", "{{.State.Health.Status}}", container(shop.daemon, "db"))

    assert health == "healthy"


def test_internal_network_leads_nowhere_else(shop: Compose) -> None:
    routes = shop.daemon.docker.ok("exec", container(shop.daemon, "worker"), "ip", "route")

    assert "default" not in routes


def test_options_reached_the_container(shop: Compose) -> None:
    said = shop.daemon.docker.ok(
        *("exec", container(shop.daemon, "app"), "sh", "-c"),
        "ulimit -n; cat /proc/sys/net/core/somaxconn; df -k /www | tail -n 1 | awk '{print $2}'",
    )
    host = json.loads(
        shop.daemon.docker.ok("inspect", "-f", "{{json .HostConfig}}", container(shop.daemon, "app"))
    )

    assert said.split()[1:] == ["77", "1024"]
    assert host["Memory"] == 64 << 20
    assert host["Ulimits"] == [{"Name": "nofile", "Soft": 1000, "Hard": 2000}]


def test_published_ports_are_told(shop: Compose) -> None:
    assert shop.ok("port", "proxy", "80") == "0.0.0.0:18080"
    assert shop.ok("port", "--protocol", "udp", "proxy", "83") == "0.0.0.0:18083"


def test_up_again_changes_nothing(shop: Compose) -> None:
    before = {service: container(shop.daemon, service) for service in ("db", "app", "proxy", "side")}

    shop.ok("up", "-d")

    assert {service: container(shop.daemon, service) for service in before} == before


def test_everything_works_after_restarts(shop: Compose) -> None:
    for _ in range(2):
        shop.ok("restart", "--timeout", "1", timeout_s=120)
        works(shop)


def test_everything_works_after_stop_and_start(shop: Compose) -> None:
    shop.ok("stop", "--timeout", "1")
    shop.ok("start")

    until(lambda: shop.daemon.docker("exec", container(shop.daemon, "app"), "true").code == 0, "the app runs")
    works(shop)


def test_scaled_services_share_a_name(shop: Compose) -> None:
    def addresses() -> set[str]:
        said = shop.daemon.docker("exec", container(shop.daemon, "app"), "nslookup", "worker.").out
        return {line for line in said.splitlines() if line.startswith("Address: 10.77.")}

    shop.ok("up", "-d", "--scale", "worker=3")
    three = until(lambda: len(addresses()) == 3, "three workers")
    shop.ok("up", "-d", "--scale", "worker=1")

    assert three
    until(lambda: len(addresses()) == 1, "one worker")


def test_commands_are_run_in_services_and_beside_them(shop: Compose) -> None:
    assert shop.ok("exec", "-T", "proxy", "wget", "-qO-", "http://web/") == "hello"
    assert shop.ok("run", "--rm", "-T", "worker", "wget", "-qO-", "http://database:5432/").endswith("rows")


def test_paused_services_go_on(shop: Compose) -> None:
    shop.ok("pause", "app")
    paused = shop.daemon.docker.ok("inspect", "-f", "{{.State.Status}}", container(shop.daemon, "app"))
    shop.ok("unpause", "app")

    assert paused == "paused"
    works(shop)


def test_down_and_up_repeatedly(shop: Compose) -> None:
    for _ in range(2):
        shop.ok("down", "--timeout", "1", timeout_s=120)
        left = shop.daemon.docker.ok(
            "network", "ls", "-q", "--filter", "label=com.docker.compose.project=shop"
        )
        assert left == ""
        shop.ok("up", "-d", timeout_s=120)
        works(shop)
