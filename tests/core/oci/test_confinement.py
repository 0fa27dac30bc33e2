"""Create options that shut a container in or let it out, in the runtime's words."""

import pytest

from bridgehead.core.model.confinement import Confinement, Ulimit
from bridgehead.core.model.container import Limits
from bridgehead.core.model.errors import InvalidParameter
from bridgehead.core.oci.config import Config, Device, DeviceRule, Mount
from bridgehead.core.oci.resources import written_rule
from bridgehead.core.oci.spec import Host, spec
from bridgehead.core.oci.users import account, joined
from tests.core.oci.conftest import ROOT, bundle

FUSE = Device("/dev/inside", "c", 10, 229, 0o666)


def made(confinement: Confinement, host: Host | None = None, **words: object) -> Config:
    described = bundle(confinement=confinement, **words)
    return spec(described, ROOT, host or Host(), cgroup="/bridgehead")


def test_process_limits_are_spelled_as_the_kernel_has_them() -> None:
    limits = made(Confinement(ulimits=(Ulimit("nofile", 100, 200), Ulimit("core", -1, -1)))).process.rlimits

    assert [(limit.type, limit.soft, limit.hard) for limit in limits] == [
        ("RLIMIT_NOFILE", 100, 200),
        ("RLIMIT_CORE", 2**64 - 1, 2**64 - 1),
    ]


def test_init_runs_first_and_is_mounted_read_only() -> None:
    config = made(Confinement(init=True), Host(init="/usr/bin/tini-static"))

    assert config.process.args == ("/sbin/docker-init", "--", "true")
    assert (
        Mount("/sbin/docker-init", "bind", "/usr/bin/tini-static", ("rbind", "ro", "rprivate"))
        in config.mounts
    )


def test_memory_to_share_has_the_size_that_was_asked() -> None:
    shared = next(
        mount for mount in made(Confinement(shm_size=4096)).mounts if mount.destination == "/dev/shm"
    )

    assert shared.options[-1] == "size=4096"


def test_host_s_ipc_comes_with_the_host_s_shared_memory() -> None:
    config = made(Confinement(ipc="host"), borrowed={"ipc": None})

    assert "ipc" not in {namespace.type for namespace in config.linux.namespaces}
    assert Mount("/dev/shm", "bind", "/dev/shm", ("rbind", "rprivate")) in config.mounts


def test_host_s_name_is_left_alone_with_the_host_s_uts() -> None:
    config = made(Confinement(uts="host"), borrowed={"uts": None})

    assert config.hostname == ""


def test_other_container_s_processes_are_joined_by_path() -> None:
    config = made(Confinement(), borrowed={"pid": "/proc/7/ns/pid"})

    assert {space.type: space.path for space in config.linux.namespaces}["pid"] == "/proc/7/ns/pid"


def test_wished_device_is_made_and_may_be_opened_as_asked() -> None:
    linux = made(Confinement(device_rules=("c 1:* r",)), Host(wished=((FUSE, "rw"),))).linux

    assert linux.devices == (FUSE,)
    assert linux.resources.devices[-2:] == (
        DeviceRule(allow=True, type="c", major=10, minor=229, access="rw"),
        DeviceRule(allow=True, type="c", major=1, access="r"),
    )


def test_security_options_open_and_close() -> None:
    closed = made(Confinement(no_new_privileges=True, oom_score_adjustment=500))
    opened = made(Confinement(all_system_calls=True, all_system_paths=True))

    assert closed.process.no_new_privileges
    assert closed.process.oom_score_adj == 500
    assert closed.linux.seccomp is not None
    assert opened.linux.seccomp is None
    assert opened.linux.masked_paths == ()


def test_memory_nodes_and_block_weight_are_limits() -> None:
    resources = made(Confinement(), limits=Limits(cpuset_mems="0", block_weight=300)).linux.resources

    assert resources.cpu is not None
    assert resources.block_io is not None
    assert (resources.cpu.mems, resources.block_io.weight) == ("0", 300)


@pytest.mark.parametrize("text", ["", "c 1:3", "x 1:3 r", "c 1:3 z", "c a:b rwm"])
def test_rule_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(InvalidParameter, match="invalid device cgroup rule"):
        written_rule(text)


def test_more_groups_are_found_by_name_and_by_number() -> None:
    text = "root:x:0:\naudio:x:29:\n"
    user = account("", passwd="", group=text)

    assert joined(user, ("audio", "1234", "audio"), group=text).user.additional_gids == (0, 29, 1234)
    with pytest.raises(InvalidParameter, match="unable to find group video"):
        joined(user, ("video",), group=text)
