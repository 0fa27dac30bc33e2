import asyncio

import pytest

from bridgehead.core.model.errors import HostRefused
from bridgehead.host.runtime import attach
from tests.host.runtime.conftest import everything

pytestmark = pytest.mark.host


async def attached(yard, *argv, **wishes):
    bundle = yard.bundle(*argv, **wishes)
    await yard.runtime.create(bundle)
    stream = await yard.runtime.attach(bundle.container.id)
    return bundle.container.id, stream


async def test_end_of_input_reaches_a_container_that_takes_it_once(yard):
    container, stream = await attached(yard, "sh", "-c", "wc -c; echo done", open_stdin=True, stdin_once=True)
    await yard.runtime.start(container)

    await stream.write(b"x" * 200_000)
    stream.close_input()

    assert await everything(stream) == ("200000\ndone\n", "")


async def test_input_stays_open_for_the_next_client(yard):
    container, first = await attached(yard, "head", "-n", "1", open_stdin=True)
    await yard.runtime.start(container)
    first.close_input()
    first.close()

    second = await yard.runtime.attach(container)
    await second.write(b"late\n")

    assert await everything(second) == ("late\n", "")


async def test_nothing_is_lost_when_input_is_left_unread(yard):
    container, stream = await attached(yard, "echo", "out", open_stdin=True)
    await stream.write(b"unread\n" * 50)

    await yard.runtime.start(container)

    assert await everything(stream) == ("out\n", "")


async def test_every_client_sees_all_output(yard):
    script = "sleep 0.1; i=0; while [ $i -lt 2000 ]; do echo line number $i; i=$((i+1)); done"
    container, first = await attached(yard, "sh", "-c", script)
    second = await yard.runtime.attach(container)
    await yard.runtime.start(container)

    (one, _), (other, _) = await asyncio.gather(everything(first), everything(second))

    assert one == other
    assert one.count("\n") == 2000


async def test_client_that_stopped_reading_is_cut_off(yard, monkeypatch):
    monkeypatch.setattr(attach, "_PATIENCE_S", 0.2)
    container, stalled = await attached(yard, "head", "-c", "20000000", "/dev/zero")

    await yard.runtime.start(container)
    end = await asyncio.wait_for(yard.runtime.exited(container), 20)

    assert end.code == 0
    stalled.close()


async def test_close_wakes_a_reader(yard):
    container, stream = await attached(yard, "sleep", "60")
    await yard.runtime.start(container)
    reading = asyncio.ensure_future(stream.read())
    await asyncio.sleep(0)

    stream.close()

    assert await asyncio.wait_for(reading, 5) is None


async def test_terminal_has_one_stream_and_a_size(yard):
    container, stream = await attached(
        yard, "sh", "-c", "sleep 0.1; stty size; read line; stty size >&2", tty=True, open_stdin=True
    )
    yard.runtime.resize(container, 31, 101)
    await yard.runtime.start(container)
    first = await stream.read()

    yard.runtime.resize(container, 44, 133)
    await asyncio.sleep(0.05)  # conmon hears sizes and input on different lines
    await stream.write(b"\n")
    out, err = await everything(stream)

    assert first == (1, b"31 101\r\n")
    assert (out.replace("\r\n", "", 1), err) == ("44 133\r\n", "")


async def test_terminal_survives_its_clients(yard):
    container, first = await attached(
        yard, "sh", "-c", "read line; echo got $line", tty=True, open_stdin=True
    )
    await yard.runtime.start(container)
    first.close()

    second = await yard.runtime.attach(container)
    await second.write(b"it\n")

    assert "got it" in (await everything(second))[0]


async def test_nothing_to_attach_to(yard):
    container = await yard.started("true")
    await yard.runtime.exited(container)

    with pytest.raises(HostRefused, match="is not running"):
        await yard.runtime.attach(container)
    with pytest.raises(HostRefused, match="is not running"):
        yard.runtime.resize(container, 1, 1)
