"""A person at a keyboard: `docker run -it`, detaching, attaching again, window sizes."""

from collections.abc import Iterator

import pytest

from tests.support.daemon import Daemon
from tests.support.docker import DETACH

pytestmark = pytest.mark.host


@pytest.fixture(autouse=True)
def _no_container_left(daemon: Daemon) -> Iterator[None]:
    yield
    daemon.docker("rm", "-f", "person")


def test_shell_answers_and_its_code_is_the_commands(daemon: Daemon) -> None:
    with daemon.docker.terminal("run", "-it", "--name", "person", "busybox") as terminal:
        terminal.expect("# ")
        terminal.type("echo $((20+3)); tty\n")
        terminal.expect("23\r\n/dev/pts/0\r\n")
        terminal.type("exit 3\n")

        assert terminal.wait() == 3


def test_detached_shell_goes_on_and_takes_a_person_back(daemon: Daemon) -> None:
    with daemon.docker.terminal("run", "-it", "--name", "person", "busybox") as terminal:
        terminal.expect("# ")
        terminal.type("x=remembered\n")
        terminal.expect("# ")
        terminal.type(DETACH)
        assert terminal.wait() == 0

    assert daemon.docker.ok("inspect", "-f", "{{.State.Running}}", "person") == "true"
    with daemon.docker.terminal("attach", "person") as terminal:
        terminal.type("echo $x\n")
        terminal.expect("remembered\r\n")
        terminal.type("exit\n")
        assert terminal.wait() == 0


def test_exec_gives_a_terminal_of_its_own(daemon: Daemon) -> None:
    daemon.docker.ok("run", "-d", "--name", "person", "busybox", "sleep", "1000")

    with daemon.docker.terminal("exec", "-it", "person", "sh") as terminal:
        terminal.expect("# ")
        terminal.type("test -t 0 && exit 6\n")

        assert terminal.wait() == 6


def test_input_ends_when_the_pipe_does(daemon: Daemon) -> None:
    answer = daemon.docker("run", "-i", "--rm", "busybox", "sh", "-c", "wc -c; exit 8", stdin=b"x" * 300_000)

    assert (answer.code, answer.out) == (8, "300000\n")


def test_large_output_arrives_whole(daemon: Daemon) -> None:
    answer = daemon.docker("run", "--rm", "busybox", "sh", "-c", "seq 1 100000; echo end >&2")

    assert answer.out == "".join(f"{number}\n" for number in range(1, 100_001))
    assert answer.err == "end\n"
