"""Fifty clients at once: every answer is right, nothing is handed out twice, and nothing is left behind."""

import ipaddress
import itertools
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.support.census import census, leaks
from tests.support.daemon import Daemon, UnixConnection
from tests.support.wait import until

pytestmark = pytest.mark.host

CLIENTS = 50
CONTAINERS = 8
NETWORKS = 20
Call = tuple[str, str, Any]
Answer = tuple[int, Any]


@pytest.fixture
def containers(daemon: Daemon) -> Iterator[list[str]]:
    names = [f"box{number}" for number in range(CONTAINERS)]
    for name in names:
        daemon.docker.ok("run", "-d", "--name", name, "busybox", "sleep", "1000")
    yield names
    daemon.docker.ok("rm", "-f", *names)


def _at_once(daemon: Daemon, calls: Sequence[Call]) -> list[Answer]:
    """All calls from `CLIENTS` connections, the first ones released together; answers in order."""
    clients = min(CLIENTS, len(calls))
    together = threading.Barrier(clients)
    own = threading.local()
    connections: list[UnixConnection] = []

    def join() -> None:
        own.connection = daemon.connection()
        connections.append(own.connection)
        together.wait(10)

    def ask(call: Call) -> Answer:
        answer: Answer = own.connection.call(*call)
        return answer

    with ThreadPoolExecutor(clients, initializer=join) as pool:
        answers = list(pool.map(ask, calls, timeout=50))
    for connection in connections:
        connection.close()
    return answers


def _statuses(answers: Sequence[Answer]) -> Counter[int]:
    return Counter(status for status, _ in answers)


def _networks(daemon: Daemon) -> list[dict[str, Any]]:
    return [
        daemon.call("GET", f"/networks/{network['Id']}")[1] for network in daemon.call("GET", "/networks")[1]
    ]


def _create(name: str, **more: Any) -> Call:
    return ("POST", "/networks/create", {"Name": name, **more})


def _connect(network: str, container: str, **ipam: str) -> Call:
    body = {"Container": container, "EndpointConfig": {"IPAMConfig": ipam}}
    return ("POST", f"/networks/{network}/connect", body)


def _disconnect(network: str, container: str) -> Call:
    return ("POST", f"/networks/{network}/disconnect", {"Container": container})


def test_one_of_many_clients_gets_a_name(daemon: Daemon) -> None:
    answers = _at_once(daemon, [_create("wanted")] * CLIENTS)
    removed = _at_once(daemon, [("DELETE", "/networks/wanted", None)] * CLIENTS)

    assert _statuses(answers) == {201: 1, 409: CLIENTS - 1}
    assert _statuses(removed)[204] == 1
    assert set(_statuses(removed)) <= {204, 404, 409}


def test_one_of_many_clients_gets_a_subnet(daemon: Daemon) -> None:
    calls = [
        _create(f"lan{number}", IPAM={"Config": [{"Subnet": "10.90.0.0/24"}]}) for number in range(CLIENTS)
    ]

    answers = _at_once(daemon, calls)

    assert _statuses(answers) == {201: 1, 403: CLIENTS - 1}
    daemon.docker.ok("network", "prune", "-f")


def test_one_of_many_containers_gets_an_address(daemon: Daemon, containers: list[str]) -> None:
    daemon.docker.ok("network", "create", "--subnet", "10.91.0.0/24", "lan")

    answers = _at_once(daemon, [_connect("lan", name, IPv4Address="10.91.0.9") for name in containers])

    assert _statuses(answers) == {200: 1, 403: CONTAINERS - 1}
    for name in containers:
        daemon.docker("network", "disconnect", "lan", name)
    daemon.docker.ok("network", "rm", "lan")


def test_chosen_subnets_never_overlap(daemon: Daemon) -> None:
    answers = _at_once(daemon, [_create(f"pool{number}") for number in range(CLIENTS)])
    subnets = [
        ipaddress.ip_network(network["IPAM"]["Config"][0]["Subnet"])
        for network in _networks(daemon)
        if network["IPAM"]["Config"]
    ]
    daemon.docker.ok("network", "prune", "-f")

    assert _statuses(answers) == {201: CLIENTS}
    assert len(subnets) == CLIENTS + 1
    assert not [pair for pair in itertools.combinations(subnets, 2) if pair[0].overlaps(pair[1])]


def test_busy_hour_leaves_every_answer_right_and_nothing_behind(
    daemon: Daemon, containers: list[str]
) -> None:
    before = census(daemon)
    names = [f"net{number}" for number in range(NETWORKS)]
    pairs = list(itertools.product(names, containers))

    created = _at_once(daemon, [_create(name) for name in names])
    connected = _at_once(daemon, [_connect(*pair) for pair in pairs])
    _check_addresses(daemon, len(pairs))
    repeated = _at_once(daemon, [_connect(*pair) for pair in pairs])
    disconnected = _at_once(daemon, [_disconnect(*pair) for pair in reversed(pairs)])
    removed = _at_once(daemon, [("DELETE", f"/networks/{name}", None) for name in names])

    assert _statuses(created) == {201: NETWORKS}
    assert {200: len(pairs)} == _statuses(connected)
    assert {403: len(pairs)} == _statuses(repeated)
    assert {200: len(pairs)} == _statuses(disconnected)
    assert _statuses(removed) == {204: NETWORKS}
    assert leaks(before, census(daemon)) == []


def _check_addresses(daemon: Daemon, expected: int) -> None:
    held = [
        (network["Name"], endpoint["IPv4Address"])
        for network in _networks(daemon)
        for endpoint in network["Containers"].values()
        if network["Name"] != "bridge"
    ]
    assert (expected, expected) == (len(held), len(set(held)))


def test_connecting_while_others_remove_gives_each_a_true_answer(
    daemon: Daemon, containers: list[str]
) -> None:
    before = census(daemon)
    names = [f"net{number}" for number in range(6)]
    rounds = [
        call
        for name in names
        for container in containers
        for call in (
            _create(name),
            _connect(name, container),
            ("DELETE", f"/networks/{name}", None),
            _disconnect(name, container),
        )
    ]

    answers = _at_once(daemon, rounds)
    for name, container in itertools.product(names, containers):
        daemon.call(*_disconnect(name, container))
    daemon.docker.ok("network", "prune", "-f")

    wrong = [answer for answer in answers if answer[0] not in {200, 201, 204, 403, 404, 409}]
    assert wrong == []
    assert leaks(before, census(daemon)) == []


def test_containers_come_and_go_together(daemon: Daemon) -> None:
    before = census(daemon)
    daemon.docker.ok("network", "create", "crowd")
    names = [f"guest{number}" for number in range(10)]

    def live(name: str) -> str:
        return daemon.docker.ok("run", "--rm", "--name", name, "--net", "crowd", "busybox", "hostname", "-i")

    with ThreadPoolExecutor(len(names)) as pool:
        addresses = list(pool.map(live, names))

    _eventually(lambda: not daemon.docker.ok("ps", "-aq"))
    daemon.docker.ok("network", "rm", "crowd")
    assert all(
        ipaddress.ip_address(address) in ipaddress.ip_network("172.16.0.0/12") for address in addresses
    )
    _eventually(lambda: not leaks(before, census(daemon)))


def _eventually(condition: Callable[[], bool]) -> None:
    until(condition, "nothing left behind")
