"""The CNI plugin as runtimes call it, on a real daemon, beside a container of docker's."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.client.cni.asking import refused, sandboxes
from tests.support.census import census
from tests.support.cni import Runtime, address_of
from tests.support.daemon import Daemon
from tests.support.wait import until
from tests.support.web import page

pytestmark = pytest.mark.host


def test_result_tells_what_stands_in_the_namespace(daemon: Daemon, backend: Runtime) -> None:
    where = backend.namespace()

    result = backend.add(where)

    host_side, inside = result["interfaces"]
    link = json.loads(where.run("ip", "-json", "link", "show", "eth0"))[0]
    peer = daemon.host.json("ip", "-json", "link", "show", host_side["name"])[0]
    assert inside == {"name": "eth0", "mac": link["address"], "mtu": link["mtu"], "sandbox": where.path}
    assert host_side == {"name": peer["ifname"], "mac": peer["address"], "mtu": peer["mtu"]}
    assert peer["ifindex"] == link["link_index"]
    assert result["ips"] == [
        {"address": next(iter(where.addresses("eth0"))), "gateway": "10.20.0.1", "interface": 1}
    ]
    assert result["routes"] == [{"dst": "0.0.0.0/0", "gw": "10.20.0.1"}]
    assert result["dns"] == {
        "nameservers": ["127.0.0.11"],
        "search": ["example.test"],
        "options": ["ndots:0"],
    }
    assert result["cniVersion"] == "1.1.0"


def test_both_families_are_told(daemon: Daemon) -> None:
    runtime = Runtime(daemon, "six")
    where = runtime.namespace()

    result = runtime.add(where, ips=["fd00:20::77/64"])

    assert [entry["address"] for entry in result["ips"]][1] == "fd00:20::77/64"
    assert {entry["address"] for entry in result["ips"]} == where.addresses("eth0")
    assert {route["dst"] for route in result["routes"]} == {"0.0.0.0/0", "::/0"}


@pytest.mark.parametrize("version", ["0.3.0", "0.3.1", "0.4.0", "1.0.0"])
def test_older_versions_work(daemon: Daemon, version: str) -> None:
    runtime = Runtime(daemon, "backend", version)
    where = runtime.namespace()

    result = runtime.add(where)

    assert result["cniVersion"] == version
    assert ("version" in result["ips"][0]) is (version < "1.0.0")
    runtime.delete(where)
    assert sandboxes(daemon) == set()


def test_neighbours_reach_each_other_by_name(daemon: Daemon, backend: Runtime) -> None:
    where = backend.namespace()

    result = backend.add(where, arguments="IgnoreUnknown=1;K8S_POD_NAME=pod1", aliases=["cache"])

    db = daemon.docker.ok("inspect", "-f", "{{.NetworkSettings.Networks.backend.IPAddress}}", "db")
    assert where.resolve("db") == db
    assert where.reaches(db)
    for name in ("pod1", "cache"):
        assert "1 packets received" in daemon.docker.ok("exec", "db", "ping", "-c1", "-W3", name), name
    assert address_of(result) in daemon.docker.ok("exec", "db", "nslookup", "-type=a", "pod1.", "127.0.0.11")


def test_networks_stay_apart(daemon: Daemon, backend: Runtime, frontend: Runtime) -> None:
    here, there = backend.namespace(), frontend.namespace()
    backend.add(here)
    result = frontend.add(there)

    assert not here.reaches(address_of(result))
    assert here.resolve("web") == ""


def test_address_and_mac_as_wished(backend: Runtime) -> None:
    where = backend.namespace()

    result = backend.add(where, ips=["10.20.0.77/24"], mac="02:00:00:00:00:77")

    assert result["ips"][0]["address"] == "10.20.0.77/24"
    assert where.addresses("eth0") == {"10.20.0.77/24"}
    assert json.loads(where.run("ip", "-json", "link", "show", "eth0"))[0]["address"] == "02:00:00:00:00:77"


def test_ports_are_published(daemon: Daemon, backend: Runtime) -> None:
    where = backend.namespace()

    backend.add(where, portMappings=[{"hostPort": 8080, "containerPort": 80, "protocol": "tcp"}])
    pages = daemon.host.folder / "pages"
    pages.mkdir()
    (pages / "index.html").write_text("hello")
    server = daemon.host.popen(
        ["nsenter", f"--net={where.path}", "busybox", "httpd", "-f", "-p", "80", "-h", pages]
    )
    try:
        assert until(lambda: page(daemon.host, "127.0.0.1:8080"), "the published port") == "hello"
        backend.delete(where)
        assert page(daemon.host, "127.0.0.1:8080") == ""
    finally:
        server.terminate()


def test_several_networks_make_one_sandbox(daemon: Daemon, backend: Runtime, frontend: Runtime) -> None:
    where = backend.namespace()
    mapping = {"portMappings": [{"hostPort": 8081, "containerPort": 80}]}

    backend.add(where, "eth0", "K8S_POD_NAME=pod1", **mapping)
    second = frontend.add(where, "net1", "K8S_POD_NAME=pod1", **mapping)

    assert sandboxes(daemon) == {"pod1"}
    assert where.links() == {"eth0", "net1"}
    assert where.resolve("db")
    assert where.resolve("web")
    assert where.addresses("net1") == {entry["address"] for entry in second["ips"]}

    backend.delete(where, "eth0")
    assert where.links() == {"net1"}
    assert sandboxes(daemon) == {"pod1"}
    assert where.resolve("db") == ""

    frontend.delete(where, "net1")
    assert where.links() == set()
    assert sandboxes(daemon) == set()


def test_networks_joined_at_the_same_time(daemon: Daemon, backend: Runtime, frontend: Runtime) -> None:
    where = backend.namespace()

    with ThreadPoolExecutor() as both:
        first = both.submit(backend.add, where, "eth0")
        second = both.submit(frontend.add, where, "eth1")
        results = [first.result(), second.result()]

    assert [result["interfaces"][-1]["name"] for result in results] == ["eth0", "eth1"]
    assert where.links() == {"eth0", "eth1"}
    assert len(sandboxes(daemon)) == 1


def test_port_that_comes_too_late_is_refused(daemon: Daemon, backend: Runtime, frontend: Runtime) -> None:
    where = backend.namespace()
    backend.add(where)

    said = refused(
        frontend, where, 7, interface="eth1", portMappings=[{"hostPort": 8082, "containerPort": 80}]
    )

    assert "8082:80/tcp" in said
    assert where.links() == {"eth0"}


def test_interface_that_is_there_is_refused(daemon: Daemon, backend: Runtime, frontend: Runtime) -> None:
    where = backend.namespace()
    result = backend.add(where)

    for runtime in (backend, frontend):
        assert "is already attached to network backend" in refused(runtime, where, 101)

    backend.check(where, result)


@pytest.mark.parametrize(
    ("network", "options", "said"),
    [
        ("nowhere", {}, "network nowhere not found"),
        ("backend", {"ips": ["10.99.0.1"]}, "10.99.0.1"),
        ("backend", {"arguments": "K8S_POD_NAME=db"}, "db"),
        ("backend", {"interface": "lo"}, "lo"),
        ("backend", {"mac": "nonsense"}, "nonsense"),
    ],
)
def test_what_the_daemon_refuses_leaves_nothing(
    daemon: Daemon, network: str, options: dict[str, object], said: str
) -> None:
    runtime = Runtime(daemon, network)
    where, before = runtime.namespace(), sorted(census(daemon))

    message = refused(runtime, where, 100, **options)

    assert said in message
    assert sandboxes(daemon) == set()
    assert where.links() == set()
    assert sorted(census(daemon)) == before


def test_address_that_is_taken_names_its_holder(daemon: Daemon, backend: Runtime) -> None:
    first, second = backend.namespace(), backend.namespace()
    backend.add(first, arguments="K8S_POD_NAME=holder", ips=["10.20.0.99"])

    assert "holder" in refused(backend, second, 100, ips=["10.20.0.99"])


def test_interface_that_somebody_else_made_is_refused(daemon: Daemon, backend: Runtime) -> None:
    where = backend.namespace()
    where.run("ip", "link", "add", "eth0", "type", "veth", "peer", "name", "other")

    refused(backend, where, 100)

    assert where.links() == {"eth0", "other"}
    assert sandboxes(daemon) == set()
