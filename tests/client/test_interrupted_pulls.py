"""Pulls that are shared, given up, or cut off with the daemon."""

import json
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridgehead.core.images import distribution
from bridgehead.core.images.distribution import Blob
from tests.client import registry_images
from tests.host.images.building import digest
from tests.support import slow_registry
from tests.support.daemon import Daemon
from tests.support.wait import until

pytestmark = pytest.mark.host

NAME = "127.0.0.1:5002/slow:1"
UNPACKING = "bridgehead.host.images.unpack"


@pytest.fixture
def folder(fresh_daemon: Daemon) -> Iterator[Path]:
    """Of a slow registry that runs beside the daemon."""
    host = fresh_daemon.host
    folder = host.folder / "slow"
    folder.mkdir()
    layer = registry_images.layers("slow", 3_000_000)[1]
    config = registry_images.config([layer])
    blobs = [Blob(digest(content), len(content)) for content in (config, layer)]
    (folder / "manifest.json").write_bytes(distribution.docker_manifest(blobs[0], blobs[1:]))
    (folder / "config.json").write_bytes(config)
    (folder / "layer.tar").write_bytes(layer)
    host.popen([sys.executable, slow_registry.__file__, folder, "5002"])
    until((folder / "ready").exists, "the slow registry")
    yield folder
    (folder / "go").touch()


def _layers(daemon: Daemon) -> list[str]:
    return sorted(path.name for path in (daemon.host.folder / "data/layers").iterdir())


def _unpacking(daemon: Daemon) -> bool:
    return any(UNPACKING in words for words in daemon.host.processes().values())


def _layer_requests(folder: Path) -> int:
    wanted = json.loads((folder / "manifest.json").read_text())["layers"][0]["digest"]
    log = folder / "log"
    return log.read_text().count(wanted) if log.exists() else 0


def test_two_pulls_of_one_image_share_the_work(fresh_daemon: Daemon, folder: Path) -> None:
    first = fresh_daemon.docker.popen("pull", NAME)
    until(lambda: _layer_requests(folder), "the first pull")
    second = fresh_daemon.docker.popen("pull", NAME)
    assert second.stdout is not None
    until(lambda: b"Pulling from" in second.stdout.readline(), "the second pull")

    (folder / "go").touch()

    for process in (first, second):
        out, err = process.communicate(timeout=20)
        assert process.returncode == 0, err
        assert b"Status: Downloaded newer image" in out
    assert _layer_requests(folder) == 1


def test_a_pull_goes_on_while_one_client_of_two_waits(fresh_daemon: Daemon, folder: Path) -> None:
    first = fresh_daemon.docker.popen("pull", NAME)
    until(lambda: _layer_requests(folder), "the first pull")
    second = fresh_daemon.docker.popen("pull", NAME)
    assert second.stdout is not None
    until(lambda: b"Pulling from" in second.stdout.readline(), "the second pull")

    first.send_signal(signal.SIGINT)
    first.communicate(timeout=10)
    (folder / "go").touch()

    out, err = second.communicate(timeout=20)
    assert second.returncode == 0, err
    assert b"Status: Downloaded newer image" in out


def test_a_client_that_goes_away_ends_the_pull(fresh_daemon: Daemon, folder: Path) -> None:
    before = _layers(fresh_daemon)
    client = fresh_daemon.docker.popen("pull", NAME)
    until(lambda: _unpacking(fresh_daemon), "the layer")

    client.kill()
    client.communicate(timeout=10)

    until(lambda: not _unpacking(fresh_daemon), "the end of unpacking")
    until(lambda: _layers(fresh_daemon) == before, "no half layer")
    assert fresh_daemon.docker("image", "inspect", NAME).code == 1


def test_a_killed_daemon_leaves_nothing_half_made(fresh_daemon: Daemon, folder: Path) -> None:
    before = _layers(fresh_daemon)
    client = fresh_daemon.docker.popen("pull", NAME)
    until(lambda: _unpacking(fresh_daemon), "the layer")

    fresh_daemon.kill()
    client.communicate(timeout=10)
    (folder / "go").touch()
    fresh_daemon.start()

    assert _layers(fresh_daemon) == before
    assert fresh_daemon.docker("image", "inspect", NAME).code == 1
    fresh_daemon.docker.ok("pull", NAME)


def test_the_daemon_ends_in_the_middle_of_a_pull(fresh_daemon: Daemon, folder: Path) -> None:
    client = fresh_daemon.docker.popen("pull", NAME)
    until(lambda: _unpacking(fresh_daemon), "the layer")

    fresh_daemon.stop()

    client.communicate(timeout=10)
    assert client.returncode != 0
    assert not [name for name in _layers(fresh_daemon) if name.startswith("tmp-")]
