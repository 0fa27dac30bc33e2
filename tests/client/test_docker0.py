"""The parameters that shape the default network, with docker0, a bridge of the user's, or none."""

from functools import partial

import pytest

from tests.client.starting import addresses, brctl, once, refusal, running, sleeper
from tests.support import nameserver
from tests.support.bridgehead import bridgehead, plan
from tests.support.oracle import available, oracle
from tests.support.testhost import OUTSIDE_ADDRESS, UPLINK_ADDRESS, Host
from tests.support.wait import until

pytestmark = pytest.mark.host


def test_bip_gives_docker0_its_address_and_containers_its_subnet(host: Host) -> None:
    with running(host, "--bip=192.168.100.1/24") as daemon:
        shown = once(daemon, "ip -o -4 address show eth0; ip route")

    assert addresses(host, "docker0") == ["192.168.100.1/24"]
    assert "inet 192.168.100.2/24" in shown
    assert "default via 192.168.100.1 dev eth0" in shown


def test_bip_does_not_change_a_docker0_that_is_there(host: Host) -> None:
    with bridgehead(host):
        pass

    words = refusal(host, "--bip=192.168.100.1/24")

    assert "172.17.0.1/16 of docker0 does not match requested configuration 192.168.100.1/24" in words
    assert addresses(host, "docker0") == ["172.17.0.1/16"]
    host.run("ip", "link", "delete", "docker0")
    with bridgehead(host, "--bip=192.168.100.1/24"):
        assert addresses(host, "docker0") == ["192.168.100.1/24"]
    with bridgehead(host, "--bip=192.168.100.1/24"):
        assert addresses(host, "docker0") == ["192.168.100.1/24"]


def test_somebodys_docker0_with_the_address_of_bip_is_used_and_stays(host: Host) -> None:
    host.run("ip", "link", "add", "docker0", "type", "bridge")
    host.run("ip", "address", "add", "10.9.0.1/24", "dev", "docker0")

    with running(host, "--bip=10.9.0.1/24") as daemon:
        assert "inet 10.9.0.2/24" in once(daemon, "ip -o -4 address show eth0; ping -c 1 -W 1 10.9.0.1")

    with bridgehead(host, "--bridge=none"):
        assert addresses(host, "docker0") == ["10.9.0.1/24"]


@pytest.mark.skipif(not available(), reason="no dockerd here: run script/bootstrap --oracle")
def test_a_dockerd_keeps_its_docker0(host: Host) -> None:
    other = oracle(host)
    other.argv = [word.replace("api.sock", "docker.sock").replace("/data", "/docker") for word in other.argv]
    other.socket = host.folder / "docker.sock"
    with other:
        assert "docker0 is used by dockerd (process " in refusal(host)

        with bridgehead(host, "--bridge=none") as daemon:
            assert daemon.docker.ok("network", "ls", "--format={{.Name}}").split() == ["host", "none"]


def test_fixed_cidr_of_the_manual_is_the_containers_range(host: Host) -> None:
    with running(host, "--fixed-cidr=172.17.1.1/24") as daemon:
        found = [sleeper(daemon, name) for name in ("one", "two")]
        reached = daemon.docker("exec", "one", "ping", "-c", "1", "-W", "1", found[1])

    assert found == ["172.17.1.1", "172.17.1.2"]
    assert addresses(host, "docker0") == ["172.17.0.1/16"]
    assert reached.code == 0


def test_fixed_cidr_outside_of_the_subnet_is_refused(host: Host) -> None:
    assert "10.5.0.0/24 is outside of 172.17.0.0/16" in refusal(host, "--fixed-cidr=10.5.0.0/24")


def test_a_bridge_of_the_users_is_used_and_left_as_it_was(host: Host) -> None:
    nameserver.start(host)
    brctl(host)

    with running(host, "--bridge=br0") as daemon:
        found = [sleeper(daemon, name) for name in ("one", "two")]
        for target in (found[1], "188.18.0.1", OUTSIDE_ADDRESS):
            daemon.docker.ok("exec", "one", "ping", "-c", "1", "-W", "1", target)
        assert plan(daemon) == []
        daemon.docker.ok("rm", "-f", "one", "two")
        links = [link["ifname"] for link in host.json("ip", "-json", "link")]

    assert found == ["188.18.0.2", "188.18.0.3"]
    assert "docker0" not in links
    with bridgehead(host, "--bridge=none"):
        assert addresses(host, "br0") == ["188.18.0.1/16"]


