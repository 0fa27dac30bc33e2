"""Network namespaces that nobody of ours made, on a test host, and what a program in one of them sees."""

import json
import subprocess
from collections.abc import Sequence
from typing import Any

from tests.support.testhost import Host
from tests.support.wait import until


def make(host: Host, name: str) -> str:
    """As `ip netns add` makes it; its path."""
    host.run("ip", "netns", "add", name)
    return f"/run/netns/{name}"


def process(host: Host, mark: int) -> int:
    """A plain process with a network namespace of its own, known by its words; its id on the host."""
    host.popen(["unshare", "--net", "sleep", str(mark)], stdin=subprocess.DEVNULL)
    return until(
        lambda: next((pid for pid, words in host.processes().items() if words == f"sleep {mark}"), None),
        "the process",
    )


def run(host: Host, namespace: str, *argv: str, check: bool = True) -> str:
    """What a program in there prints."""
    return host.run("nsenter", f"--net={namespace}", *argv, check=check).stdout


def links(host: Host, namespace: str) -> list[str]:
    return sorted(link["ifname"] for link in json.loads(run(host, namespace, "ip", "-j", "link")))


def addresses(host: Host, namespace: str, link: str) -> list[str]:
    found: Sequence[Any] = json.loads(run(host, namespace, "ip", "-j", "-4", "address", "show", link))
    return [item["local"] for entry in found for item in entry["addr_info"]]


def rules(host: Host, namespace: str) -> str:
    return run(host, namespace, "nft", "list", "ruleset")


def resolved(host: Host, namespace: str, name: str) -> list[str]:
    """The addresses behind a name, as the embedded server tells programs in there."""
    told = run(host, namespace, "busybox", "nslookup", "-type=a", f"{name}.", "127.0.0.11", check=False)
    return [line.split()[1] for line in told.splitlines()[2:] if line.startswith("Address:")]
