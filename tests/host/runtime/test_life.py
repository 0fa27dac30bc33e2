import asyncio
import os
import signal

import pytest

from bridgehead.core.model.container import Bind, Limits
from bridgehead.core.model.errors import CommandNotExecutable, CommandNotFound, HostRefused, InvalidParameter
from bridgehead.core.model.process import Exit

pytestmark = pytest.mark.host


async def test_output_and_exit_code_are_kept_apart(yard):
    out, err, end = await yard.ran("sh", "-c", "echo one; echo two >&2; exit 42")

    assert (out, err, end.code, end.out_of_memory) == ("one\n", "two\n", 42, False)


async def test_created_is_not_yet_alive(yard):
    bundle = yard.bundle("sleep", "60")
    container = bundle.container.id

    pid = await yard.runtime.create(bundle)
    before = await yard.runtime.alive(container)
    await yard.runtime.start(container)

    assert (None, pid) == (before, await yard.runtime.alive(container))
    assert [pid] == yard.runtime.processes(container)


@pytest.mark.parametrize(
    ("command", "error", "words"),
    [
        ("nosuch", CommandNotFound, 'exec: "nosuch": executable file not found in \\$PATH: unknown$'),
        ("/no/such", CommandNotFound, "no such file or directory: unknown$"),
        ("/etc", CommandNotExecutable, "(permission denied|is a directory): unknown$"),
        ("/etc/not-executable", CommandNotExecutable, "permission denied: unknown$"),
    ],
)
async def test_command_that_cannot_run_is_named(yard, command, error, words):
    with pytest.raises(error, match=f"^failed to create shim task: .*{words}"):
        await yard.started(command)


async def test_bad_mount_is_not_blamed_on_the_command(yard):
    with pytest.raises(HostRefused, match="OCI runtime create failed") as caught:
        await yard.started("true", binds=(Bind("/etc/hostname", "/bin"),))

    assert HostRefused is caught.type


async def test_mount_of_what_is_not_there_is_the_askers_mistake(yard):
    with pytest.raises(InvalidParameter, match="bind source path does not exist: /no/such/source"):
        await yard.started("true", binds=(Bind("/no/such/source", "/data"),))


async def test_container_can_be_made_again_after_a_failure(yard):
    bundle = yard.bundle("sh", "-c", "test -e /ready && exec nosuch; exit 5")
    await yard.runtime.create(bundle)

    await yard.runtime.create(bundle)
    await yard.runtime.start(bundle.container.id)

    assert (await yard.runtime.exited(bundle.container.id)).code == 5


async def test_kill_ends_it_with_the_signal(yard):
    container = await yard.started("sleep", "60")

    await yard.runtime.signal(container, signal.SIGKILL)

    assert Exit(container, 137, out_of_memory=False) == await yard.runtime.exited(container)
    assert await yard.runtime.alive(container) is None


async def test_signal_to_what_is_gone_is_nothing(yard):
    container = await yard.started("true")
    await yard.runtime.exited(container)

    await yard.runtime.signal(container, signal.SIGTERM)


async def test_paused_container_stands_still_and_can_be_killed(yard):
    container = await yard.started("sh", "-c", "while :; do echo tick; sleep 0.02; done")

    await yard.runtime.pause(container, frozen=True)
    await asyncio.sleep(0.05)
    before = len(await yard.said(container))
    await asyncio.sleep(0.1)
    after = len(await yard.said(container))
    await yard.runtime.signal(container, signal.SIGKILL)

    assert before == after
    assert (await yard.runtime.exited(container)).code == 137


async def test_resumed_container_goes_on(yard):
    container = await yard.started("sh", "-c", "sleep 0.1; exit 6")

    await yard.runtime.pause(container, frozen=True)
    await yard.runtime.pause(container, frozen=False)

    assert (await yard.runtime.exited(container)).code == 6


async def test_want_of_memory_is_told(yard):
    _, _, end = await yard.ran("tail", "/dev/zero", limits=Limits(memory=8 << 20))

    assert (end.code, end.out_of_memory) == (137, True)


