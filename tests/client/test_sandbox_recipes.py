"""What docs/sandboxes.md tells people to do."""

import json
import subprocess
import tarfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest

from tests.client import sandboxes
from tests.client.sandboxes import add, bridgehead, shown
from tests.support import guest, image
from tests.support.daemon import Daemon
from tests.support.wait import until

pytestmark = pytest.mark.host


@pytest.fixture
def lan(daemon: Daemon) -> Iterator[Daemon]:
    yield from sandboxes.lan(daemon)


def test_several_networks_and_a_chosen_name_at_once(lan: Daemon) -> None:
    lan.docker.ok("network", "create", "--subnet", "10.62.0.0/24", "back")
    name = "driver-opt=com.docker.network.endpoint.ifname=back0"

    path = add(lan, "blue", "--network", "lan", "--network", f"name=back,ip=10.62.0.9,alias=deep,{name}")

    assert guest.links(lan.host, path) == ["back0", "eth0", "lo"]
    assert guest.addresses(lan.host, path, "back0") == ["10.62.0.9"]
    listed = bridgehead(
        lan, "sandbox", "ls", "--filter", "network=back", "--format", "{{.Name}} {{.Networks}}"
    )
    assert listed == "blue back,lan"


def test_a_default_route_of_ones_own_is_named_and_internal_networks_need_none(lan: Daemon) -> None:
    lan.docker.ok("network", "create", "--internal", "--subnet", "10.63.0.0/24", "shut")
    path = guest.make(lan.host, "blue")
    for words in ("link add own0 type bridge", "link set own0 up", "address add 192.0.2.2/24 dev own0"):
        guest.run(lan.host, path, "ip", *words.split())
    guest.run(lan.host, path, "ip", "route", "add", "default", "via", "192.0.2.1")
    before = guest.run(lan.host, path, "ip", "route")
    bridgehead(lan, "sandbox", "add", "blue", "--netns", path)

    refused = lan.docker("network", "connect", "lan", "blue")

    assert "a route to 0.0.0.0/0" in refused.err
    assert guest.links(lan.host, path) == ["lo", "own0"]
    assert guest.run(lan.host, path, "ip", "route") == before
    lan.docker.ok("network", "connect", "shut", "blue")
    assert before.splitlines()[0] in guest.run(lan.host, path, "ip", "route")


def test_its_files_lead_programs_to_names(lan: Daemon) -> None:
    path = add(lan, "blue", "--network", "lan", "--add-host", "printer:192.0.2.9")
    files = {file: shown(lan, "blue")[key] for file, key in _FILES.items()}

    mounts = "; ".join(f"mount --bind {source} /etc/{file}" for file, source in files.items())
    script = f"{mounts}; ping -c1 -W2 web; cat /etc/hosts"
    inside = ("nsenter", f"--net={path}", "unshare", "--mount", "sh", "-ec", script)
    told = lan.host.run(*inside).stdout

    assert "PING web (10.60.0.10)" in told
    assert "192.0.2.9\tprinter" in told


_FILES = {"resolv.conf": "ResolvConfPath", "hosts": "HostsPath"}


def test_a_process_waits_for_its_network(lan: Daemon) -> None:
    go, out = lan.host.folder / "go", lan.host.folder / "out"
    lan.host.run("mkfifo", go)
    words = f"read -r _ <{go}; exec busybox nslookup -type=a web. 127.0.0.11 >{out}; "
    started = lan.host.popen(["unshare", "--net", "sh", "-c", words], stdin=subprocess.DEVNULL)
    pid = until(
        lambda: next(
            (pid for pid, said in lan.host.processes().items() if said.startswith("sh -c read")), None
        ),
        "the process",
    )
    bridgehead(lan, "sandbox", "add", "server", "--pid", str(pid), "--network", "lan")

    lan.host.run("sh", "-c", f"echo >{go}")

    started.wait(10)
    assert "10.60.0.10" in out.read_text()


def test_an_oci_runtime_by_itself_runs_in_a_prepared_namespace(lan: Daemon) -> None:
    path = add(lan, "blue", "--network", "lan", "--network-alias", "plain")
    bundle = _bundle(lan, path)

    told = lan.host.run("runc", "run", "--bundle", bundle, "plain").stdout

    assert "PING web (10.60.0.10)" in told
    assert "1 packets received" in told


def _bundle(daemon: Daemon, namespace: str) -> Path:
    """What any OCI runtime takes: a root, and a configuration that names the namespace and the two files."""
    bundle = daemon.host.folder / "bundle"
    with tarfile.open(fileobj=BytesIO(image.archive())) as archive:
        archive.extractall(bundle / "rootfs", filter="tar")
    daemon.host.run("runc", "spec", "--bundle", bundle)
    path = bundle / "config.json"
    config = json.loads(path.read_text())
    config["process"] |= {"terminal": False, "args": ["ping", "-c1", "-W2", "web"]}
    config["process"]["capabilities"] = {
        kind: ["CAP_NET_RAW"] for kind in ("bounding", "effective", "permitted")
    }
    for entry in config["linux"]["namespaces"]:
        if entry["type"] == "network":
            entry["path"] = namespace
    for file, key in _FILES.items():
        bound = {"type": "bind", "options": ["bind", "ro"], "source": shown(daemon, "blue")[key]}
        config["mounts"].append({"destination": f"/etc/{file}", **bound})
    path.write_text(json.dumps(config))
    return bundle
