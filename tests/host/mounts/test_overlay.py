import errno
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bridgehead.core.plan.diff import Create, Delete, diff
from bridgehead.core.plan.objects import OverlayMount, state
from bridgehead.host.mounts.plane import MountPlane
from tests.host.space import mount_tmpfs, own_space

pytestmark = pytest.mark.host


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    """A data root on a file system that overlays can have their upper folder on."""
    with own_space():
        mount_tmpfs(tmp_path)
        (tmp_path / "containers").mkdir()
        yield tmp_path


@pytest.fixture
def plane(data: Path) -> MountPlane:
    return MountPlane(f"{data}/containers")


def overlay(data: Path, name: str = "one", layers: int = 2, prefix: str = "layer") -> OverlayMount:
    """With that many layers, each with a file of its own and a `top` that says which it is."""
    lower = []
    for number in range(layers):
        layer = data / "layers" / f"{prefix}{number:03}"
        layer.mkdir(parents=True, exist_ok=True)
        (layer / f"only{number}").touch()
        (layer / "top").write_text(str(number))
        lower.append(str(layer))
    home = f"{data}/containers/{name}"
    return OverlayMount(f"{home}/rootfs", tuple(lower), f"{home}/upper", f"{home}/work")


@pytest.mark.parametrize(
    ("layers", "prefix"),
    [(1, "layer"), (3, "layer"), (2, "a,b:c d\\e="), (120, "layer-with-a-long-name-" * 4)],
)
def test_what_was_mounted_is_observed(data: Path, plane: MountPlane, layers: int, prefix: str) -> None:
    wanted = overlay(data, layers=layers, prefix=prefix)

    failed = plane.apply([Create(wanted)])

    assert failed == {}
    assert state(wanted) == plane.observe()
    assert str(layers - 1) == Path(wanted.target, "top").read_text()
    assert Path(wanted.target, "only0").exists()


def test_writing_goes_to_the_upper_folder_whose_mode_is_open(data: Path, plane: MountPlane) -> None:
    wanted = overlay(data)
    plane.apply([Create(wanted)])

    Path(wanted.target, "new").touch()

    assert Path(wanted.upper, "new").exists()
    assert not Path(wanted.lower[1], "new").exists()
    assert stat.S_IMODE(Path(wanted.target).stat().st_mode) == 0o755


def test_mounting_twice_and_unmounting_twice_succeed(data: Path, plane: MountPlane) -> None:
    wanted = overlay(data)

    failed = plane.apply([Create(wanted), Create(wanted), Delete(wanted), Delete(wanted)])

    assert failed == {}
    assert plane.observe() == {}


def test_what_was_written_is_there_again_after_a_new_mount(data: Path, plane: MountPlane) -> None:
    wanted = overlay(data)
    plane.apply([Create(wanted)])
    Path(wanted.target, "kept").write_text("x")
    Path(wanted.target).chmod(0o700)

    failed = plane.apply([Delete(wanted), Create(wanted)])

    assert failed == {}
    assert Path(wanted.target, "kept").read_text() == "x"
    assert stat.S_IMODE(Path(wanted.target).stat().st_mode) == 0o700


def test_one_that_is_in_use_leaves_the_tree_at_once(data: Path, plane: MountPlane) -> None:
    wanted = overlay(data)
    plane.apply([Create(wanted)])

    with Path(wanted.target, "top").open():
        failed = plane.apply([Delete(wanted)])
        seen = plane.observe()

    assert failed == {}
    assert seen == {}


def test_another_mount_at_the_target_is_left_alone(data: Path, plane: MountPlane) -> None:
    wanted = overlay(data)
    Path(wanted.target).mkdir(parents=True)
    mount_tmpfs(Path(wanted.target))

    failed = plane.apply([Create(wanted)])

    error = failed[wanted.key]
    assert isinstance(error, OSError)
    assert error.errno == errno.EBUSY
    assert plane.observe() == {}


def test_a_missing_layer_fails_alone(data: Path, plane: MountPlane) -> None:
    good = overlay(data, "good")
    bad = replace(overlay(data, "bad"), lower=(f"{data}/layers/gone",))

    failed = plane.apply([Create(bad), Create(good)])

    assert [bad.key] == list(failed)
    assert state(good) == plane.observe()


def test_overlays_elsewhere_are_not_ours(data: Path, plane: MountPlane) -> None:
    wanted = overlay(data)
    MountPlane(str(data)).apply([Create(wanted)])

    assert MountPlane(f"{data}/cont").observe() == {}
    assert diff(plane.observe(), state(wanted)) == []


def test_a_root_behind_a_symbolic_link_keeps_its_spelling(data: Path) -> None:
    (data / "link").symlink_to(data / "containers")
    inside = overlay(data)
    wanted = OverlayMount(f"{data}/link/one/rootfs", inside.lower, inside.upper, inside.work)
    plane = MountPlane(f"{data}/link")

    failed = plane.apply([Create(wanted), Create(wanted)])

    assert failed == {}
    assert state(wanted) == plane.observe()
