"""Plain runc and crun, by the example's hook and in a prepared namespace, beside docker's containers."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.client.starting import sleeper
from tests.support import image
from tests.support.bridgehead import bridgehead, plan
from tests.support.daemon import Daemon
from tests.support.podman import environment, found
from tests.support.testhost import Host
from tests.support.wait import until
from tests.support.web import page

pytestmark = pytest.mark.host

HOOK = Path(__file__).parents[2] / "examples/oci-hook/bridgehead_hook.py"
_DOCUMENTED = json.loads(HOOK.with_name("README.md").read_text().split("```json\n")[1].split("```")[0])
RUNTIMES = [
    pytest.param(name, marks=pytest.mark.skipif(not found(name), reason=f"{name} is not here"))
    for name in ("runc", "crun")
]


@pytest.fixture(scope="module")
def machine() -> Iterator[Daemon]:
    with Host("oci") as host, bridgehead(host) as daemon:
        daemon.import_image()
        for network in ("backend", "frontend"):
            daemon.docker.ok("network", "create", network)
        sleeper(daemon, "db", "--network", "backend")
        yield daemon
        assert plan(daemon) == []


class Bundle:
    """A container of the runtime's own, which Bridgehead knows by the hook alone."""

    def __init__(self, daemon: Daemon, runtime: str, **annotations: str) -> None:
        self.daemon, self.runtime = daemon, runtime
        self.name = annotations.get("name", f"plain-{runtime}")
        self.folder = daemon.host.folder / f"bundle-{self.name}"
        shutil.rmtree(self.folder, ignore_errors=True)
        (self.folder / "rootfs").mkdir(parents=True)
        daemon.host.run("tar", "-C", self.folder / "rootfs", "-xf", self._archive())
        (self.folder / "rootfs/etc/resolv.conf").touch()
        (self.folder / "resolv.conf").write_text("nameserver 127.0.0.11\noptions ndots:0\n")
        self._call("spec", "--bundle", str(self.folder))
        named = {f"bridgehead.{key}": value for key, value in annotations.items()}
        told = {"run.oci.hooks.stderr": str(self.folder / "hook.log")}  # crun keeps it to itself otherwise
        self._edit(annotations={"bridgehead.socket": str(daemon.socket), **told, **named})

    def _archive(self) -> Path:
        path = self.folder / "busybox.tar"
        path.write_bytes(image.archive())
        return path

    def _edit(self, annotations: dict[str, str]) -> None:
        path = self.folder / "config.json"
        config = json.loads(path.read_text())
        config["annotations"] = annotations
        config["hooks"] = _DOCUMENTED["hooks"]
        for (hook,) in config["hooks"].values():
            hook["path"] = str(HOOK)
        config["process"] |= {"terminal": False, "args": ["/bin/sleep", "1000"]}
        config["root"]["readonly"] = False
        for allowed in config["process"]["capabilities"].values():
            allowed.append("CAP_NET_RAW")  # what ping needs
        config["mounts"] = [mount for mount in config["mounts"] if mount["destination"] != "/sys/fs/cgroup"]
        config["mounts"] += _DOCUMENTED["mounts"]
        del config["linux"]["resources"]  # crun needs a right for it that a test host may lack
        config["linux"]["cgroupsPath"] = f"/{self.name}"
        path.write_text(json.dumps(config))

    def prepared(self, path: str) -> None:
        """Use a network namespace that is there, and no hook."""
        config = json.loads((self.folder / "config.json").read_text())
        for namespace in config["linux"]["namespaces"]:
            if namespace["type"] == "network":
                namespace["path"] = path
        del config["hooks"]
        (self.folder / "config.json").write_text(json.dumps(config))

    def _call(self, *words: str, check: bool = True) -> Any:
        return self.daemon.host.run(*self._argv(*words), check=check, environment=environment(self.runtime))

    def _argv(self, *words: str) -> list[str]:
        argv = [found(self.runtime), "--root", f"/run/plain-{self.runtime}", *words]
        # Debian's crun refuses control groups of both versions side by side, so it sees one version alone.
        one_version = 'mount -t cgroup2 cgroup2 /sys/fs/cgroup && exec "$@"'
        alone = ["unshare", "--mount", "--propagation", "slave", "sh", "-c", one_version, "sh"]
        return [*alone, *argv] if self.runtime == "crun" else argv

    def start(self, *, check: bool = True) -> Any:
        # The container would keep the pipes of `run` open: its output goes elsewhere.
        quiet = 'exec "$@" >"$0" 2>&1 </dev/null'
        log = self.folder / "log"
        outcome = self.daemon.host.run(
            *("sh", "-c", quiet, log, *self._argv("run", "-d", "--bundle", str(self.folder), self.name)),
            check=False,
            environment=environment(self.runtime),
        )
        assert outcome.returncode == 0 or not check, log.read_text()
        return outcome.returncode, "".join(path.read_text() for path in self.folder.glob("*log"))

    def run(self, *argv: str, check: bool = True) -> str:
        return str(self._call("exec", self.name, *argv, check=check).stdout).strip()

    def delete(self) -> None:
        self._call("delete", "--force", self.name)


