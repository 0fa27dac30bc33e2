"""Hijacked connections: framing, half-close, terminals, detaching, clients that vanish, order of events."""

import asyncio
import struct
from collections.abc import Callable

import pytest

from bridgehead.core.model.container import Status
from tests.api.conftest import Api

Reader = asyncio.StreamReader
INTERACTIVE = {"OpenStdin": True, "StdinOnce": True, "AttachStdin": True}
ALL = "stream=1&stdin=1&stdout=1&stderr=1"


async def frames(reader: Reader) -> list[tuple[int, bytes]]:
    found = []
    raw = await asyncio.wait_for(reader.read(), 5)
    while raw:
        origin, length = struct.unpack(">BxxxI", raw[:8])
        found.append((origin, raw[8 : 8 + length]))
        raw = raw[8 + length :]
    return found


async def next_frame(reader: Reader) -> tuple[int, bytes]:
    origin, length = struct.unpack(">BxxxI", await asyncio.wait_for(reader.readexactly(8), 5))
    return origin, await reader.readexactly(length)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not holds():  # noqa: ASYNC110 - what is waited for is plain state
            await asyncio.sleep(0.005)


async def test_attach_before_start_misses_nothing(api: Api) -> None:
    await api.container("c", "both", "7")
    reader, _writer = await api.hijack("/containers/c/attach?stream=1&stdout=1&stderr=1")

    await api.ask("POST", "/containers/c/start")
    said = await frames(reader)

    assert said == [(1, b"to stdout\n"), (2, b"to stderr\n")]


async def test_only_the_streams_asked_for_are_shown(api: Api) -> None:
    await api.container("c", "both")
    reader, _writer = await api.hijack("/containers/c/attach?stream=1&stderr=1")

    await api.ask("POST", "/containers/c/start")
    said = await frames(reader)

    assert said == [(2, b"to stderr\n")]


async def test_output_still_comes_after_the_client_half_closed(api: Api) -> None:
    await api.container("c", "count", **INTERACTIVE)
    reader, writer = await api.hijack(f"/containers/c/attach?{ALL}")
    await api.ask("POST", "/containers/c/start")

    writer.write(b"x" * 1_000_000)
    writer.write_eof()
    said = await frames(reader)

    assert said == [(1, b"1000000\n")]


async def test_without_stdin_once_the_end_of_input_ends_the_attachment_alone(api: Api) -> None:
    await api.container("c", "cat", start=True, OpenStdin=True)
    reader, writer = await api.hijack(f"/containers/c/attach?{ALL}")

    writer.write(b"one")
    first = await next_frame(reader)
    writer.write_eof()
    rest = await frames(reader)

    assert (first, rest) == ((1, b"one"), [])
    assert Status.RUNNING is api.engine.snapshot.find_container("c").state.status


async def test_a_terminal_is_raw_and_can_be_left_by_keys(api: Api) -> None:
    await api.container("c", "cat", start=True, Tty=True, OpenStdin=True, StdinOnce=True)
    reader, writer = await api.hijack(f"/containers/c/attach?{ALL}")

    writer.write(b"hello\x10")
    heard = await asyncio.wait_for(reader.readexactly(5), 5)
    writer.write(b"\x11")
    rest = await asyncio.wait_for(reader.read(), 5)

    assert (heard, rest) == (b"hello", b"")
    assert Status.RUNNING is api.engine.snapshot.find_container("c").state.status


async def test_two_clients_see_the_same(api: Api) -> None:
    await api.container("c", "cat", start=True, OpenStdin=True)
    one, one_writer = await api.hijack(f"/containers/c/attach?{ALL}")
    two, _two_writer = await api.hijack(f"/containers/c/attach?{ALL}")
    process = next(iter(api.engine.containers.processes_of.values()))
    await until(lambda: len(process.streams) == 2)

    one_writer.write(b"shared")
    seen = await next_frame(one), await next_frame(two)

    assert seen == ((1, b"shared"), (1, b"shared"))


