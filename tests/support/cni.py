"""A container runtime's part of CNI: it makes namespaces and calls the plugin, as cnitool does."""

import itertools
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.daemon import Daemon

PROGRAM = Path(sys.executable).parent / "bridgehead-cni"
EVERY_CAPABILITY = {"portMappings": True, "ips": True, "mac": True, "aliases": True, "dns": True}

_serial = itertools.count(1)


class PluginFailed(AssertionError):
    """`answer` is the error as the plugin wrote it."""

    def __init__(self, command: str, answer: Mapping[str, Any]) -> None:
        super().__init__(f"{command}: {answer}")
        self.answer = answer
        self.code = answer["code"]
        self.message = answer["msg"]


@dataclass
class Namespace:
    """A network namespace with a name, in which a test can run commands."""

    daemon: Daemon
    container: str
    path: str

    def run(self, *argv: str, check: bool = True) -> str:
        return self.daemon.host.run("nsenter", f"--net={self.path}", *argv, check=check).stdout.strip()

    def links(self) -> set[str]:
        found = json.loads(self.run("ip", "-json", "link", "show"))
        return {link["ifname"] for link in found} - {"lo"}

    def addresses(self, interface: str) -> set[str]:
        found = json.loads(self.run("ip", "-json", "address", "show", interface))[0]["addr_info"]
        return {f"{each['local']}/{each['prefixlen']}" for each in found if each["scope"] == "global"}

    def resolve(self, name: str) -> str:
        """What the resolver of this namespace answers; empty when there is no such name."""
        out = self.run("busybox", "nslookup", "-type=a", f"{name}.", "127.0.0.11", check=False)
        answers = [line.split()[1] for line in out.splitlines() if line.startswith("Address:")]
        return " ".join(answer for answer in answers if not answer.startswith("127.0.0.11"))

    def reaches(self, address: str) -> bool:
        return (
            self.daemon.host.run(
                "nsenter", f"--net={self.path}", "ping", "-c1", "-W2", address, check=False
            ).returncode
            == 0
        )

    def delete(self) -> None:
        self.daemon.host.run("ip", "netns", "delete", Path(self.path).name)


@dataclass
class Runtime:
    """One network configuration, and what was attached by it."""

    daemon: Daemon
    network: str = ""
    version: str = "1.1.0"
    fields: Mapping[str, Any] = field(default_factory=dict)

    @property
    def configuration(self) -> dict[str, Any]:
        return {
            "cniVersion": self.version,
            "name": self.network,
            "type": PROGRAM.name,
            "socket": str(self.daemon.socket),
            "capabilities": EVERY_CAPABILITY,
            **self.fields,
        }

    def namespace(self, container: str = "") -> Namespace:
        """A fresh one; `container` is the id of whose it is."""
        name = f"test{next(_serial)}"
        self.daemon.host.run("ip", "netns", "add", name)
        path = f"/run/netns/{name}"
        self.daemon.host.run("nsenter", f"--net={path}", "ip", "link", "set", "lo", "up")
        return Namespace(self.daemon, container or f"{name}-77383ca0a071", path)

    def call(
        self,
        command: str,
        where: Namespace | None = None,
        interface: str = "eth0",
        arguments: str = "",
        **fields: Any,
    ) -> Any:
        """What the plugin wrote, decoded; None for nothing.

        Raises:
            PluginFailed: it ended with an error.
        """
        environment = {"CNI_COMMAND": command, "CNI_PATH": str(PROGRAM.parent)}
        if where is not None:
            own = {"CNI_CONTAINERID": where.container, "CNI_NETNS": where.path, "CNI_IFNAME": interface}
            environment |= own | ({"CNI_ARGS": arguments} if arguments else {})
        outcome = self.daemon.host.run(
            PROGRAM,
            check=False,
            environment=environment,
            stdin=json.dumps({**self.configuration, **fields}),
        )
        answer = json.loads(outcome.stdout) if outcome.stdout else None
        assert not outcome.stderr, outcome.stderr
        if outcome.returncode:
            raise PluginFailed(command, answer)
        return answer

    def add(self, where: Namespace, interface: str = "eth0", arguments: str = "", **runtime: Any) -> Any:
        extra = {"runtimeConfig": runtime} if runtime else {}
        return self.call("ADD", where, interface, arguments, **extra)

    def delete(self, where: Namespace, interface: str = "eth0") -> None:
        assert self.call("DEL", where, interface) is None

    def check(self, where: Namespace, previous: Any, interface: str = "eth0") -> None:
        assert self.call("CHECK", where, interface, prevResult=previous) is None

    def collect(self, valid: Sequence[tuple[Namespace, str]]) -> None:
        attachments = [{"containerID": where.container, "ifname": interface} for where, interface in valid]
        assert self.call("GC", **{"cni.dev/valid-attachments": attachments}) is None


def address_of(result: Mapping[str, Any]) -> str:
    """The first address of a result, without its prefix length."""
    return str(result["ips"][0]["address"]).partition("/")[0]
