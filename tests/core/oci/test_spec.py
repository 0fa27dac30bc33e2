import json

import msgspec
import pytest

from bridgehead.core.model.container import Bind, Limits, ProcessSpec
from bridgehead.core.oci.config import Config, User
from bridgehead.core.oci.spec import Host, execution, spec
from bridgehead.core.oci.users import Account
from tests.core.oci.conftest import ROOT, bundle


def built(given=None, *, who=ROOT, host=None) -> Config:
    return spec(given or bundle(), who, host or Host(), cgroup="/bridgehead")


def test_runtime_reads_its_own_names():
    actual = json.loads(msgspec.json.encode(built()))

    assert (actual["ociVersion"], actual["hostname"]) == ("1.0.2", "box")
    assert actual["linux"]["cgroupsPath"] == "/bridgehead/c0"
    assert actual["process"]["user"] == {"uid": 0, "gid": 0}
    assert actual["linux"]["resources"]["devices"][0] == {"allow": False, "access": "rwm"}
    assert actual["linux"]["seccomp"]["syscalls"]


def test_environment_has_defaults_that_the_user_overrides():
    process = ProcessSpec(argv=("sh",), environment=("PATH=/mine", "HOSTNAME=other", "A=1", "A=2"), tty=True)

    actual = built(bundle(process=process)).process.env

    assert actual == ("PATH=/mine", "HOSTNAME=other", "TERM=xterm", "HOME=/root", "A=2")


def test_own_network_may_bind_low_ports_and_ping():
    actual = built(bundle(sysctls={"net.ipv4.ip_unprivileged_port_start": "80"})).linux

    assert actual.sysctl == {
        "net.ipv4.ip_unprivileged_port_start": "80",
        "net.ipv4.ping_group_range": "0 2147483647",
    }
    assert {item.type: item.path for item in actual.namespaces}["network"] == "/run/ns/a"


def test_host_network_is_left_alone():
    actual = built(bundle(namespace=None)).linux

    assert actual.sysctl == {}
    assert "network" not in {item.type for item in actual.namespaces}


def test_network_of_another_container_is_joined_as_it_is():
    actual = built(bundle(network_mode="container:other")).linux

    assert actual.sysctl == {}
    assert {item.type: item.path for item in actual.namespaces}["network"] == "/run/ns/a"


@pytest.mark.parametrize(("v2", "expected"), [(False, False), (True, True)])
def test_cgroup_namespace_comes_with_version_two(v2, expected):
    actual = built(host=Host(cgroup_v2=v2)).linux.namespaces

    assert expected == ("cgroup" in {item.type for item in actual})


@pytest.mark.parametrize(
    ("limits", "swap_accounting", "expected"),
    [
        (Limits(), True, {}),
        (Limits(memory=100), True, {"memory": {"limit": 100, "swap": 200}}),
        (Limits(memory=100), False, {"memory": {"limit": 100}}),
        (Limits(memory=100, memory_swap=-1), True, {"memory": {"limit": 100, "swap": -1}}),
        (Limits(memory_reservation=5), True, {"memory": {"reservation": 5}}),
        (Limits(cpu_quota=50, cpu_period=100), True, {"cpu": {"quota": 50, "period": 100}}),
        (Limits(cpu_shares=2, cpuset_cpus="0-1"), True, {"cpu": {"shares": 2, "cpus": "0-1"}}),
        (Limits(pids=9), True, {"pids": {"limit": 9}}),
    ],
)
def test_limits(limits, swap_accounting, expected):
    host = Host(swap_accounting=swap_accounting)

    actual = msgspec.to_builtins(built(bundle(limits=limits), host=host).linux.resources)

    del actual["devices"]
    assert expected == actual


def test_privileged_has_no_walls():
    actual = built(bundle(privileged=True), host=Host(capabilities=frozenset({"CAP_CHOWN", "CAP_SYS_ADMIN"})))

    assert actual.process.capabilities.bounding == ("CAP_CHOWN", "CAP_SYS_ADMIN")
    assert (actual.linux.seccomp, actual.linux.masked_paths, actual.linux.readonly_paths) == (None, (), ())
    assert [(rule.allow, rule.access) for rule in actual.linux.resources.devices] == [(True, "rwm")]


def test_ordinary_user_holds_no_power_but_may_gain_it():
    actual = built(who=Account(User(33, 33), "/")).process.capabilities

    assert "CAP_SETUID" in actual.bounding
    assert (actual.effective, actual.permitted) == ((), ())


@pytest.mark.parametrize(
    ("propagation", "expected"), [("rprivate", ""), ("rslave", "slave"), ("shared", "shared")]
)
def test_root_lets_mounts_through_for_a_bind(propagation, expected):
    actual = built(bundle(binds=(Bind("/a", "/b", propagation=propagation),)))

    assert expected == actual.linux.rootfs_propagation


def test_exec_inherits_defaults_and_powers_and_brings_the_rest_of_its_environment():
    container = built(bundle(process=ProcessSpec(argv=("sh",), environment=("DB=old",)), cap_drop=("ALL",)))
    process = ProcessSpec(argv=("ls",), environment=("A=1", "B=2"), tty=True)

    actual = execution(process, Account(User(33, 33), "/srv"), container.process, Host())

    assert tuple(word for word in actual.env if not word.startswith("PATH=")) == (
        "HOME=/srv",
        "HOSTNAME=box",
        "TERM=xterm",
        "A=1",
        "B=2",
    )
    assert actual.capabilities.bounding == ()