async def test_process_limit_holds(yard):
    _, err, _ = await yard.ran(
        "sh", "-c", "for i in 1 2 3 4 5 6; do sleep 1 & done; wait", limits=Limits(pids=3)
    )

    assert "can't fork" in err


async def test_limits_are_written_to_the_control_group(yard):
    limits = Limits(memory=64 << 20, cpu_quota=20000, cpu_period=100000, pids=11)
    container = await yard.started("sleep", "60", limits=limits)

    written = yard.written(
        container, "memory.limit_in_bytes", "memory.max", "cpu.cfs_quota_us", "cpu.max", "pids.max"
    )

    assert {str(64 << 20), "11"} < written
    assert written & {"20000", "20000 100000"}


async def test_container_is_confined(yard):
    out, _, _ = await yard.ran("grep", "-E", "^(Seccomp|CapEff|NoNewPrivs):", "/proc/self/status")

    assert out.splitlines() == ["CapEff:\t00000000a80425fb", "NoNewPrivs:\t0", "Seccomp:\t2"]


@pytest.mark.parametrize(
    "command", ["unshare -n true", "mount -t tmpfs none /tmp", "echo x > /proc/sysrq-trigger"]
)
async def test_container_cannot_reach_out(yard, command):
    _, err, end = await yard.ran("sh", "-c", command)

    assert end.code
    assert err


async def test_privileged_container_gets_all_that_the_daemon_has(yard):
    out, _, _ = await yard.ran("grep", "-E", "^(Seccomp|CapEff):", "/proc/self/status", privileged=True)

    bounding = next(line for line in yard.own_status() if line.startswith("CapBnd:"))
    assert [bounding.replace("CapBnd", "CapEff"), "Seccomp:\t0"] == out.splitlines()


async def test_network_namespace_and_files_are_the_given_ones(yard, namespace, namespace_number):
    hosts = yard.folder / "hosts"
    hosts.write_text("127.0.0.1\tlocalhost\n")

    out, _, _ = await yard.ran(
        *(
            "sh",
            "-c",
            "readlink /proc/self/ns/net; cat /etc/hosts /proc/sys/net/ipv4/ip_unprivileged_port_start",
        ),
        namespace=namespace,
        files={"/etc/hosts": str(hosts)},
    )

    assert [namespace_number, "127.0.0.1\tlocalhost", "0"] == out.splitlines()


async def test_user_folder_and_host_name(yard):
    out, _, _ = await yard.ran(
        *("sh", "-c", "id -u; pwd; hostname; echo $HOME"), user="nobody", working_directory="/made/here"
    )

    assert out.splitlines() == ["65534", "/made/here", "box", "/"]


async def test_end_that_nobody_watched_is_remembered(yard):
    container = await yard.started("sh", "-c", "exit 9")
    await yard.runtime.exited(container)

    actual = await yard.new_runtime().exited(container)

    assert actual.code == 9


async def test_new_daemon_adopts_what_runs(yard):
    container = await yard.started("sh", "-c", "read line; exit 8", open_stdin=True)

    successor = yard.new_runtime()
    stream = await successor.attach(container)
    await stream.write(b"go\n")
    end = await successor.exited(container)
    stream.close()

    assert [container] == list(await successor.remembered())
    assert end.code == 8


async def test_death_of_conmon_is_an_end_of_unknown_kind(yard):
    container = await yard.started("sh", "-c", "sleep 0.2")
    conmon = int((yard.folder / "bundles" / container / "oci/conmon.pid").read_text())

    os.kill(conmon, signal.SIGKILL)

    assert (await asyncio.wait_for(yard.runtime.exited(container), 10)).code == 255


async def test_delete_leaves_nothing(yard):
    before = yard.traces()
    container = await yard.started("sh", "-c", "sleep 60 & sleep 61")

    await yard.runtime.delete(container)
    await yard.runtime.delete(container)

    assert before == yard.traces()
    assert list(await yard.runtime.remembered()) == []


async def test_log_outlives_the_container(yard):
    container = await yard.started("echo", "hello")
    await yard.runtime.exited(container)

    await yard.runtime.delete(container)

    assert [line.data for line in await yard.said(container)] == [b"hello\n"]
