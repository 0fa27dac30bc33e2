"""What is left of a plugin that was killed is not taken for the plugin."""

import asyncio
from pathlib import Path

import pytest

from bridgehead.core.model.errors import PluginUnreachable
from tests.host.plugin.scripted import Scripted, always, asking, said

_LOCAL = said({"Scope": "local"})


def _places(folder: Path) -> list[Path]:
    return sorted(folder.glob("*/tp.s*"))


@pytest.mark.parametrize("place", ["socket", "port"])
async def test_a_plugin_that_was_killed_is_not_taken_for_one_that_goes_on(tmp_path: Path, place: str) -> None:
    """Its socket stays, and so may the address of its port."""
    async with asking(tmp_path) as plugins:
        async with Scripted(always(_LOCAL)) as plugin:
            if place == "socket":
                await plugin.at(tmp_path / "run/tp.sock")
            else:
                (tmp_path / "etc").mkdir()
                (tmp_path / "etc/tp.spec").write_text(f"http://127.0.0.1:{await plugin.on_port()}")
            life = await plugins.activate("tp", "NetworkDriver")
            assert await plugins.activate("tp", "NetworkDriver") == life
            async with asyncio.timeout(5):
                while (plugin.connections, plugin.open) != (2, 1):  # noqa: ASYNC110 - counted by the peer
                    await asyncio.sleep(0.001)
            left = _places(tmp_path)

        assert _places(tmp_path) == left
        with pytest.raises(PluginUnreachable, match="cannot be reached: "):
            await plugins.activate("tp", "NetworkDriver")