def _answer(where: Host, address: str) -> str:
    return where.run("busybox", "timeout", "2", "busybox", "nc", address, "8080", check=False).stdout.strip()


@pytest.mark.parametrize("backend", ["iptables", "nftables"])
@pytest.mark.parametrize(("name", "flags"), [("br0", ["--bridge=br0"]), ("docker0", [])])
def test_somebodys_bridge_carries_what_is_published(
    host: Host, backend: str, name: str, flags: list[str]
) -> None:
    host.run("ip", "link", "add", name, "type", "bridge")
    host.run("ip", "address", "add", "10.9.0.1/24", "dev", name)
    host.run("ip", "link", "set", name, "up")
    outside = host.outside()

    with running(host, f"--firewall-backend={backend}", *flags) as daemon:
        server = ("busybox", "sh", "-c", "while :; do echo served | nc -l -p 80; done")
        daemon.docker.ok("run", "-d", "-p", "8080:80", *server)
        asked = [(host, "127.0.0.1"), (host, "10.9.0.1"), (outside, UPLINK_ADDRESS)]
        seen = [until(partial(_answer, *place), f"an answer of {place[1]}") for place in asked]

    assert seen == ["served"] * 3


def test_a_bare_bridge_gets_an_address_and_is_brought_up(host: Host) -> None:
    host.run("ip", "link", "add", "br0", "type", "bridge")

    with running(host, "-b", "br0") as daemon:
        assert plan(daemon) == []
        once(daemon, "ping -c 1 -W 1 172.17.0.1")

    assert addresses(host, "br0") == ["172.17.0.1/16"]


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--bridge=br9"], "bridge device with non default name br9 must be created manually"),
        (["--bridge=lo"], "existing interface lo is not a bridge"),
        (["-b", "br0", "--bip=10.0.0.1/24"], "You specified -b & --bip, mutually exclusive options"),
        (["--icc=false", "--iptables=false"], "Please set --icc or --iptables to true"),
    ],
)
def test_what_cannot_be_is_refused_in_dockerds_words(host: Host, flags: list[str], words: str) -> None:
    assert words in refusal(host, *flags)


def test_without_a_default_network_containers_have_a_loopback(host: Host) -> None:
    with running(host, "--bridge=none") as daemon:
        links = once(daemon, "ip -o link | wc -l; ping -c 1 -W 1 127.0.0.1 >/dev/null && echo alive")
        names = daemon.docker.ok("network", "ls", "--format", "{{.Name}}").split()
        named = once(daemon, "ip -o link | wc -l", "--net", "bridge")
        daemon.docker.ok("network", "create", "own")
        own = once(daemon, "ip -o link | wc -l", "--net", "own")

    assert links.split() == ["1", "alive"]
    assert names == ["host", "none"]
    assert (named, own) == ("1", "2")


def test_under_containers_the_default_network_stays_and_says_so(host: Host) -> None:
    brctl(host)
    with running(host) as daemon:
        sleeper(daemon, "stays")

    with bridgehead(host, "--bridge=br0") as daemon:
        daemon.docker.ok("exec", "stays", "ping", "-c", "1", "-W", "1", "172.17.0.1")
        assert "it is on docker0, not br0; it has 172.17.0.1/16, not 188.18.0.1/16" in daemon.log()
        daemon.docker.ok("rm", "-f", "stays")
        identifier = daemon.docker.ok("network", "inspect", "-f", "{{.Id}}", "bridge")

    with bridgehead(host, "--bridge=br0") as daemon:
        assert "188.18.0.0/16" in daemon.docker.ok("network", "inspect", "bridge")
        assert daemon.docker.ok("network", "inspect", "-f", "{{.Id}}", "bridge") == identifier
        assert "docker0" not in host.run("ip", "link").stdout
