from bridgehead.core.model.container import Bind
from bridgehead.core.oci.config import Mount
from bridgehead.core.oci.mounts import mounts


def made(*, binds=(), tmpfs=None, files=None, privileged=False):
    return mounts(binds=binds, tmpfs=tmpfs or {}, files=files or {}, privileged=privileged)


def test_kernel_file_systems_come_first():
    actual = [mount.destination for mount in made(binds=[Bind("/a", "/data")])]

    assert actual == [
        "/proc",
        "/dev",
        "/dev/pts",
        "/sys",
        "/sys/fs/cgroup",
        "/dev/mqueue",
        "/dev/shm",
        "/data",
    ]


def test_parents_are_mounted_before_their_children():
    binds = [Bind("/a", "/data/deep/er"), Bind("/b", "/data/"), Bind("/c", "/data/deep")]

    actual = [mount.destination for mount in made(binds=binds)[-3:]]

    assert actual == ["/data", "/data/deep", "/data/deep/er"]


def test_bind_keeps_access_and_propagation():
    actual = made(binds=[Bind("/a", "/data", read_only=True, propagation="rshared")])[-1]

    assert Mount("/data", "bind", "/a", ("rbind", "ro", "rshared")) == actual


def test_tmpfs_is_confined_unless_told_otherwise():
    actual = made(tmpfs={"/scratch": "size=1m,exec"})[-1]

    assert Mount("/scratch", "tmpfs", "tmpfs", ("noexec", "nosuid", "nodev", "size=1m", "exec")) == actual


def test_user_replaces_a_default():
    actual = [mount for mount in made(binds=[Bind("/a", "/dev/shm")]) if mount.destination == "/dev/shm"]

    assert [Mount("/dev/shm", "bind", "/a", ("rbind", "rprivate"))] == actual


def test_user_replaces_one_of_our_files():
    files = {"/etc/hosts": "/c/hosts", "/etc/hostname": "/c/hostname"}

    actual = made(binds=[Bind("/mine", "/etc/hosts")], files=files)[-2:]

    assert {"/mine", "/c/hostname"} == {mount.source for mount in actual}


def test_only_the_privileged_may_write_to_sysfs():
    confined = {mount.destination: mount.options for mount in made()}
    privileged = {mount.destination: mount.options for mount in made(privileged=True)}

    assert ("ro" in confined["/sys"], "ro" in confined["/sys/fs/cgroup"]) == (True, True)
    assert ("ro" in privileged["/sys"], "ro" in privileged["/sys/fs/cgroup"]) == (False, False)
