"""Folders of the host inside a container."""

import pytest

from tests.support.daemon import Daemon

pytestmark = pytest.mark.host


def test_volume_flag_makes_the_folder_that_is_missing(daemon: Daemon) -> None:
    daemon.docker.ok("run", "--rm", "-v", "/run/made/here:/mnt", "busybox", "touch", "/mnt/x")

    assert (daemon.host.root / "run/made/here/x").exists()


def test_mount_flag_wants_it_to_be_there(daemon: Daemon) -> None:
    answer = daemon.docker("run", "--rm", "--mount", "type=bind,src=/run/nothing,dst=/mnt", "busybox", "true")

    assert answer.code == 125
    assert "bind source path does not exist: /run/nothing" in answer.err
