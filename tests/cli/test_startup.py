"""A command line that is typed all day must start at once: what is slow to import waits until needed."""

import json
import os
import subprocess
import sys

import pytest

SLOW = {
    *(
        "aiohttp",
        "asyncio",
        "concurrent.futures",
        "http.client",
        "importlib.metadata",
        "msgspec",
        "multiprocessing",
    ),
    *(
        "shutil",
        "ssl",
        "subprocess",
        "tarfile",
        "tempfile",
        "urllib.request",
        "bridgehead.api",
        "bridgehead.core",
    ),
}
PROGRAM = """
import json, sys
from bridgehead.cli.main import main
main(sys.argv[1:])
print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""


@pytest.mark.parametrize(
    ("words", "answered"),
    [
        (["network", "ls"], "/networks"),
        (["ps"], "/containers/json"),
        (["images"], "/images/json"),
        (["__complete", "network", "rm", ""], "/networks"),
    ],
)
def test_nothing_slow_is_imported(daemon, words, answered):
    from tests.cli.scripted import says

    daemon.on("GET", answered, says([]))
    environment = {**os.environ, "DOCKER_HOST": daemon.host}

    outcome = subprocess.run(
        [sys.executable, "-c", PROGRAM, *words],
        env=environment,
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )

    assert daemon.calls == [f"GET {answered}"]
    own = {name for name in json.loads(outcome.stderr) if name.startswith("bridgehead.cli.")}
    assert SLOW & set(json.loads(outcome.stderr)) == set()
    assert "bridgehead.cli.running" not in own
