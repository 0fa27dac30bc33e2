import errno
import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridgehead.core.plan.diff import Create, Delete, Update, diff
from bridgehead.core.plan.objects import Directory, File, OverlayMount, Sysctl, state
from bridgehead.host.files.plane import FilePlane
from bridgehead.host.files.sysctl import SysctlPlane
from tests.host.space import mount_tmpfs, own_space

pytestmark = pytest.mark.host


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "containers"


@pytest.fixture
def plane(root: Path, tmp_path: Path) -> FilePlane:
    return FilePlane((str(root), str(tmp_path / "bundles")))


@pytest.fixture
def alone() -> Iterator[None]:
    with own_space():
        yield


def test_what_was_applied_is_observed(plane: FilePlane, root: Path, tmp_path: Path) -> None:
    wanted = state(
        Directory(f"{root}/one"),
        Directory(f"{tmp_path}/bundles/one"),
        File(f"{root}/one/hosts", "127.0.0.1\tlocalhost\n"),
        File(f"{root}/one/resolv.conf", "nameserver 127.0.0.11\n# \u00fc\n"),
        File(f"{root}/one/hostname", ""),
    )

    failed = plane.apply(diff(plane.observe(), wanted))

    assert failed == {}
    assert wanted == plane.observe()


def test_only_folders_and_the_known_files_in_them_are_ours(plane: FilePlane, root: Path) -> None:
    (root / "one" / "hosts").mkdir(parents=True)
    (root / "one" / "config.json").touch()
    (root / "stray").touch()
    (root / "link").symlink_to("/etc")
    (root / "one" / "hostname").symlink_to("/etc/hostname")
    os.mkfifo(root / "one" / "resolv.conf")

    assert state(Directory(f"{root}/one")) == plane.observe()


def test_a_file_is_changed_in_place(plane: FilePlane, root: Path) -> None:
    path = root / "one" / "hosts"
    old, new = File(str(path), "a long line\n" * 1000), File(str(path), "short\n")
    plane.apply([Create(Directory(str(path.parent))), Create(old)])
    held = path.open()

    failed = plane.apply([Update(old, new)])

    assert failed == {}
    with held:
        assert held.read() == "short\n"
    assert state(Directory(str(path.parent)), new) == plane.observe()


def test_new_files_can_be_read_by_everyone_whatever_the_umask(plane: FilePlane, root: Path) -> None:
    before = os.umask(0o077)
    try:
        plane.apply([Create(Directory(f"{root}/one")), Create(File(f"{root}/one/hosts", ""))])
    finally:
        os.umask(before)

    assert stat.S_IMODE((root / "one" / "hosts").stat().st_mode) == 0o644
    assert stat.S_IMODE((root / "one").stat().st_mode) == 0o700


def test_what_a_container_wrote_is_seen_but_never_followed(
    plane: FilePlane, root: Path, tmp_path: Path
) -> None:
    target = tmp_path / "precious"
    target.write_text("mine")
    plane.apply([Create(Directory(f"{root}/one"))])
    (root / "one" / "hosts").symlink_to(target)
    (root / "one" / "hostname").write_bytes(b"\xff" * (2 << 20))

    failed = plane.apply([Create(File(f"{root}/one/hosts", "ours"))])
    seen = plane.observe()["file", f"{root}/one/hostname"]

    assert [("file", f"{root}/one/hosts")] == list(failed)
    assert target.read_text() == "mine"
    assert isinstance(seen, File)
    assert len(seen.content) == 1 << 20


def test_a_deep_tree_full_of_links_goes_and_what_they_lead_to_stays(plane: FilePlane, root: Path) -> None:
    doomed = root / "one"
    kept = root / "two"
    plane.apply(
        [Create(Directory(str(doomed))), Create(Directory(str(kept))), Create(File(f"{kept}/hosts", ""))]
    )
    (doomed / "link").symlink_to(kept)
    (doomed / ".removing-0").mkdir()
    (doomed / ".removing-1").touch()
    _dig(doomed, 1500)

    failed = plane.apply([Delete(Directory(str(doomed))), Delete(Directory(str(doomed)))])

    assert failed == {}
    assert state(Directory(str(kept)), File(f"{kept}/hosts", "")) == plane.observe()


