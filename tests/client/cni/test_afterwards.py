"""The CNI plugin's acts after ADD: DEL, CHECK, GC and STATUS, and what ends without them."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.client.cni.asking import refused, sandboxes
from tests.support.cni import Namespace, PluginFailed, Runtime
from tests.support.daemon import Daemon
from tests.support.wait import until

pytestmark = pytest.mark.host


def test_del_is_content_with_whatever_is_gone(daemon: Daemon) -> None:
    runtime = Runtime(daemon, "passing")
    daemon.docker.ok("network", "create", "passing")
    where = runtime.namespace()
    runtime.add(where)

    runtime.delete(where)
    runtime.delete(where)
    daemon.docker.ok("network", "rm", "passing")
    runtime.delete(where)
    where.delete()
    runtime.delete(where)

    assert sandboxes(daemon) == set()


def test_del_needs_no_namespace(daemon: Daemon, backend: Runtime) -> None:
    where = backend.namespace()
    backend.add(where)

    backend.delete(Namespace(daemon, where.container, ""))

    assert sandboxes(daemon) == set()
    assert where.links() == set()


def test_del_of_another_configuration_is_not_ours(daemon: Daemon, backend: Runtime) -> None:
    where = backend.namespace()
    backend.add(where)

    Runtime(daemon, "other", fields={"network": "backend"}).delete(where)

    assert where.links() == {"eth0"}


def test_namespace_that_goes_takes_everything_along(daemon: Daemon, backend: Runtime) -> None:
    where = backend.namespace()
    backend.add(where, arguments="K8S_POD_NAME=pod1")

    where.delete()

    until(lambda: not sandboxes(daemon), "the sandbox is gone")
    backend.delete(where)


def test_container_that_comes_back_in_another_namespace(daemon: Daemon, backend: Runtime) -> None:
    """A machine that lost its power calls no DEL, and podman's containers keep their ids."""
    first = backend.namespace("kept-id")
    backend.add(first, arguments="K8S_POD_NAME=pod1")
    second = backend.namespace("kept-id")

    backend.add(second, arguments="K8S_POD_NAME=pod1")

    assert sandboxes(daemon) == {"pod1"}
    assert (first.links(), second.links()) == (set(), {"eth0"})


def test_check_is_content_with_what_add_made(backend: Runtime) -> None:
    where = backend.namespace()
    result = backend.add(where)

    backend.check(where, result)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ("ip address flush dev eth0", "eth0 does not have the address"),
        ("ip link set eth0 address 02:00:00:00:00:66", "eth0 has the MAC address 02:00:00:00:00:66, not"),
        ("ip link set eth0 name eth9", "there is no interface eth0"),
    ],
)
def test_check_sees_damage(backend: Runtime, damage: str, said: str) -> None:
    where = backend.namespace()
    result = backend.add(where)

    where.run("sh", "-c", f"ip link set eth0 down; {damage}")
    with pytest.raises(PluginFailed) as failed:
        backend.check(where, result)

    assert failed.value.code == 102
    assert said in failed.value.message


def test_check_compares_with_the_result(backend: Runtime) -> None:
    where = backend.namespace()
    result = backend.add(where)
    result["ips"][0]["address"] = "10.20.0.250/24"

    with pytest.raises(PluginFailed) as failed:
        backend.check(where, result)

    assert "eth0 does not have the address 10.20.0.250/24 (the result of ADD)" in failed.value.message


def test_check_of_what_was_never_added(backend: Runtime) -> None:
    where = backend.namespace()

    with pytest.raises(PluginFailed) as failed:
        backend.check(where, {"interfaces": [], "ips": []})

    assert failed.value.code == 3


def test_collecting_removes_what_the_runtime_forgot(
    daemon: Daemon, backend: Runtime, frontend: Runtime
) -> None:
    kept, forgotten, elsewhere = backend.namespace(), backend.namespace(), frontend.namespace()
    backend.add(kept)
    backend.add(forgotten)
    frontend.add(forgotten, "eth1")
    frontend.add(elsewhere)
    by_hand = backend.namespace()
    daemon.call("POST", "/sandboxes/create?name=by-hand", {"Netns": by_hand.path})
    before = by_hand.links()

    backend.collect([(kept, "eth0")])

    assert kept.links() == {"eth0"}
    assert forgotten.links() == {"eth1"}
    assert elsewhere.links() == {"eth0"}
    assert by_hand.links() == before
    frontend.collect([])
    assert sandboxes(daemon) == {kept.container, "by-hand"}


def test_status(daemon: Daemon, backend: Runtime) -> None:
    assert backend.call("STATUS") is None
    with pytest.raises(PluginFailed) as failed:
        Runtime(daemon, "nowhere").call("STATUS")

    assert failed.value.code == 50
    assert "network nowhere not found" in failed.value.message


def test_network_is_made_when_the_configuration_says_how(daemon: Daemon) -> None:
    how = {"create": {"IPAM": {"Config": [{"Subnet": "10.30.0.0/24"}]}, "Labels": {"by": "cni"}}}
    runtime = Runtime(daemon, "made", fields=how)
    first, second = runtime.namespace(), runtime.namespace()
    assert runtime.call("STATUS") is None

    refused(runtime, first, 100, ips=["10.99.0.1"])
    assert "made" not in daemon.docker.ok("network", "ls", "--format", "{{.Name}}").split()

    with ThreadPoolExecutor() as both:
        results = list(both.map(runtime.add, (first, second)))

    assert {result["ips"][0]["address"] for result in results} == {"10.30.0.2/24", "10.30.0.3/24"}
    assert daemon.docker.ok("network", "inspect", "-f", "{{.Labels.by}}", "made") == "cni"
    for where in (first, second):
        runtime.delete(where)
    daemon.docker.ok("network", "rm", "made")


def test_attachments_outlive_the_daemon(daemon: Daemon, backend: Runtime) -> None:
    where = backend.namespace()
    result = backend.add(where, arguments="K8S_POD_NAME=pod1")

    daemon.kill()
    with pytest.raises(PluginFailed) as failed:
        backend.delete(where)
    daemon.start()

    assert failed.value.code == 11
    backend.check(where, result)
    assert where.resolve("db")
    backend.delete(where)
    assert sandboxes(daemon) == set()
