"""The store: what was committed is there, whole, whatever happens to the process."""

import os
import signal
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bridgehead.core.model.container import Bind, Container, ContainerSpec, Image, ProcessSpec
from bridgehead.core.model.errors import HostRefused
from bridgehead.core.model.ids import ContainerID, ImageID
from bridgehead.core.model.network import EndpointWish, Link
from bridgehead.core.model.snapshot import Snapshot
from bridgehead.host.store.sqlite import SqliteStore
from tests.core.test_gateway import ALPHA, INNER, endpoint

CONTAINER = Container(
    ContainerID("c"),
    "c1",
    "now",
    ImageID("i"),
    "busybox",
    ContainerSpec(ProcessSpec(("sh",)), "h", binds=(Bind("/a", "/b"),), sysctls={"a": "b"}),
    {"alpha": EndpointWish(aliases=("x",), links=(Link("db", "d"),))},
)
FULL = Snapshot().put(ALPHA, INNER, endpoint(ALPHA, "eth0"), CONTAINER, Image(ImageID("i"), ("sha256:1",)))


def opened(folder: Path) -> SqliteStore:
    return SqliteStore(str(folder / "store.db"))


def test_a_snapshot_comes_back_as_it_went(tmp_path: Path) -> None:
    store = opened(tmp_path)
    committed = store.commit(store.load(), FULL)
    store.close()

    again = opened(tmp_path)

    assert replace(FULL, revision=1) == committed == again.load()
    again.close()


def test_only_the_difference_is_written(tmp_path: Path) -> None:
    store = opened(tmp_path)
    first = store.commit(store.load(), FULL)

    second = store.commit(first, first.drop(INNER).put(replace(CONTAINER, name="c2")))

    assert second == store.load()
    assert [container.name for container in second.containers.values()] == ["c2"]
    store.close()


def test_a_second_daemon_is_refused_and_told_by_whom(tmp_path: Path) -> None:
    store = opened(tmp_path)

    with pytest.raises(HostRefused, match=f"another daemon .pid {os.getpid()}. uses {tmp_path}"):
        opened(tmp_path)

    store.close()


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE record SET json = X'7B'",
        "UPDATE record SET json = X'7B7D'",
        "UPDATE record SET kind = 'nonsense'",
    ],
)
def test_a_damaged_store_is_said_to_be_damaged(tmp_path: Path, damage: str) -> None:
    store = opened(tmp_path)
    store.commit(store.load(), FULL)
    store.close()
    connection = sqlite3.connect(tmp_path / "store.db")
    connection.execute(damage)
    connection.commit()
    connection.close()

    store = opened(tmp_path)
    with pytest.raises(HostRefused, match="damaged"):
        store.load()
    store.close()


def test_a_newer_format_is_not_guessed_at(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.close()
    connection = sqlite3.connect(tmp_path / "store.db")
    connection.execute("UPDATE meta SET value = 99 WHERE key = 'format'")
    connection.commit()
    connection.close()

    store = opened(tmp_path)
    with pytest.raises(HostRefused, match="format 99"):
        store.load()
    store.close()


WRITER = """
import sys
from dataclasses import replace
from bridgehead.host.store.sqlite import SqliteStore
from tests.host.store.test_sqlite import CONTAINER
store = SqliteStore(sys.argv[1])
snapshot = store.load()
for number in range(100000):
    snapshot = store.commit(snapshot, snapshot.put(replace(CONTAINER, name=f"c{number}")))
    print(snapshot.revision, flush=True)
"""


def test_nothing_acknowledged_is_lost_to_a_kill(tmp_path: Path) -> None:
    acknowledged = 0
    for lines in (1, 5, 25, 60):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path / "store.db")], stdout=subprocess.PIPE, text=True
        )
        assert writer.stdout is not None
        for _ in range(lines):
            acknowledged = int(writer.stdout.readline())
        writer.send_signal(signal.SIGKILL)
        writer.stdout.close()
        writer.wait(10)

        store = opened(tmp_path)
        snapshot = store.load()
        store.close()

        assert snapshot.revision >= acknowledged
        assert CONTAINER.id in snapshot.containers
