"""run, attach and exec as real processes, with pipes or a pseudo-terminal, against scripted streams."""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time

import pytest

from tests.cli.scripted import Says, says

CONTAINER = "c" * 64
PATH = f"/containers/{CONTAINER}"
PROGRAM = [sys.executable, "-c", "import sys; from bridgehead.cli.main import main; sys.exit(main())"]
LIMIT_S = 10


@pytest.fixture
def container(daemon):
    """A daemon that creates a container and lets it end with code 7; the test scripts its streams."""
    daemon.on("POST", "/containers/create", says({"Id": CONTAINER, "Warnings": []}, 201))
    daemon.on("POST", f"{PATH}/start", says(None, 204))
    daemon.on("POST", f"{PATH}/wait", says({"StatusCode": 7}))
    daemon.on("POST", f"{PATH}/resize", says(None))
    daemon.on("POST", f"{PATH}/kill", says(None, 204))
    return daemon


def spawn(daemon, *words, **options):
    return subprocess.Popen([*PROGRAM, "-H", daemon.host, *words], **options)


def piped(daemon, *words, stdin=b""):
    done = subprocess.run(
        [*PROGRAM, "-H", daemon.host, *words], input=stdin, capture_output=True, timeout=LIMIT_S, check=False
    )
    return done.returncode, done.stdout, done.stderr


class Keyboard:
    """A pseudo-terminal with a process on it."""

    def __init__(self, daemon, *words):
        self.ours, self.theirs = pty.openpty()
        self.resize(31, 101)
        self.before = termios.tcgetattr(self.theirs)
        self.process = spawn(
            daemon, *words, stdin=self.theirs, stdout=self.theirs, stderr=self.theirs, start_new_session=True
        )

    def resize(self, rows, columns):
        fcntl.ioctl(self.theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, keys):
        os.write(self.ours, keys)

    def expect(self, text):
        seen = b""
        while text not in seen:
            assert select.select([self.ours], [], [], LIMIT_S)[0], f"{text!r} not shown: {seen!r}"
            seen += os.read(self.ours, 4096)

    def wait(self):
        return self.process.wait(LIMIT_S)

    @property
    def restored(self):
        return termios.tcgetattr(self.theirs) == self.before

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(LIMIT_S)
        os.close(self.ours)
        os.close(self.theirs)


@pytest.fixture
def keyboard(container):
    opened = []

    def open_keyboard(*words):
        opened.append(Keyboard(container, *words))
        return opened[-1]

    yield open_keyboard
    for one in opened:
        one.close()


def test_run_splits_output_and_ends_with_the_containers_code(container):
    def stream(wire):
        container.wait_for("POST", f"{PATH}/start")
        wire.frame(1, b"out\n")
        wire.frame(2, b"err\n")

    container.on("POST", f"{PATH}/attach", Says(stream=stream))

    assert piped(container, "run", "busybox", "echo") == (7, b"out\n", b"err\n")
    assert [call.rpartition("/")[2] for call in container.calls] == ["create", "attach", "wait", "start"]


def test_run_sends_its_input_and_its_end(container):
    def echo(wire):
        typed = b""
        while piece := wire.read():
            typed += piece
        wire.frame(1, b"%d bytes" % len(typed))

    container.on("POST", f"{PATH}/attach", Says(stream=echo))

    assert piped(container, "run", "-i", "busybox", "wc", stdin=b"x" * 300_000)[1] == b"300000 bytes"


def test_input_and_output_do_not_wait_for_each_other(container):
    def echo(wire):
        while piece := wire.read():
            wire.frame(1, piece)

    container.on("POST", f"{PATH}/attach", Says(stream=echo))

    assert piped(container, "run", "-i", "busybox", "cat", stdin=b"x" * 4_000_000)[1] == b"x" * 4_000_000


def test_run_detached_prints_the_id(container):
    assert (0, CONTAINER.encode() + b"\n", b"") == piped(container, "run", "-d", "busybox")


@pytest.mark.parametrize(
    ("sentence", "code"),
    [
        ("failed to set up container networking: network nope not found", 125),
        ('exec: "/etc": permission denied', 126),
        ('exec: "nope": executable file not found in $PATH', 127),
    ],
)
def test_a_refused_start_has_dockers_exit_code(container, sentence, code):
    container.on("POST", f"{PATH}/attach", Says(stream=lambda _wire: None))
    container.on("POST", f"{PATH}/start", says({"message": sentence}, 400))

    outcome = piped(container, "run", "busybox", "nope")

    assert (code, b"") == outcome[:2]
    assert (
        f"bridgehead: Error response from daemon: {sentence}\n\nRun 'bridgehead run --help'"
        in outcome[2].decode()
    )


