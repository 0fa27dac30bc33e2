"""What an engine says to a plugin during a session of docker commands, in a form that can be compared.

`plugin_conversation.txt` is what dockerd 20.10 was observed to say. Identifiers and MAC addresses are
numbered in their order; ports stand in a map of Go's, so they are sorted; EndpointOperInfo is left out, for
it is asked whenever somebody looks.
"""

import json
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tests.support.daemon import Daemon
from tests.support.wait import until

ROOT = Path(__file__).parents[2]
OBSERVED = Path(__file__).with_name("plugin_conversation.txt")
_SUBNET = "--subnet 10.123.0.0/24 --aux-address x=10.123.0.9"
COMMANDS = (
    f"network create -d tp --ipam-driver tp --ipam-opt io=1 -o a=b {_SUBNET} pn",
    "run -d --name c1 --net pn -p 8080:80 --expose 90 --network-alias al -e A=1 busybox sleep 1000",
    "exec c1 ip route",
    "network connect bridge c1",
    "network disconnect bridge c1",
    "rm -f c1",
    "network create -d tp --ipam-driver tp pauto",
    "network create -d tp -o boom=1 --subnet 10.124.0.0/24 pb",
    "network create -d tp -o http500=1 --subnet 10.125.0.0/24 pb",
    "network create -d tp --internal --ipv6 --subnet 10.126.0.0/24 --subnet fd00:9::/64 pb6",
    "network rm pb6",
    "network rm pn pauto",
)
REFUSED = {
    COMMANDS[7]: "remote: boom requested",
    COMMANDS[8]: "NetworkDriver.CreateNetwork: http500 requested",
}

_IDENTIFIER = re.compile(r"\b[0-9a-f]{64}\b")
_MAC = re.compile(r"\b[0-9a-f]{2}(?::[0-9a-f]{2}){5}\b")


def play(daemon: Daemon) -> tuple[list[str], list[str]]:
    """The conversation, normalised, and what docker printed for each of `COMMANDS`. `daemon` must be new."""
    record = daemon.host.folder / "calls.txt"
    record.touch()
    daemon.host.popen(
        [sys.executable, "-m", "tests.support.recording_plugin", record],
        cwd=ROOT,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "PYTHONPATH": str(ROOT)},
    )
    socket = daemon.host.root / "run/docker/plugins/tp.sock"
    until(socket.exists, "the plugin's socket", limit_s=20)
    printed = []
    for command in COMMANDS:
        answer = daemon.docker(*command.split(), timeout_s=60)
        assert bool(answer.code) is (command in REFUSED), str(answer)
        printed.append(answer.out + answer.err)
    return list(normalised(record.read_text().splitlines())), printed


def normalised(lines: Iterable[str]) -> Iterator[str]:
    names: dict[str, str] = {}
    for line in lines:
        method, _, request = line.partition(" ")
        if method == "NetworkDriver.EndpointOperInfo":
            continue
        text = json.dumps(_sorted_ports(json.loads(request)))
        for pattern, name in ((_IDENTIFIER, "ID"), (_MAC, "MAC")):
            for found in pattern.findall(text):
                count = sum(1 for given in names.values() if given.startswith(name))
                names.setdefault(found, f"{name}{count + 1}")
                text = text.replace(found, names[found])
        yield f"{method} {text}"


def _sorted_ports(value: Any) -> Any:
    if isinstance(value, dict):
        if "SandboxKey" in value:
            value["SandboxKey"] = "KEY"
        return {key: _sorted_ports(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return sorted((_sorted_ports(inner) for inner in value), key=json.dumps)
    return value
