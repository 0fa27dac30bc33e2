"""Names as programs in containers see them: busybox's own resolver code, our answers."""

from collections.abc import Iterator

import pytest

from tests.support import nameserver
from tests.support.bridgehead import bridgehead
from tests.support.daemon import Daemon
from tests.support.testhost import Host

pytestmark = pytest.mark.host

_SUBNET6 = "fd00:77::/64"


@pytest.fixture(scope="module")
def named() -> Iterator[Daemon]:
    """`web` on lan and back, `db` on back, `asker` on lan, `both` on both; the world knows one name."""
    with Host("names") as host:
        nameserver.start(host)
        with bridgehead(host) as daemon:
            daemon.import_image()
            daemon.docker.ok("network", "create", "--subnet", "10.40.0.0/24", "lan")
            daemon.docker.ok("network", "create", "--subnet", "10.41.0.0/24", "back")
            daemon.docker.ok("network", "create", "--internal", "shut")
            run = ("run", "-d", "--name")
            sleep = ("busybox", "sleep", "1000")
            lan = ("--net", "lan", "--ip", "10.40.0.10", "--network-alias", "Www", "-h", "box")
            daemon.docker.ok(*run, "web", *lan, *sleep)
            daemon.docker.ok("network", "connect", "--ip", "10.41.0.10", "back", "web")
            daemon.docker.ok(*run, "db", "--net", "back", "--ip", "10.41.0.20", *sleep)
            daemon.docker.ok(*run, "asker", "--net", "lan", *sleep)
            daemon.docker.ok(*run, "both", "--net", "lan", *sleep)
            daemon.docker.ok("network", "connect", "back", "both")
            daemon.docker.ok(*run, "shut", "--net", "shut", *sleep)
            yield daemon


def _found(daemon: Daemon, container: str, name: str, kind: str = "a") -> list[str]:
    """What nslookup prints behind the server's own lines; of the whole name, so no search domain is tried."""
    words = [f"-type={kind}", f"{name.rstrip('.')}."] if kind else [name]
    answer = daemon.docker("exec", container, "nslookup", *words)
    lines = [line.strip() for line in answer.out.splitlines() if line.strip()]
    wanted = ("Address:", "Name:", "name =", "**")
    return [line for line in lines[2:] if any(word in line for word in wanted)]


def _addresses(daemon: Daemon, container: str, name: str, kind: str = "a") -> set[str]:
    found = _found(daemon, container, name, kind)
    return {line.split()[1] for line in found if line.startswith("Address:")}


def _short_id(daemon: Daemon, name: str) -> str:
    return daemon.docker.ok("inspect", "-f", "{{.Id}}", name)[:12]


@pytest.mark.parametrize("name", ["web", "WEB", "www", "WwW", "box", "web.lan", "Web.Lan", "www.lan"])
def test_a_container_is_known_by_all_its_names_in_any_case(named: Daemon, name: str) -> None:
    assert _addresses(named, "asker", name) == {"10.40.0.10"}


def test_a_container_is_known_by_its_short_id(named: Daemon) -> None:
    assert _addresses(named, "asker", _short_id(named, "web")) == {"10.40.0.10"}


def test_who_shares_two_networks_hears_both_addresses(named: Daemon) -> None:
    assert _addresses(named, "both", "web") == {"10.40.0.10", "10.41.0.10"}
    assert _addresses(named, "both", "web.back") == {"10.41.0.10"}
    assert _addresses(named, "db", "web") == {"10.41.0.10"}


def test_who_shares_no_network_hears_nothing(named: Daemon) -> None:
    assert _addresses(named, "asker", "db") == set()
    assert _addresses(named, "db", "asker") == set()


def test_a_family_that_is_not_there_is_an_empty_answer(named: Daemon) -> None:
    assert named.docker("exec", "asker", "nslookup", "-type=aaaa", "web.").code == 0
    assert _found(named, "asker", "web", "aaaa") == []
    assert any("NXDOMAIN" in line for line in _found(named, "asker", "nobody", "aaaa"))


