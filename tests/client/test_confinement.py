"""Options of `run` that shut a container in or let it out, as seen from the inside."""

import pytest

from tests.support.daemon import Daemon

pytestmark = pytest.mark.host


@pytest.mark.parametrize(
    ("words", "command", "said"),
    [
        (("--ulimit", "nofile=100:200"), "ulimit -n; ulimit -Hn", "100\n200"),
        (("--shm-size", "4m"), "df -k /dev/shm | tail -n 1 | awk '{print $2}'", "4096"),
        (("--oom-score-adj", "500"), "cat /proc/self/oom_score_adj", "500"),
        (("--group-add", "4321", "--group-add", "nogroup"), "id -G", "0 4321 65534"),
        (("--device", "/dev/kmsg:/dev/log:r"), "test -c /dev/log && echo there", "there"),
        (("--security-opt", "no-new-privileges"), "grep NoNewPrivs /proc/self/status", "NoNewPrivs:\t1"),
        (("--init",), "cat /proc/1/comm", "docker-init"),
        (("--pid", "host"), "test $$ != 1 && echo others", "others"),
        (("--sysctl", "net.core.somaxconn=77"), "cat /proc/sys/net/core/somaxconn", "77"),
        (
            ("--tmpfs", "/t:size=64k,mode=700"),
            "stat -c %a /t; df -k /t | tail -n 1 | awk '{print $2}'",
            "700\n64",
        ),
        (("--cpuset-cpus", "0"), "grep Cpus_allowed_list /proc/self/status", "Cpus_allowed_list:\t0"),
    ],
)
def test_option_is_felt_inside(daemon: Daemon, words: tuple[str, ...], command: str, said: str) -> None:
    assert daemon.docker.ok("run", "--rm", *words, "busybox", "sh", "-c", command) == said


def test_host_s_name_and_ipc_are_the_host_s(daemon: Daemon) -> None:
    seen = daemon.docker.ok(
        *("run", "--rm", "--uts", "host", "--ipc", "host", "busybox"),
        *("sh", "-c", "hostname; readlink /proc/self/ns/ipc"),
    )

    own = daemon.host.run("readlink", f"/proc/{daemon.pid}/ns/ipc").stdout.strip()
    assert seen.splitlines() == [daemon.host.name, own]


def test_container_sees_the_processes_of_another_while_that_runs(daemon: Daemon) -> None:
    daemon.docker.ok("run", "-d", "--name", "other", "busybox", "sleep", "54321")

    seen = daemon.docker.ok("run", "--rm", "--pid", "container:other", "busybox", "ps")
    daemon.docker.ok("create", "--name", "late", "--pid", "container:other", "busybox", "ps")
    daemon.docker.ok("rm", "-f", "other")
    refused = daemon.docker("start", "late")
    daemon.docker.ok("rm", "late")

    assert "sleep 54321" in seen
    assert "cannot join PID namespace of a non running container" in refused.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--device", "/dev/nothing"), 'adding custom device "/dev/nothing": no such file or directory'),
        (("--gpus", "all"), 'could not select device driver "" with capabilities: [[gpu]]'),
        (("--storage-opt", "size=1G"), "--storage-opt is not supported"),
        (("--runtime", "kata"), "unknown or invalid runtime name: kata"),
        (("--sysctl", "kernel.hostname=x"), "kernel.hostname"),
    ],
)
def test_option_that_cannot_be_is_refused_in_a_sentence(
    daemon: Daemon, words: tuple[str, ...], said: str
) -> None:
    answer = daemon.docker("run", "--rm", *words, "busybox", "true")

    assert answer.code in {125, 127}  # the command line takes "no such file" for a missing command
    assert said in answer.err
