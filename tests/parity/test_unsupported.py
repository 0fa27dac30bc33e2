"""What neither engine does without a swarm, managed plugins or a build: the same statuses and words."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.support.bridgehead import bridgehead
from tests.support.daemon import Daemon
from tests.support.oracle import available, oracle
from tests.support.testhost import Host

pytestmark = [
    pytest.mark.host,
    pytest.mark.skipif(not available(), reason="no dockerd here: run script/bootstrap --oracle"),
    pytest.mark.timeout(120),
]

SAME = [
    *(("GET", f"/{kind}") for kind in ("swarm", "nodes", "services", "tasks", "secrets", "configs")),
    *(("GET", f"/{kind}/x") for kind in ("nodes", "services", "tasks", "secrets", "configs", "swarm")),
    *(("DELETE", f"/{kind}/x") for kind in ("nodes", "services", "secrets", "configs", "tasks")),
    *(("POST", f"/{kind}/create") for kind in ("services", "secrets", "configs")),
    *(("POST", f"/{kind}/x/update") for kind in ("nodes", "services", "secrets", "configs")),
    *(("POST", f"/{kind}/x/update?version=7") for kind in ("nodes", "services", "secrets", "configs")),
    *(("GET", f"/{kind}/x/logs?stdout=1") for kind in ("services", "tasks")),
    ("GET", "/swarm/unlockkey"),
    ("POST", "/swarm/unlock"),
    ("POST", "/swarm/leave"),
    ("POST", "/swarm/update"),
    ("POST", "/swarm/update?version=7"),
    ("GET", "/plugins"),
    ("GET", "/plugins/x/json"),
    ("DELETE", "/plugins/x"),
    ("POST", "/plugins/x/disable"),
    ("POST", "/plugins/x/enable?timeout=0"),
    ("POST", "/plugins/x/push"),
    ("POST", "/build/prune"),
    ("POST", "/build/cancel?id=x"),
    ("POST", "/session"),
    ("GET", "/containers/x/checkpoints"),
    ("POST", "/containers/x/checkpoints"),
]
# A client's mistake is a 400 here, as in later dockerds.
MENDED = [
    ("POST", "/grpc"),
    ("POST", "/build/cancel"),
    ("GET", "/services/x/logs"),
    ("GET", "/tasks/x/logs"),
]
Answers = dict[tuple[str, str], tuple[int, Any]]


def test_what_is_not_supported_is_refused_as_by_docker() -> None:
    with ThreadPoolExecutor(2) as both:
        reference, actual = both.map(_answers, (oracle, bridgehead))

    assert {call: reference[call] for call in SAME} == {call: actual[call] for call in SAME}
    assert {call: (400, reference[call][1]) for call in MENDED} == {call: actual[call] for call in MENDED}


def _answers(make: Any) -> Answers:
    with Host() as host, make(host) as daemon:
        return {call: _answer(daemon, *call) for call in (*SAME, *MENDED)}


def _answer(daemon: Daemon, method: str, path: str) -> tuple[int, Any]:
    return daemon.call(method, path, {} if method == "POST" else None)