def test_signals_go_to_the_container(container):
    def stream(wire):
        wire.frame(1, b"ready")
        container.wait_for("POST", f"{PATH}/kill")

    container.on("POST", f"{PATH}/attach", Says(stream=stream))

    process = spawn(container, "run", "busybox", stdout=subprocess.PIPE)
    assert process.stdout.read(5) == b"ready"
    process.send_signal(signal.SIGTERM)

    assert process.wait(LIMIT_S) == 7
    process.stdout.close()
    assert container.wait_for("POST", f"{PATH}/kill").query == {"signal": ["SIGTERM"]}


def test_a_terminal_is_raw_while_it_is_held_and_has_our_size(container, keyboard):
    def shell(wire):
        container.wait_for("POST", f"{PATH}/start")
        wire.write(b"/ # ")
        assert wire.read_until(b"\x03") == b"\x03"  # a raw terminal sends ctrl-c as a key
        wire.write(b"^C got")
        wire.read_until(b"exit\r")

    container.on("POST", f"{PATH}/attach", Says(stream=shell))

    terminal = keyboard("run", "-it", "busybox")
    terminal.expect(b"/ # ")
    terminal.type(b"\x03")
    terminal.expect(b"^C got")
    terminal.type(b"exit\r")

    assert (terminal.wait(), terminal.restored) == (7, True)
    assert container.wait_for("POST", f"{PATH}/resize").query == {"h": ["31"], "w": ["101"]}


def test_a_new_size_is_passed_on(container, keyboard):
    def shell(wire):
        container.wait_for("POST", f"{PATH}/resize")
        wire.write(b"/ # ")
        wire.read_until(b"exit\r")

    container.on("POST", f"{PATH}/attach", Says(stream=shell))

    terminal = keyboard("run", "-it", "busybox")
    terminal.expect(b"/ # ")
    terminal.resize(44, 133)
    terminal.process.send_signal(signal.SIGWINCH)
    deadline = time.monotonic() + LIMIT_S
    while container.asked[-1].query != {"h": ["44"], "w": ["133"]} and time.monotonic() < deadline:
        time.sleep(0.01)
    terminal.type(b"exit\r")

    assert terminal.wait() == 7
    assert container.asked[-1].query == {"h": ["44"], "w": ["133"]}


def test_detach_keys_leave_the_container_and_give_the_terminal_back(container, keyboard):
    seen = []

    def shell(wire):
        wire.write(b"/ # ")
        while piece := wire.read():
            seen.append(piece)

    container.on("POST", f"{PATH}/attach", Says(stream=shell))

    terminal = keyboard("run", "-it", "busybox")
    terminal.expect(b"/ # ")
    terminal.type(b"ls\x10\x11")

    assert (terminal.wait(), terminal.restored) == (0, True)
    assert b"".join(seen) == b"ls"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_fatal_signal_gives_the_terminal_back(container, keyboard, number):
    def shell(wire):
        wire.write(b"/ # ")
        wire.read_until(b"never")

    container.on("POST", f"{PATH}/attach", Says(stream=shell))

    terminal = keyboard("run", "-it", "busybox")
    terminal.expect(b"/ # ")
    terminal.process.send_signal(number)

    assert (128 + number, True) == (terminal.wait(), terminal.restored)


def test_input_that_is_no_terminal_is_refused_for_a_terminal(container):
    outcome = piped(container, "run", "-it", "busybox")

    assert outcome[:2] == (125, b"")
    assert b"the input device is not a TTY" in outcome[2]
    assert container.calls == []


def test_attach_refuses_a_stopped_container(container):
    state = {"Running": False, "Paused": False, "Restarting": False}
    container.on(
        "GET",
        "/containers/c1/json",
        says({"Id": CONTAINER, "State": state, "Config": {"Tty": False, "OpenStdin": True}}),
    )

    assert piped(container, "attach", "c1") == (
        1,
        b"",
        b"You cannot attach to a stopped container, start it first\n",
    )


def test_exec_ends_with_the_commands_code(container):
    def stream(wire):
        wire.frame(1, b"out")

    container.on("POST", "/containers/c1/exec", says({"Id": "e1"}, 201))
    container.on("POST", "/exec/e1/start", Says(stream=stream))
    container.on("GET", "/exec/e1/json", says({"ExitCode": 9}))

    assert piped(container, "exec", "-e", "A=b", "c1", "sh", "-c", "exit 9") == (9, b"out", b"")
    assert (
        container.asked[0].json["Cmd"],
        container.asked[0].json["Env"],
    ) == (["sh", "-c", "exit 9"], ["A=b"])


def test_output_that_nobody_reads_ends_the_command_quietly(container):
    def stream(wire):
        while True:
            wire.frame(1, b"y\n" * 1000)

    container.on("POST", f"{PATH}/attach", Says(stream=stream))
    command = " ".join(f"'{word}'" for word in [*PROGRAM, "-H", container.host, "run", "busybox", "yes"])

    done = subprocess.run(
        ["sh", "-c", f"{command} | head -1"], capture_output=True, timeout=LIMIT_S, check=False
    )

    assert (done.stdout, done.stderr) == (b"y\n", b"")
