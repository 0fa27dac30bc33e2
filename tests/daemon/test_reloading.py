import json
import logging
from pathlib import Path

import pytest

from bridgehead.daemon.flags import Settings
from bridgehead.daemon.reading import parse
from bridgehead.daemon.reloading import reloaded


class Daemon:
    """A command line with a file beside it that changes while the daemon runs."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.arguments = ["--config-file", str(file)]

    def write(self, **keys: object) -> None:
        self.file.write_text(json.dumps({key.replace("_", "-"): value for key, value in keys.items()}))

    def read(self) -> Settings:
        return parse(self.arguments)

    def reload(self, running: Settings) -> Settings | None:
        return reloaded(running, self.arguments)


@pytest.fixture
def daemon(tmp_path: Path) -> Daemon:
    return Daemon(tmp_path / "daemon.json")


def test_what_can_change_at_once_does(daemon: Daemon) -> None:
    daemon.write(debug=False, dns=["8.8.8.8"])
    running = daemon.read()

    daemon.write(debug=True, labels=["a=b"])
    after = daemon.reload(running)

    assert after is not None
    assert (after.debug, after.labels, after.options.dns.servers) == (True, ("a=b",), ())


def test_what_needs_a_restart_is_named_and_waits(daemon: Daemon, caplog: pytest.LogCaptureFixture) -> None:
    daemon.write(bip="10.0.0.1/24", icc=True)
    running = daemon.read()

    daemon.write(bip="10.9.0.1/24", icc=False, debug=True)
    with caplog.at_level(logging.INFO):
        after = daemon.reload(running)

    assert after is not None
    assert (after.options, after.debug) == (running.options, True)
    assert "only after a restart: --bip, --icc" in caplog.text
    assert "reloaded: --debug" in caplog.text


@pytest.mark.parametrize("content", ["{", '{"no-such": 1}', '{"debug": true, "dns": ["nonsense"]}'])
def test_a_broken_file_changes_nothing(
    daemon: Daemon, content: str, caplog: pytest.LogCaptureFixture
) -> None:
    daemon.write()
    running = daemon.read()

    daemon.file.write_text(content)

    assert daemon.reload(running) is None
    assert "nothing reloaded" in caplog.text


def test_a_second_reload_still_knows_what_waits(daemon: Daemon, caplog: pytest.LogCaptureFixture) -> None:
    daemon.write(mtu=1400)
    running = daemon.read()
    daemon.write(mtu=1300)
    first = daemon.reload(running)
    assert first is not None
    caplog.clear()

    daemon.reload(first)

    assert "only after a restart: --mtu" in caplog.text
