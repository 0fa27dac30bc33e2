import asyncio
from datetime import UTC, datetime

import pytest

from bridgehead.api.wire.moment import since_epoch
from bridgehead.host.runtime import conmon

pytestmark = pytest.mark.host


@pytest.mark.parametrize(
    ("tail", "expected"),
    [
        (None, [b"1\n", b"2\n", b"3\n", b"four"]),
        (2, [b"3\n", b"four"]),
        (0, []),
        (9, [b"1\n", b"2\n", b"3\n", b"four"]),
    ],
)
async def test_tail_counts_from_the_end(yard, tail, expected):
    container = await yard.started("sh", "-c", "echo 1; echo 2; sleep 0.05; echo 3; sleep 0.05; printf four")
    await yard.runtime.exited(container)

    actual = await yard.said(container, tail=tail)

    assert expected == [line.data for line in actual]


async def test_streams_and_times_are_told(yard):
    before = datetime.now(UTC)
    container = await yard.started("sh", "-c", "echo out; echo err >&2")
    await yard.runtime.exited(container)

    actual = await yard.said(container)

    assert {(1, b"out\n"), (2, b"err\n")} == {(line.stream, line.data) for line in actual}
    assert before < datetime.fromisoformat(actual[0].time) < datetime.now(UTC)
    assert actual[0].time.endswith("Z")


async def test_long_line_is_whole_in_sum(yard):
    container = await yard.started("sh", "-c", "head -c 50000 /dev/zero | tr '\\0' x; echo; echo next")
    await yard.runtime.exited(container)

    actual = [line.data for line in await yard.said(container)]

    assert b"".join(actual) == b"x" * 50000 + b"\nnext\n"
    assert actual[-1] == b"next\n"


async def test_follower_sees_lines_as_they_come_and_the_end(yard):
    container = await yard.started(
        "sh", "-c", "echo first; read line; echo second; printf third", open_stdin=True
    )
    lines = yard.logs.read(container, follow=True, tail=None, since=0, until=0)

    first = await asyncio.wait_for(anext(lines), 5)
    stream = await yard.runtime.attach(container)
    await stream.write(b"\n")
    rest = [line.data async for line in lines]
    stream.close()

    assert first.data == b"first\n"
    assert rest == [b"second\n", b"third"]


async def test_since_and_until_cut(yard):
    container = await yard.started("sh", "-c", "echo 1; sleep 0.1; echo 2; sleep 0.1; echo 3")
    await yard.runtime.exited(container)
    times = [since_epoch(line.time) for line in await yard.said(container)]

    actual = await yard.said(container, since=times[1], until=times[1])

    assert [line.data for line in actual] == [b"2\n"]


async def test_log_is_bounded_and_followers_cross_over(yard, monkeypatch):
    monkeypatch.setattr(conmon, "_LOG_BYTES", 20_000)
    script = "i=0; while [ $i -lt 600 ]; do echo number $i; i=$((i+1)); usleep 500; done"
    container = await yard.started("sh", "-c", script)

    followed = await yard.said(container, follow=True)

    assert followed[-1].data == b"number 599\n"
    assert (yard.folder / "containers" / container / "container.log").stat().st_size <= 20_000


async def test_no_log_is_an_empty_log(yard):
    bundle = yard.bundle("true")

    assert await yard.said(bundle.container.id, follow=True) == []
