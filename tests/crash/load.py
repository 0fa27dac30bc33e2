"""Clients that keep the daemon busy and remember what they were promised.

Each worker has names of its own, so what must be true of them follows from its own calls alone: a fact is
certain once a call about it was answered, and open while one is under way or was cut off.
"""

import http.client
import random
import threading
from collections.abc import Callable
from typing import Any

from tests.support import image
from tests.support.daemon import Daemon

Fact = tuple[str, ...]  # ("network", name) | ("running", container) | ("joined", container, network)

NETWORKS_EACH = 3
CONTAINERS_EACH = 2
PUBLISHING: tuple[dict[str, Any], ...] = (
    {},
    {"ExposedPorts": {"80/tcp": {}, "53/udp": {}}, "HostConfig": {"PublishAllPorts": True}},
)


class Worker(threading.Thread):
    def __init__(self, daemon: Daemon, number: int, seed: int, facts: dict[Fact, bool | None]) -> None:
        super().__init__(name=f"worker{number}", daemon=True)
        self._daemon = daemon
        self._random = random.Random(f"{seed}/{number}")
        self.facts = facts
        self.networks = [f"w{number}n{index}" for index in range(NETWORKS_EACH)]
        self.containers = [f"w{number}c{index}" for index in range(CONTAINERS_EACH)]
        self.wrong: list[str] = []
        self._ended = threading.Event()

    def finish(self) -> None:
        self._ended.set()
        self.join(30)
        assert not self.is_alive(), f"{self.name} hangs"

    def run(self) -> None:
        actions: list[Callable[[], None]] = [self._network, self._network, self._container, self._attachment]
        connection = self._daemon.connection()
        self._connection = connection
        try:
            while not self._ended.is_set():
                self._random.choice(actions)()
        except (OSError, http.client.HTTPException):
            pass  # the daemon died: what was under way stays open
        finally:
            connection.close()

    def _network(self) -> None:
        name = self._random.choice(self.networks)
        fact = ("network", name)
        if self.facts.get(fact):
            self._ask(fact, False, "DELETE", f"/networks/{name}", None, {403})
        else:
            self._ask(fact, True, "POST", "/networks/create", {"Name": name}, {409})

    def _container(self) -> None:
        name = self._random.choice(self.containers)
        fact = ("running", name)
        if self.facts.get(fact):
            self._forget_attachments(name)
            self._ask(fact, False, "DELETE", f"/containers/{name}?force=1", None, {404})
            return
        body = {"Image": image.NAME, "Cmd": ["sleep", "1000"], **self._random.choice(PUBLISHING)}
        self._open(fact)
        status, answer = self._connection.call("POST", f"/containers/create?name={name}", body)
        if status == 409:  # an earlier life of it was cut off: it could still remember its networks
            self._ask(fact, False, "DELETE", f"/containers/{name}?force=1", None, set())
        elif status == 201:
            self._ask(fact, True, "POST", f"/containers/{name}/start", None, set())
        else:
            self.wrong.append(f"create {name}: {status} {answer}")

    def _attachment(self) -> None:
        container, network = self._random.choice(self.containers), self._random.choice(self.networks)
        fact = ("joined", container, network)
        if not self.facts.get(("running", container)) or not self.facts.get(("network", network)):
            return
        body = {"Container": container}
        if self.facts.get(fact):
            self._ask(fact, False, "POST", f"/networks/{network}/disconnect", body, set())
        else:
            self._ask(fact, True, "POST", f"/networks/{network}/connect", body, set())

    def _forget_attachments(self, container: str) -> None:
        for network in self.networks:
            if self.facts.get(("joined", container, network)):
                self._open(("joined", container, network))

    def _open(self, fact: Fact) -> None:
        self.facts[fact] = None

    def _ask(self, fact: Fact, wanted: bool, method: str, path: str, body: Any, refusals: set[int]) -> None:
        """Do a call that makes `fact` be `wanted`. Some refusals are fair: they leave it as it was."""
        before = self.facts.get(fact, False)
        self._open(fact)
        status, answer = self._connection.call(method, path, body)
        if status < 400:
            self.facts[fact] = wanted
            self._follow(fact, wanted)
        elif status in refusals:
            self.facts[fact] = before
        else:
            self.wrong.append(f"{method} {path}: {status} {answer}")

    def _follow(self, fact: Fact, wanted: bool) -> None:
        """A container that is gone is gone from its networks."""
        if fact[0] == "running" and not wanted:
            for network in self.networks:
                self.facts[("joined", fact[1], network)] = False
