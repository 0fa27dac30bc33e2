from pathlib import Path

import pytest

from bridgehead.core.model.errors import HostRefused
from bridgehead.host.runtime import image_files
from bridgehead.host.runtime.choice import choose

pytestmark = pytest.mark.host


async def test_chosen_runtime_made_a_container(yard):
    program = await choose(yard.cgroup)

    assert Path(program).name in {"crun", "runc"}
    assert yard.groups() == []


async def test_host_without_a_runtime_says_so(yard, monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")

    with pytest.raises(HostRefused, match="no OCI runtime works here: crun is not installed; runc is"):
        await choose(yard.cgroup)


def test_link_in_an_image_does_not_lead_out(tmp_path):
    root = tmp_path / "rootfs"
    (root / "etc").mkdir(parents=True)
    (tmp_path / "secret").write_text("outside")
    (root / "etc/passwd").symlink_to(tmp_path / "secret")
    (root / "etc/group").symlink_to("/etc/real")
    (root / "etc/real").write_text("inside")

    assert (
        image_files.read(str(root), "/etc/passwd"),
        image_files.read(str(root), "/etc/group"),
    ) == ("", "inside")
