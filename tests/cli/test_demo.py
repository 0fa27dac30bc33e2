"""The demo is the acceptance test: the chapter's example, with our command line and with docker's."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.host
@pytest.mark.parametrize("client", [[], ["--docker"]], ids=["bridgehead", "docker"])
def test_the_chapters_example_is_as_the_chapter_says(client):
    played = subprocess.run(
        [sys.executable, "-m", "demo", *client],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=55,
        check=False,
    )

    assert "FAILED" not in played.stdout
    assert played.returncode == 0, played.stderr
