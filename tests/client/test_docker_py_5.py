"""docker-py 5, which Debian's docker-compose is built on, by Debian's own Python."""

import os
import subprocess

import pytest

from tests.support import compose
from tests.support.daemon import Daemon

pytestmark = [pytest.mark.host, pytest.mark.skipif(bool(compose.OLD_MISSING), reason="no docker-py 5 here")]

_STORY = """
import docker, docker.types
assert docker.__version__.startswith("5."), docker.__version__
client = docker.from_env(timeout=20)
pool = docker.types.IPAMPool(subnet="10.94.0.0/24")
network = client.networks.create("lan", ipam=docker.types.IPAMConfig(pool_configs=[pool]))
volume = client.volumes.create("data", labels={"a": "b"})
bound = {"data": {"bind": "/m"}}
box = client.containers.run("busybox", "sleep 1000", name="box", detach=True, volumes=bound)
network.connect(box, aliases=["peer"], ipv4_address="10.94.0.9")
box.reload()
assert box.attrs["NetworkSettings"]["Networks"]["lan"]["IPAddress"] == "10.94.0.9"
code, said = box.exec_run(["sh", "-c", "echo out; echo err >&2; exit 3"], demux=True)
assert (code, said) == (3, (b"out\\n", b"err\\n")), (code, said)
said = client.containers.run("busybox", "ping -c 1 peer", network="lan", remove=True)
assert b"1 packets received" in said
try:
    volume.remove()
    raise SystemExit("a volume in use was removed")
except docker.errors.APIError as error:
    assert error.status_code == 409
    assert "(box)" in error.explanation
network.disconnect(box)
box.remove(force=True)
assert client.networks.prune()["NetworksDeleted"] == ["lan"]
volume.remove()
assert client.volumes.list() == []
print("done")
"""


def test_story_of_networks_containers_and_volumes(daemon: Daemon) -> None:
    environment = {**daemon.docker.environment, **compose.old_environment()}

    told = subprocess.run(
        [compose.OLD_PYTHON, "-c", _STORY],
        env=environment,
        cwd=os.sep,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert told.stdout == "done\n", told.stderr
