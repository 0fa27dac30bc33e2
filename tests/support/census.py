"""Everything a daemon can leave behind on a host, counted by name, so that two moments can be compared."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from tests.support.daemon import Daemon
from tests.support.testhost import Host

_OWN_PROCESS = re.compile(r"^(nsenter|ps|ip|nft)\b")
# What a container may leave in the data root for a time: the layers of images, the store and its journal.
_KEPT = re.compile(r"/(layers|images?|tmp|buildkit|network|volumes|plugins|trust|swarm|runtimes)(/|$)|\.db")


def census(daemon: Daemon) -> frozenset[str]:
    """One line for each link, mount, process, folder entry, nft table and element of the daemon's host."""
    host = daemon.host
    return frozenset(
        [
            *(f"link {name}" for name in links(host)),
            *(f"mount {point}" for point in host.mounts() if point.startswith((*_roots(daemon), "/run"))),
            *(f"process {words}" for words in _processes(host)),
            *(f"file {path}" for path in _files(daemon)),
            *(f"nft {line}" for line in firewall(host)),
        ]
    )


def leaks(before: Iterable[str], after: Iterable[str]) -> list[str]:
    """What is there now and was not before, sorted."""
    return sorted(set(after) - set(before))


def links(host: Host) -> list[str]:
    return [link["ifname"] for link in host.json("ip", "-j", "link")]


def firewall(host: Host) -> list[str]:
    """A line for each table, chain, rule, set and element of a set."""
    found = host.json("nft", "--json", "--stateless", "list", "ruleset")["nftables"]
    return [line for item in found for kind, body in item.items() for line in _firewall_lines(kind, body)]


def _firewall_lines(kind: str, body: dict[str, Any]) -> Iterator[str]:
    if kind == "metainfo":
        return
    elements = body.pop("elem", ()) if kind in {"set", "map"} else ()
    body.pop("handle", None)
    yield f"{kind} {json.dumps(body, sort_keys=True)}"
    for element in elements:
        yield f"element of {body['name']} {json.dumps(element, sort_keys=True)}"


def _roots(daemon: Daemon) -> tuple[str, ...]:
    return (daemon.places["data"], daemon.places["run"])


def _processes(host: Host) -> list[str]:
    return [words for words in host.processes().values() if not _OWN_PROCESS.match(words)]


def _files(daemon: Daemon) -> list[str]:
    listing = daemon.host.run("find", *_roots(daemon), "-xdev", "-maxdepth", "3", check=False).stdout
    return [path for path in listing.splitlines() if not _KEPT.search(path)]