async def test_a_client_that_vanishes_stalls_nobody(api: Api) -> None:
    await api.container("c", "flood", "400")  # 25 MiB: more than every buffer on the way
    _, writer = await api.hijack("/containers/c/attach?stream=1&stdout=1")
    await api.ask("POST", "/containers/c/start")
    await asyncio.sleep(0.05)
    blocked = api.engine.snapshot.find_container("c").state.status

    writer.transport.abort()

    await until(lambda: api.engine.snapshot.find_container("c").state.status is Status.EXITED)
    assert Status.RUNNING is blocked


async def test_a_vanished_client_ends_the_input_it_owned(api: Api) -> None:
    await api.container("c", "count", **INTERACTIVE)
    _, writer = await api.hijack(f"/containers/c/attach?{ALL}")
    await api.ask("POST", "/containers/c/start")

    writer.transport.abort()

    await until(lambda: api.engine.snapshot.find_container("c").state.status is Status.EXITED)


async def test_a_process_that_takes_no_input_is_still_heard(api: Api) -> None:
    await api.container("c", "deaf", **INTERACTIVE)
    reader, writer = await api.hijack(f"/containers/c/attach?{ALL}")
    await api.ask("POST", "/containers/c/start")

    writer.write(b"x" * 2_000_000)
    said = await frames(reader)

    assert said == [(1, b"still here\n")]


async def test_a_client_waiting_for_a_start_can_go(api: Api) -> None:
    identifier = await api.container("c", "cat")
    _, writer = await api.hijack(f"/containers/c/attach?{ALL}")
    (waiting,) = api.engine.containers._attaching[identifier]

    writer.transport.abort()

    await until(waiting.cancelled)


async def test_a_client_waiting_for_a_start_can_go_with_its_words_unheard(api: Api) -> None:
    identifier = await api.container("c", "cat", **INTERACTIVE)
    _, writer = await api.hijack(f"/containers/c/attach?{ALL}")
    (waiting,) = api.engine.containers._attaching[identifier]

    writer.write(b"unheard")
    await writer.drain()
    writer.close()

    await until(waiting.cancelled)


async def test_a_failed_start_ends_the_attachment(api: Api) -> None:
    await api.container("c", "nonsense")
    reader, _writer = await api.hijack(f"/containers/c/attach?{ALL}")

    started = await api.ask("POST", "/containers/c/start")
    said = await frames(reader)

    assert started.status == 400
    assert said == []


async def test_attach_replays_the_log_on_demand(api: Api) -> None:
    await api.container("c", "both", start=True)
    reader, _writer = await api.hijack("/containers/c/attach?logs=1&stdout=1")

    said = await frames(reader)

    assert said == [(1, b"to stdout\n")]


async def test_attach_to_nothing_is_refused_in_plain_http(api: Api) -> None:
    answer = await api.ask("POST", f"/containers/nope/attach?{ALL}")

    assert (answer.status, answer.message) == (404, "No such container: nope")


@pytest.mark.parametrize(("tty", "kind"), [(False, "multiplexed"), (True, "raw")])
async def test_the_stream_says_its_kind_also_without_an_upgrade(api: Api, tty: bool, kind: str) -> None:
    await api.container("c", "both", start=True, Tty=tty)

    answer = await api.ask("POST", "/containers/c/attach?logs=1&stdout=1")

    assert (200, f"application/vnd.docker.{kind}-stream") == (answer.status, answer.headers["Content-Type"])


async def test_wait_sends_its_headers_before_the_end(api: Api) -> None:
    await api.container("c", "both", "9")
    reader, _writer = await api.open(
        b"POST /containers/c/wait?condition=next-exit HTTP/1.1\r\nHost: x\r\n\r\n"
    )

    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
    await api.ask("POST", "/containers/c/start")
    body = await asyncio.wait_for(reader.readuntil(b"0\r\n\r\n"), 5)

    assert head.startswith(b"HTTP/1.1 200")
    assert b'{"StatusCode":9}' in body


