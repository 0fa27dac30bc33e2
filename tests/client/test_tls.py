"""The docker command line and docker-py over TLS, as the manual sets it up."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.bridgehead import bridgehead
from tests.support.certificates import Authority
from tests.support.daemon import Daemon
from tests.support.docker import DOCKER
from tests.support.testhost import CommandFailed, Host
from tests.support.wait import until

pytestmark = pytest.mark.host
ADDRESS = "tcp://127.0.0.1:2376"


@dataclass(frozen=True, slots=True)
class Remote:
    """The docker command line on the daemon's machine, which knows it by its TCP address alone."""

    daemon: Daemon
    certificates: Path

    @property
    def environment(self) -> dict[str, str]:
        return {
            "DOCKER_HOST": ADDRESS,
            "DOCKER_TLS_VERIFY": "1",
            "DOCKER_CERT_PATH": str(self.certificates),
            "DOCKER_CONFIG": str(self.daemon.host.folder / "client"),
        }

    def __call__(self, *words: str, stdin: str | None = None) -> "subprocess.CompletedProcess[str]":
        return self.daemon.host.run(
            DOCKER, *words, stdin=stdin, check=False, timeout_s=40, environment=self.environment
        )

    def popen(self, *words: str) -> "subprocess.Popen[bytes]":
        return self.daemon.host.popen(
            [DOCKER, *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **self.environment},
        )


@pytest.fixture(scope="module")
def remote() -> Iterator[Remote]:
    with Host("tls") as host:
        authority = Authority(host.folder / "authority")
        ours = authority.issue(host.folder / "ours", purpose="serverAuth")
        client = authority.issue(host.folder / "theirs", purpose="clientAuth")
        with bridgehead(host, "-H", ADDRESS, "--tlsverify", *flags(ours)) as daemon:
            daemon.import_image()
            yield Remote(daemon, client)


def flags(folder: Path) -> tuple[str, ...]:
    files = (("--tlscacert", "ca.pem"), ("--tlscert", "cert.pem"), ("--tlskey", "key.pem"))
    return tuple(word for flag, name in files for word in (flag, str(folder / name)))


def test_input_ends_and_output_goes_on(remote: Remote) -> None:
    program = "wc -c; echo late; echo wrong >&2; exit 7"

    done = remote("run", "--rm", "-i", "busybox", "sh", "-c", program, stdin="x" * 300_000)

    assert (done.returncode, done.stdout, done.stderr) == (7, "300000\nlate\n", "wrong\n")


def test_exec_attach_and_logs(remote: Remote) -> None:
    program = "read line; echo heard $line; echo more; read rest; echo over"
    remote("create", "-i", "--name", "long", "busybox", "sh", "-c", program)
    started = remote("start", "-ai", "long", stdin="words\n")
    again = remote("logs", "long")
    remote("rm", "-f", "long")

    assert "heard words\nmore\nover\n" == started.stdout == again.stdout


def test_exec_passes_input_to_its_end(remote: Remote) -> None:
    remote("run", "-d", "--name", "idle", "busybox", "sleep", "600")

    done = remote("exec", "-i", "idle", "sh", "-c", "cat; exit 3", stdin="one\ntwo\n")
    remote("rm", "-f", "idle")

    assert (done.returncode, done.stdout) == (3, "one\ntwo\n")


def test_an_attached_client_that_is_killed_leaves_nothing(remote: Remote) -> None:
    remote("run", "-di", "--name", "idle", "busybox", "cat")
    before = descriptors(remote.daemon)
    attached = remote.popen("attach", "idle")
    until(lambda: descriptors(remote.daemon) > before, "the client to be attached")

    for pid, words in remote.daemon.host.processes().items():
        if words.endswith("attach idle"):
            remote.daemon.host.kill(pid)
    attached.communicate(timeout=10)

    until(lambda: descriptors(remote.daemon) <= before, "everything of the client to be gone")
    remote("rm", "-f", "idle")


def descriptors(daemon: Daemon) -> int:
    return len(list((daemon.host.root / f"proc/{daemon.pid}/fd").iterdir()))


def test_docker_py(remote: Remote) -> None:
    program = """if True:
        import docker
        client = docker.from_env(timeout=20)
        print(client.containers.run("busybox", ["echo", "out"], remove=True))
        idle = client.containers.run("busybox", ["sleep", "600"], detach=True)
        print(idle.exec_run(["sh", "-c", "echo in; exit 4"]))
        idle.remove(force=True)
    """

    # The requests library lets these variables win over the certificates that docker-py was given.
    environment = {**remote.environment, "REQUESTS_CA_BUNDLE": "", "CURL_CA_BUNDLE": ""}
    done = remote.daemon.host.run(sys.executable, "-c", program, environment=environment, timeout_s=60)

    assert done.stdout == "b'out\\n'\nExecResult(exit_code=4, output=b'in\\n')\n"


def test_without_a_certificate_nothing_is_said(remote: Remote) -> None:
    bare = Remote(remote.daemon, remote.daemon.host.folder / "authority")

    done = bare("version")

    assert done.returncode == 1
    assert "certificate required" in done.stderr


def test_a_client_that_forgets_tls_is_told(remote: Remote) -> None:
    plain = {"DOCKER_HOST": ADDRESS, "DOCKER_CONFIG": remote.environment["DOCKER_CONFIG"]}

    done = remote.daemon.host.run(DOCKER, "version", check=False, environment=plain)

    assert "Client sent an HTTP request to an HTTPS server" in done.stderr


def test_certificates_are_renewed_at_a_hang_up(remote: Remote) -> None:
    host = remote.daemon.host
    other = Authority(host.folder / "other", "other")
    other.issue(host.folder / "ours", purpose="serverAuth")
    newcomer = Remote(remote.daemon, other.issue(host.folder / "newcomer", purpose="clientAuth"))
    assert newcomer("version").returncode == 1

    host.kill(remote.daemon.pid, signal.SIGHUP)

    until(lambda: newcomer("version").returncode == 0, "the new certificates to be in force")
    assert "certificate" in remote("version").stderr

    (host.folder / "ours/key.pem").write_text("no key\n")
    host.kill(remote.daemon.pid, signal.SIGHUP)
    until(lambda: "the certificates stay as they were" in remote.daemon.log(), "the refusal in the log")
    assert newcomer("version").returncode == 0


def test_an_open_port_must_have_been_asked_for(host: Host) -> None:
    daemon = bridgehead(host, "-H", "tcp://127.0.0.1:2375")
    with pytest.raises(CommandFailed, match="without TLS anybody who can connect is root on this machine"):
        host.run(*daemon.argv)

    with bridgehead(host, "-H", "tcp://127.0.0.1:2375", "--tls=false") as opened:
        environment = {"DOCKER_HOST": "tcp://127.0.0.1:2375", "DOCKER_CONFIG": str(host.folder / "client")}
        answer = host.run(DOCKER, "network", "ls", "-q", environment=environment)

        assert "Binding to IP address without --tlsverify is insecure" in opened.log()
        assert len(answer.stdout.split()) == 3
