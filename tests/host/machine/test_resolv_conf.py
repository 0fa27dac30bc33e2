"""Noticing that the host's resolver settings have changed."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from bridgehead.host.machine import surroundings

pytestmark = pytest.mark.host


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(surroundings, "_RESOLV_CONF", str(tmp_path / "etc" / "resolv.conf"))
    monkeypatch.setattr(surroundings, "_BEHIND_STUB", str(tmp_path / "run" / "resolv.conf"))
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "resolv.conf").write_text("nameserver 10.0.0.1\n")
    return tmp_path / "etc" / "resolv.conf"


def _ask(file: Path, server: str) -> None:
    file.write_text(f"nameserver {server}\n" if server else "")


async def _after(change: Callable[[], object]) -> tuple[str, ...]:
    changes = surroundings.resolv_conf_changes(pause_s=0.02)
    assert (await anext(changes)).servers == ("10.0.0.1",)
    change()
    return (await asyncio.wait_for(anext(changes), 5)).servers


def test_a_rewritten_file_is_noticed(file: Path) -> None:
    assert asyncio.run(_after(lambda: _ask(file, "10.0.0.2"))) == ("10.0.0.2",)


def test_a_replaced_file_is_noticed(file: Path) -> None:
    def replace() -> None:
        (file.parent / "new").write_text("nameserver 10.0.0.3\n")
        (file.parent / "new").rename(file)

    assert asyncio.run(_after(replace)) == ("10.0.0.3",)


def test_a_link_into_a_folder_made_later_is_noticed(file: Path) -> None:
    def link() -> None:
        (file.parents[1] / "later").mkdir()
        (file.parents[1] / "later" / "real").write_text("nameserver 10.0.0.4\n")
        file.unlink()
        file.symlink_to("../later/real")

    assert asyncio.run(_after(link)) == ("10.0.0.4",)


def test_what_is_behind_the_stub_is_noticed(file: Path) -> None:
    def appear() -> None:
        _ask(file, "127.0.0.53")
        (file.parents[1] / "run").mkdir()
        (file.parents[1] / "run" / "resolv.conf").write_text("nameserver 10.0.0.5\n")

    assert asyncio.run(_after(appear)) == ("10.0.0.5",)


def test_a_file_in_the_writing_is_left_until_it_rests(file: Path) -> None:
    async def heard() -> list[tuple[str, ...]]:
        changes = surroundings.resolv_conf_changes(pause_s=0.05)
        await anext(changes)
        first = asyncio.ensure_future(anext(changes))
        for number in range(20):
            _ask(file, f"10.0.1.{number}" if number % 2 else "")
            await asyncio.sleep(0.005)
        return [(await asyncio.wait_for(first, 5)).servers]

    assert asyncio.run(heard()) == [("10.0.1.19",)]