async def test_an_idle_event_client_is_let_go_at_once(api: Api) -> None:
    reader, writer = await api.open(b"GET /events HTTP/1.1\r\nHost: x\r\n\r\n")
    await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
    listening = len(api.engine.events.listeners)

    writer.transport.abort()

    await until(lambda: not api.engine.events.listeners)
    assert listening == 1


async def test_a_listener_to_the_past_alone_is_forgotten(api: Api) -> None:
    answer = await api.ask("GET", "/events?since=1&until=2")

    assert (answer.status, answer.body) == (200, b"")
    assert not api.engine.events.listeners


async def test_an_exec_takes_the_terminal_size_and_half_close(api: Api) -> None:
    await api.container("c", "sleep", start=True)
    made = await api.ask(
        "POST", "/containers/c/exec", {"Cmd": ["count"], "AttachStdin": True, "AttachStdout": True}
    )
    reader, writer = await api.hijack(f"/exec/{made.json['Id']}/start", b'{"Detach":false,"Tty":false}')

    writer.write(b"12345")
    writer.write_eof()
    said = await frames(reader)
    ended = await api.ask("GET", f"/exec/{made.json['Id']}/json")
    again = await api.ask("POST", f"/exec/{made.json['Id']}/start", {})

    assert said == [(1, b"5\n")]
    assert (ended.json["Running"], ended.json["ExitCode"]) == (False, 0)
    assert again.status == 409


async def test_frames_are_sent_to_whoever_starts_an_exec_without_saying_terminal(api: Api) -> None:
    await api.container("c", "sleep", start=True)
    words = {"Cmd": ["cat"], "Tty": True, "AttachStdin": True, "AttachStdout": True}
    made = await api.ask("POST", "/containers/c/exec", words)

    reader, writer = await api.hijack(f"/exec/{made.json['Id']}/start", b'{"Tty":false}')
    writer.write(b"x")

    assert await reader.readexactly(9) == b"\x01\0\0\0\0\0\0\x01x"


async def test_an_exec_with_a_terminal_starts_at_the_clients_size(api: Api) -> None:
    await api.container("c", "sleep", start=True)
    made = await api.ask(
        "POST", "/containers/c/exec", {"Cmd": ["cat"], "Tty": True, "AttachStdin": True, "AttachStdout": True}
    )

    reader, writer = await api.hijack(
        f"/exec/{made.json['Id']}/start", b'{"Tty":true,"ConsoleSize":[31,101]}'
    )
    writer.write(b"x")
    await reader.readexactly(1)
    resized = await api.ask("POST", f"/exec/{made.json['Id']}/resize?h=44&w=133")

    execution = api.engine.containers.exec(made.json["Id"]).execution
    assert execution is not None
    assert (resized.status, execution.size) == (200, (44, 133))  # type: ignore[attr-defined]


async def test_logs_are_framed_stamped_and_cut(api: Api) -> None:
    await api.container("c", "both", start=True)

    answer = await api.ask("GET", "/containers/c/logs?stdout=1&stderr=1&timestamps=1&tail=1")
    nothing = await api.ask("GET", "/containers/c/logs")

    assert answer.body == b"\x02\x00\x00\x00\x00\x00\x00\x29" + b"2026-01-02T03:04:05.000000006Z to stderr\n"
    assert (nothing.status, nothing.message) == (400, "Bad parameters: you must choose at least one stream")


async def test_shutting_down_with_open_streams_is_quick(api: Api) -> None:
    # The fixture's own clean-up is what is measured: pytest's limit would end it.
    await api.container("c", "cat", start=True, OpenStdin=True)
    await api.open(b"GET /events HTTP/1.1\r\nHost: x\r\n\r\n")
    await api.hijack(f"/containers/c/attach?{ALL}")


async def test_a_new_terminal_has_its_clients_size_before_it_starts(api: Api) -> None:
    identifier = await api.container("c", "cat", Tty=True, HostConfig={"ConsoleSize": [31, 101]})
    await api.container("d", "cat", Tty=True, HostConfig={"ConsoleSize": [0, 0]})

    assert api.engine.containers.sizes == [(identifier, 31, 101)]