def test_an_address_has_a_name(named: Daemon) -> None:
    assert _found(named, "asker", "10.40.0.10", "") == ["10.0.40.10.in-addr.arpa\tname = web.lan"]


def test_search_domains_are_tried(named: Daemon) -> None:
    options = ("--net", "lan", "--dns-search", "example.test")
    shown = named.docker("run", "--rm", *options, "busybox", "ping", "-c", "1", "-W", "1", "known")

    assert f"PING known ({nameserver.KNOWN_ADDRESS})" in shown.out


def test_short_names_stay_at_home_where_ndots_was_chosen(named: Daemon) -> None:
    chosen = named.docker(
        "run", "--rm", "--net", "lan", "--dns-opt", "ndots:2", "busybox", "nslookup", "nobody."
    )
    default = named.docker(
        "run", "--rm", "--net", "lan", "--dns-opt", "ndots:0", "busybox", "nslookup", "nobody."
    )

    assert "NXDOMAIN" in default.out
    assert "NXDOMAIN" not in chosen.out


def test_internal_containers_ask_the_servers_they_were_given(named: Daemon) -> None:
    assert _addresses(named, "shut", nameserver.KNOWN_NAME) == set()

    named.docker.ok("network", "connect", "lan", "shut")
    assert _addresses(named, "shut", nameserver.KNOWN_NAME) == {nameserver.KNOWN_ADDRESS}

    named.docker.ok("network", "disconnect", "lan", "shut")
    assert _addresses(named, "shut", nameserver.KNOWN_NAME) == set()


def test_internal_containers_may_have_a_server_of_their_own(named: Daemon) -> None:
    named.docker.ok("run", "-d", "--name", "server", "--net", "shut", "busybox", "sleep", "1000")
    shape = "{{.State.Pid}} {{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
    pid, address = named.docker.ok("inspect", "-f", shape, "server").split()
    asker = ("run", "-d", "--name", "inner", "--net", "shut", "--dns", address, "busybox", "sleep", "1000")
    named.docker.ok(*asker)

    with nameserver.serving(["nsenter", f"--net={named.host.root}/proc/{pid}/ns/net"], address):
        assert _addresses(named, "inner", nameserver.KNOWN_NAME) == {nameserver.KNOWN_ADDRESS}
    assert len(_addresses(named, "inner", "server")) == 1
    assert _addresses(named, "shut", nameserver.KNOWN_NAME) == set()


def test_the_default_bridge_has_no_names(named: Daemon) -> None:
    named.docker.ok("run", "-d", "--name", "plain", "busybox", "sleep", "1000")

    told = named.docker("run", "--rm", "busybox", "nslookup", "plain")

    assert "127.0.0.11" not in told.out
    assert "NXDOMAIN" in told.out


def test_names_follow_rename_and_restart(named: Daemon) -> None:
    named.docker.ok("run", "-d", "--name", "before", "--net", "lan", "busybox", "sleep", "1000")

    named.docker.ok("rename", "before", "after")

    assert _addresses(named, "asker", "before") == set()
    assert len(_addresses(named, "asker", "after")) == 1
    named.docker.ok("stop", "-t", "0", "after")
    assert _addresses(named, "asker", "after") == set()
    named.docker.ok("start", "after")
    assert len(_addresses(named, "asker", "after")) == 1


def test_more_bearers_of_an_alias_than_fit_a_packet_are_cut(named: Daemon) -> None:
    for number in range(34):
        options = ("--net", "lan", "--network-alias", "crowd", "--name", f"crowd{number}")
        named.docker.ok("run", "-d", *options, "busybox", "sleep", "1000")

    heard = _addresses(named, "asker", "crowd")

    assert len(heard) == 30  # what 512 bytes hold; nslookup does not ask again over TCP