def _dig(folder: Path, depth: int) -> None:
    """A chain of folders too long for any path, each with a sibling that is not empty."""
    descriptor = os.open(folder, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir("side", dir_fd=descriptor)
        os.close(os.open("side/file", os.O_CREAT | os.O_WRONLY, dir_fd=descriptor))
        os.mkdir("down", dir_fd=descriptor)
        below = os.open("down", os.O_RDONLY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor = below
    os.close(descriptor)


@pytest.mark.usefixtures("alone")
def test_a_tree_with_something_mounted_in_it_is_refused_untouched(plane: FilePlane, root: Path) -> None:
    folder = Directory(f"{root}/one")
    inner = root / "one" / "a b" / "rootfs"
    plane.apply([Create(folder), Create(File(f"{root}/one/hosts", "x"))])
    inner.mkdir(parents=True)
    mount_tmpfs(inner)
    (inner / "file").touch()

    failed = plane.apply([Delete(folder)])

    error = failed[folder.key]
    assert isinstance(error, OSError)
    assert error.errno == errno.EBUSY
    assert (root / "one" / "hosts").exists()
    assert (inner / "file").exists()


def test_mounts_die_before_the_folders_they_are_in(root: Path) -> None:
    mount = OverlayMount(f"{root}/one/rootfs", ("/l",), f"{root}/one/upper", f"{root}/one/work")
    folder = Directory(f"{root}/one")

    assert [Delete(mount), Delete(folder)] == diff(state(folder, mount), {})


@pytest.mark.usefixtures("alone")
def test_settings_are_written_and_those_asked_for_read_back() -> None:
    known = Sysctl("net/ipv4/ip_forward", "1")
    missing = Sysctl("net/ipv4/no_such_setting", "1")
    plane = SysctlPlane((known.name, missing.name))

    failed = plane.apply([Create(known), Create(missing)])

    assert [missing.key] == list(failed)
    assert state(known) == plane.observe()
    assert SysctlPlane(()).observe() == {}


@pytest.mark.usefixtures("alone")
def test_settings_of_an_interface_that_is_gone_are_in_nobodys_way() -> None:
    setting = Sysctl("net/ipv4/conf/up0/route_localnet", "1")
    plane = SysctlPlane((setting.name,))

    assert plane.apply([Create(setting)]) == {}
    assert plane.observe() == state(setting)
    subprocess.run(["ip", "link", "add", "up0", "type", "bridge"], check=True, timeout=10)
    assert plane.observe() == state(Sysctl(setting.name, "0"))
    assert plane.apply([Update(Sysctl(setting.name, "0"), setting)]) == {}
    assert plane.observe() == state(setting)
    assert Path("/proc/sys/net/ipv4/conf/up0/route_localnet").read_text() == "1\n"


def test_what_a_container_made_of_its_files_is_no_drift(plane: FilePlane, root: Path) -> None:
    wanted = state(
        Directory(f"{root}/one"),
        File(f"{root}/one/hosts", "1\tone\n"),
        File(f"{root}/one/resolv.conf", "ours\n"),
    )
    plane.apply(diff({}, wanted))

    (root / "one" / "hosts").write_text("1\tone\n7\ttheirs\n")
    (root / "one" / "resolv.conf").write_text("theirs\n")

    assert diff(plane.observe(), wanted) == []


def test_an_edited_file_keeps_its_edits_while_ours_changes(plane: FilePlane, root: Path) -> None:
    hosts, resolv = f"{root}/one/hosts", f"{root}/one/resolv.conf"
    before = state(Directory(f"{root}/one"), File(hosts, "1\tone\n"), File(resolv, "ours\n"))
    after = state(Directory(f"{root}/one"), File(hosts, "2\tone\n"), File(resolv, "new\n"))
    plane.apply(diff({}, before))
    Path(hosts).write_text("1\tone\n7\ttheirs\n")
    Path(resolv).write_text("theirs\n")

    failed = plane.apply(diff(plane.observe(), after))

    assert failed == {}
    assert Path(hosts).read_text() == "2\tone\n7\ttheirs\n"
    assert Path(resolv).read_text() == "theirs\n"
    assert after == plane.observe()


def test_a_file_made_anew_knows_no_edits(plane: FilePlane, root: Path) -> None:
    folder, file = Directory(f"{root}/one"), File(f"{root}/one/hosts", "1\tone\n")
    plane.apply([Create(folder), Create(file)])
    Path(file.path).write_text("theirs\n")

    plane.apply([Delete(file), Create(file)])

    assert Path(file.path).read_text() == "1\tone\n"
    assert state(folder, file) == plane.observe()


def test_a_change_cut_off_before_it_was_recorded_is_done_again(plane: FilePlane, root: Path) -> None:
    folder, old = Directory(f"{root}/one"), File(f"{root}/one/hosts", "1\tone\n")
    new = File(old.path, "2\tone\n")
    plane.apply([Create(folder), Create(old)])
    Path(old.path).write_text("2\tone\n")  # as `apply` leaves it when it ends right there

    plane.apply(diff(plane.observe(), state(folder, new)))

    assert Path(old.path).read_text() == "2\tone\n"
    assert state(folder, new) == plane.observe()
