"""Volumes' folders on a real file system."""

import os
from pathlib import Path

import pytest

from bridgehead.core.model.ids import VolumeName
from bridgehead.host.files.volumes import LocalVolumes

pytestmark = pytest.mark.host
NAME = VolumeName("data")


@pytest.fixture
def shelf(tmp_path: Path) -> LocalVolumes:
    made = LocalVolumes(str(tmp_path / "volumes"))
    made.make(NAME)
    return made


@pytest.fixture
def content(tmp_path: Path) -> Path:
    return tmp_path / "volumes/data/_data"


@pytest.fixture
def rootfs(tmp_path: Path) -> Path:
    root = tmp_path / "rootfs"
    (root / "var/www").mkdir(parents=True)
    return root


def test_empty_volume_gets_files_owners_modes_and_links(
    shelf: LocalVolumes, content: Path, rootfs: Path
) -> None:
    folder = rootfs / "var/www"
    folder.chmod(0o2775)
    os.chown(folder, 33, 34)
    (folder / "page").write_text("hello")
    os.chown(folder / "page", 33, 33)
    (folder / "link").symlink_to("/etc/passwd")

    shelf.populate(NAME, str(rootfs), "/var/www")

    status = content.stat()
    assert (status.st_mode & 0o7777, status.st_uid, status.st_gid) == (0o2775, 33, 34)
    assert ((content / "page").read_text(), (content / "page").stat().st_uid) == ("hello", 33)
    assert (content / "link").readlink() == Path("/etc/passwd")


def test_volume_that_holds_something_is_left_alone(shelf: LocalVolumes, content: Path, rootfs: Path) -> None:
    (rootfs / "var/www/page").write_text("the image's")
    (content / "own").write_text("kept")

    shelf.populate(NAME, str(rootfs), "/var/www")

    assert [entry.name for entry in content.iterdir()] == ["own"]


def test_links_of_an_image_do_not_lead_to_the_host(shelf: LocalVolumes, content: Path, rootfs: Path) -> None:
    outside = rootfs.parent / "outside"
    outside.mkdir()
    (outside / "secret").write_text("the host's")
    (rootfs / "way").symlink_to(outside)

    shelf.populate(NAME, str(rootfs), "/way")

    assert list(content.iterdir()) == []


def test_path_that_the_image_lacks_leaves_the_volume_empty(
    shelf: LocalVolumes, content: Path, rootfs: Path
) -> None:
    shelf.populate(NAME, str(rootfs), "/nowhere")

    assert list(content.iterdir()) == []


def test_copy_that_was_cut_off_is_made_again(shelf: LocalVolumes, content: Path, rootfs: Path) -> None:
    (rootfs / "var/www/page").write_text("whole")
    half = content.parent / "_filling"
    half.mkdir()
    (half / "page").write_text("ha")

    shelf.populate(NAME, str(rootfs), "/var/www")

    assert (content / "page").read_text() == "whole"
    assert not half.exists()


def test_size_counts_a_file_with_two_names_once(shelf: LocalVolumes, content: Path) -> None:
    (content / "one").write_bytes(b"x" * 1000)
    (content / "two").hardlink_to(content / "one")

    assert shelf.size(NAME) == 1000


def test_removing_takes_everything_and_may_be_repeated(shelf: LocalVolumes, content: Path) -> None:
    (content / "deep/er").mkdir(parents=True)

    shelf.remove(NAME)
    shelf.remove(NAME)

    assert not content.parent.exists()
