"""The same words to docker's command line and to ours, about one daemon: output, errors and exit codes agree.

Our own name stands where docker's does, and ages are blotted out: the two run one after the other.
"""

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.support.at_length import at_length
from tests.support.bridgehead import bridgehead
from tests.support.daemon import Daemon
from tests.support.docker import DOCKER
from tests.support.oracle import available, oracle
from tests.support.testhost import Host

pytestmark = pytest.mark.host

OURS = str(Path(sys.executable).parent / "bridgehead")
AGE = re.compile(r"(?:About an?|Less than a|\d+) (?:second|minute)s?\b(?: ago)? *")
MADE = """
network create --subnet 10.9.0.0/24 --label tier=back back
network create --internal --ipv6 --subnet fd00:9::/64 six
run -d --name web --network back -p 8080:80 -p 9000-9001:9000-9001/udp --label tier=front -v /tmp:/host:ro busybox sleep 1000
create --name idle busybox sh -c 'echo&&sleep>x'
create --name gone busybox sh -c 'echo out; echo err >&2; exit 3'
"""  # noqa: E501 - command lines
AGREE = Path(__file__).with_name("side_by_side.txt")


@pytest.fixture(
    scope="module",
    params=[
        "ours",
        pytest.param(
            "docker",
            marks=[
                pytest.mark.skipif(not available(), reason="no dockerd: script/bootstrap --oracle"),
                pytest.mark.skipif(not at_length(), reason="takes minutes: script/conformance plays it"),
            ],
        ),
    ],
)
def prepared(request: pytest.FixtureRequest) -> Iterator[Daemon]:
    with Host("words") as host, (bridgehead if request.param == "ours" else oracle)(host) as daemon:
        daemon.import_image()
        for line in filter(None, MADE.splitlines()):
            daemon.docker.ok(*shlex.split(line))
        daemon.docker("start", "-a", "gone")
        (folder(daemon) / "tree" / "in").mkdir(parents=True)
        for name in ("file", "tree/file", "tree/in/file"):
            (folder(daemon) / name).write_text("text\n")
        yield daemon


def folder(daemon: Daemon) -> Path:
    return daemon.host.folder / "work"


def lines() -> list[str]:
    """All of them, or where there is little time every third."""
    found = [line for line in AGREE.read_text().splitlines() if line and not line.startswith("#")]
    return found if at_length() else found[::3]


@pytest.mark.parametrize("line", lines())
def test_both_command_lines_say_the_same(prepared: Daemon, line: str) -> None:
    version = {"DOCKER_API_VERSION": "1.41"}
    environment = {**prepared.docker.environment, **version, "PYTHONDONTWRITEBYTECODE": ""}

    line = line.replace("DIR", str(folder(prepared)))
    reference = _said(DOCKER, line, environment)
    actual = _said(OURS, line, environment)

    assert reference == actual


def _said(program: str, line: str, environment: Mapping[str, str]) -> tuple[int, str, str]:
    outcome = subprocess.run(
        [program, *shlex.split(line)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        env=environment,
    )
    return outcome.returncode, _even(outcome.stdout), _even(outcome.stderr)


def _even(text: str) -> str:
    text = text.replace("bridgehead", "docker")
    if not AGE.search(text):
        return text
    return re.sub(r" +", " ", AGE.sub("<age> ", text))