def sandboxes(daemon: Daemon) -> set[str]:
    return {entry["Name"].removeprefix("/") for entry in daemon.call("GET", "/sandboxes")[1]}


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_hook_makes_a_container_one_of_the_network(machine: Daemon, runtime: str) -> None:
    bundle = Bundle(
        machine, runtime, name=f"web-{runtime}", networks="backend,frontend", aliases="www", publish="8088:80"
    )

    bundle.start()
    try:
        assert sandboxes(machine) == {f"web-{runtime}"}
        assert "1 packets received" in bundle.run("ping", "-c1", "-W3", "db")
        for name in (f"web-{runtime}", "www"):
            assert "1 packets received" in machine.docker.ok("exec", "db", "ping", "-c1", "-W3", name)
        bundle.run("sh", "-c", "mkdir -p /tmp/www; echo hello >/tmp/www/index.html; httpd -h /tmp/www")
        assert page(machine.host, "127.0.0.1:8088") == "hello\n"
    finally:
        bundle.delete()

    assert sandboxes(machine) == set()
    assert page(machine.host, "127.0.0.1:8088") == ""


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_what_the_daemon_refuses_fails_the_start(machine: Daemon, runtime: str) -> None:
    bundle = Bundle(machine, runtime, networks="nowhere")

    code, said = bundle.start(check=False)

    assert code != 0
    assert "network nowhere not found" in said
    assert sandboxes(machine) == set()


def test_sandbox_goes_with_its_process_when_no_hook_runs(machine: Daemon) -> None:
    bundle = Bundle(machine, "runc", networks="backend")
    bundle.start()
    pid = json.loads(bundle._call("state", bundle.name).stdout)["pid"]

    machine.host.kill(pid)

    until(lambda: not sandboxes(machine), "the sandbox is gone")
    bundle.delete()


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_namespace_prepared_before_outlives_its_container(machine: Daemon, runtime: str) -> None:
    machine.host.run("ip", "netns", "add", "prepared")
    status, _ = machine.call(
        "POST",
        "/sandboxes/create?name=prepared",
        {"Netns": "/run/netns/prepared", "NetworkingConfig": {"EndpointsConfig": {"backend": {}}}},
    )
    assert status == 201
    bundle = Bundle(machine, runtime)
    bundle.prepared("/run/netns/prepared")

    addresses = []
    for _ in range(2):
        bundle.start()
        assert "1 packets received" in machine.docker.ok("exec", "db", "ping", "-c1", "-W3", "prepared")
        addresses.append(bundle.run("ip", "-o", "-4", "address", "show", "eth0"))
        bundle.delete()

    assert addresses[0] == addresses[1]
    machine.host.run("ip", "netns", "delete", "prepared")
    until(lambda: not sandboxes(machine), "the sandbox is gone")
