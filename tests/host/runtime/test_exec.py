import asyncio

import pytest

from bridgehead.core.model.container import ProcessSpec
from bridgehead.core.model.errors import CommandNotExecutable, CommandNotFound, HostRefused, InvalidParameter
from tests.host.runtime.conftest import everything

_HEARD_S = 0.05  # conmon hears sizes and input on different lines

pytestmark = pytest.mark.host


async def execute(yard, container, *argv, attach=True, stdin=False, **wishes):
    return await yard.runtime.execute(container, ProcessSpec(argv, **wishes), attach=attach, stdin=stdin)


async def test_exec_has_streams_and_an_exit_code(yard):
    container = await yard.started("sleep", "60")

    running = await execute(yard, container, "sh", "-c", "echo one; echo two >&2; exit 7")

    assert await everything(running.stream) == ("one\n", "two\n")
    assert await running.wait() == 7


async def test_exec_reads_its_input_to_the_end(yard):
    container = await yard.started("sleep", "60")
    running = await execute(yard, container, "wc", "-c", stdin=True)

    await running.stream.write(b"x" * 100_000)
    running.stream.close_input()

    assert await everything(running.stream) == ("100000\n", "")


async def test_exec_brings_its_environment_and_may_be_another_user(yard):
    container = await yard.started("sleep", "60", environment=("A=old", "B=old"))

    running = await execute(
        yard,
        container,
        "sh",
        "-c",
        "id -u; echo $HOSTNAME $A$B; pwd",
        user="nobody",
        environment=("B=2",),
        working_directory="/tmp",
    )

    assert (await everything(running.stream))[0] == "65534\nbox 2\n/tmp\n"


async def test_exec_in_a_terminal_can_be_resized(yard):
    container = await yard.started("sleep", "60")
    running = await execute(yard, container, "sh", "-c", "read line; stty size", tty=True, stdin=True)

    running.resize(20, 70)
    await asyncio.sleep(_HEARD_S)
    await running.stream.write(b"\n")

    assert "20 70" in (await everything(running.stream))[0]


async def test_detached_exec_is_counted_among_the_processes_and_cleans_up(yard):
    container = await yard.started("sleep", "60")
    running = await execute(yard, container, "sh", "-c", "sleep 0.2; exit 4", attach=False)

    listed = yard.runtime.processes(container)
    code = await running.wait()

    assert running.stream is None
    assert running.pid in listed
    assert code == 4
    assert yard.execs(container) == []


@pytest.mark.parametrize("attach", [True, False])
@pytest.mark.parametrize(
    ("command", "error"),
    [
        ("nosuch", CommandNotFound),
        ("/no/such", CommandNotFound),
        ("/etc/not-executable", CommandNotExecutable),
    ],
)
async def test_command_that_cannot_run_is_named(yard, command, error, attach):
    container = await yard.started("sleep", "60")

    with pytest.raises(error, match=r"^OCI runtime exec failed: exec failed: .*: unknown$"):
        await execute(yard, container, command, attach=attach)

    assert yard.execs(container) == []


async def test_no_exec_without_a_running_container(yard):
    container = await yard.started("true")
    await yard.runtime.exited(container)

    with pytest.raises(HostRefused):
        await execute(yard, container, "true")


async def test_unknown_user_leaves_nothing_behind(yard):
    container = await yard.started("sleep", "60")

    with pytest.raises(InvalidParameter, match="unable to find user stranger"):
        await execute(yard, container, "true", user="stranger")

    assert yard.execs(container) == []


async def test_exec_ends_with_its_container(yard):
    container = await yard.started("sleep", "60")
    running = await execute(yard, container, "sleep", "60")

    await yard.runtime.delete(container)

    assert await asyncio.wait_for(running.wait(), 10) in {137, 255}
    running.stream.close()
