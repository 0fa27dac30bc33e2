from dataclasses import dataclass

import pytest

from bridgehead.cli.main import main
from tests.cli.scripted import scripted_daemon


@pytest.fixture
def daemon(tmp_path):
    with scripted_daemon(tmp_path / "d.sock") as scripted:
        yield scripted


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str


@pytest.fixture
def bridgehead(daemon, capfd):
    """Runs the command line against the scripted daemon, in this process."""

    def run(*words):
        code = main(["-H", daemon.host, *words])
        captured = capfd.readouterr()
        return Outcome(code, captured.out, captured.err)

    return run
