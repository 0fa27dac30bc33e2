"""Attach: a client's streams joined to a container's, also to one that is yet to start; also by websocket."""

import logging
from dataclasses import replace

from aiohttp import web

from bridgehead.api import detach
from bridgehead.api.call import Call, Entry
from bridgehead.api.query import flag
from bridgehead.api.reply import Spent
from bridgehead.api.stream import Client, Joint, frame, join, take_over
from bridgehead.api.web_socket import accept
from bridgehead.api.wire import body
from bridgehead.core.guest_rules import refuse
from bridgehead.core.model.container import Container, Status
from bridgehead.core.model.errors import BridgeheadError, Conflict

log = logging.getLogger(__name__)


async def attach(call: Call) -> web.StreamResponse:
    if call.request.can_read_body:
        await body.whole(call.request)  # else what of it is still to come would be the container's input
    container = call.snapshot.find_container(call.name)
    if container.state.status is Status.PAUSED:
        raise Conflict(f"container {call.name} is paused, unpause the container before attach")
    joint = _joint(call, container)
    client = take_over(call.request, framed=joint.framed, version=call.version)
    try:
        if flag(call.query, "logs"):
            await _replay(call, container, client, joint)
        if flag(call.query, "stream"):
            # The first await is the engine's own: it knows of us before the client can say start.
            client.heard = container.state.status.has_process
            stream = await call.engine.containers.attach(container.id)
            client.heard = True
            await join(client, stream, joint)
    except BridgeheadError as error:
        log.debug("attach to %s ended: %s", container.name, error.message)
    finally:
        client.close()
    return Spent()


async def attach_by_web_socket(call: Call) -> web.StreamResponse:
    """As it comes, with and without a terminal: a websocket's frames are not told apart by origin."""
    container = call.snapshot.find_container(call.name)
    refuse(container, "attach to")
    if container.state.status is Status.PAUSED:
        raise Conflict(f"container {call.name} is paused, unpause the container before attach")
    joint = replace(_joint(call, container), framed=False)
    response, client = await accept(call.request, call.version)
    try:
        if flag(call.query, "logs"):
            await _replay(call, container, client, joint)
        if flag(call.query, "stream"):
            await join(client, await call.engine.containers.attach(container.id), joint)
    except BridgeheadError as error:
        log.debug("attach to %s ended: %s", container.name, error.message)
    finally:
        await client.close()
    return response


def _joint(call: Call, container: Container) -> Joint:
    process = container.spec.process
    shown = {1: flag(call.query, "stdout"), 2: flag(call.query, "stderr")}
    keys = detach.DetachKeys(detach.parse(call.query.get("detachKeys", ""))) if process.tty else None
    return Joint(
        framed=not process.tty,
        shown=frozenset(stream for stream, wanted in shown.items() if wanted),
        input=process.open_stdin and flag(call.query, "stdin"),
        ends_input=process.stdin_once and not process.tty,
        detach=keys,
    )


async def _replay(call: Call, container: Container, client: Client, joint: Joint) -> None:
    lines = call.engine.containers.logs(container.id, follow=False, tail=None, since=0, until=0)
    async for line in lines:
        if line.stream in joint.shown:
            await client.write(frame(line.stream, line.data) if joint.framed else line.data)


ENTRIES = (
    Entry("POST", "/containers/{name}/attach", attach),
    Entry("GET", "/containers/{name}/attach/ws", attach_by_web_socket),
)
