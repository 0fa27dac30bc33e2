"""What images take of the disk, as the docker command line shows it."""

import json
from typing import Any

import pytest

from tests.client import registry_images
from tests.support import image
from tests.support.bridgehead import bridgehead
from tests.support.daemon import Daemon
from tests.support.testhost import Host

pytestmark = pytest.mark.host


def _load(daemon: Daemon, name: str, size: int) -> None:
    path = registry_images.saved(daemon.host.folder / "x.tar", registry_images.layers(name, size))
    daemon.docker.ok("load", "-q", "-i", str(path))
    daemon.docker.ok("tag", "any:tag", name)
    daemon.docker.ok("rmi", "any:tag")


def _use(daemon: Daemon) -> Any:
    status, answer = daemon.call("GET", "/system/df")
    assert status == 200
    return answer


def test_a_layer_that_images_share_counts_once(daemon: Daemon) -> None:
    _load(daemon, "one", 1000)
    _load(daemon, "two", 2000)

    use = _use(daemon)
    sizes = {entry["RepoTags"][0]: (entry["Size"], entry["SharedSize"]) for entry in use["Images"]}
    shown = daemon.docker.ok("system", "df", "-v")
    history = daemon.docker.ok("history", "--human=false", "--format", "{{.CreatedBy}} {{.Size}}", "one")
    status, listed = daemon.call("GET", "/images/json?shared-size=1")
    daemon.docker.ok("rmi", "one", "two")

    base = sizes["busybox:latest"][0]
    assert sizes == {
        "busybox:latest": (base, base),
        "one:latest": (base + 1000, base),
        "two:latest": (base + 2000, base),
    }
    assert base > len(image.BUSYBOX.read_bytes())
    assert use["LayersSize"] == base + 3000
    assert "one" in shown
    assert history.splitlines() == ["own 1000", f"busybox {base}"]
    assert status == 200
    assert {entry["SharedSize"] for entry in listed} == {base}


def test_registries_are_shown_by_info(host: Host) -> None:
    flags = ("--insecure-registry", "reg:5000", "--insecure-registry", "10.0.0.0/8")
    with bridgehead(host, *flags, "--registry-mirror", "https://mirror.example") as daemon:
        shown = json.loads(daemon.docker.ok("info", "--format", "{{json .RegistryConfig}}"))

    assert shown["InsecureRegistryCIDRs"] == ["::1/128", "127.0.0.0/8", "10.0.0.0/8"]
    assert shown["IndexConfigs"]["reg:5000"]["Secure"] is False
    assert shown["Mirrors"] == ["https://mirror.example"]


def test_a_loaded_image_that_is_removed_leaves_no_layer(daemon: Daemon) -> None:
    layers = daemon.host.folder / "data/layers"
    before = sorted(path.name for path in layers.iterdir())
    _load(daemon, "three", 3000)
    assert len(list(layers.iterdir())) == len(before) + 1

    daemon.docker.ok("rmi", "three")

    assert sorted(path.name for path in layers.iterdir()) == before
