"""Commands run in a running container: made, started (joined to the client or not), asked after."""

import asyncio
from collections.abc import Sequence

from aiohttp import web

from bridgehead.api import detach, errors
from bridgehead.api.call import Call, Entry
from bridgehead.api.reply import Spent, json, status_only
from bridgehead.api.routes.lifecycle import asked_size
from bridgehead.api.stream import Connection, Joint, frame, join, take_over
from bridgehead.api.wire import body, terminal
from bridgehead.api.wire.container_body import ExecBody, ExecStartBody, words
from bridgehead.core.model.errors import BridgeheadError, Conflict
from bridgehead.core.model.requests import ExecRequest
from bridgehead.engine.executions import running
from bridgehead.engine.faces import Exec

_STDERR = 2


async def create(call: Call) -> web.StreamResponse:
    asked = await body.read(call.request, ExecBody)
    detach.parse(asked.detach_keys)
    request = ExecRequest(
        command=words(asked.cmd) or (),
        environment=tuple(asked.env),
        working_directory=asked.working_dir,
        user=asked.user,
        tty=asked.tty,
        privileged=asked.privileged,
        attach_stdin=asked.attach_stdin,
        attach_stdout=asked.attach_stdout,
        attach_stderr=asked.attach_stderr,
        detach_keys=asked.detach_keys,
    )
    return json({"Id": call.engine.containers.create_exec(call.name, request).id}, 201)


async def start(call: Call) -> web.StreamResponse:
    asked = await body.read(call.request, ExecStartBody)
    exec_ = call.engine.containers.exec(call.name)
    _check_fresh(exec_)
    running(call.snapshot, exec_.container)  # once the connection is taken over, no status can be told
    if asked.detach:
        await call.engine.containers.start_exec(exec_.id, detach=True)
        return status_only(200)
    joint = _joint(exec_.request, framed=not asked.tty)
    client = take_over(call.request, framed=joint.framed, version=call.version)
    try:
        await _run(call, exec_, client, joint, asked.console_size)
    except BridgeheadError as error:
        # The head is long gone: the client reads why on its standard error, and the exit code from inspect.
        complaint = f"{errors.sentence(error)}\r\n".encode()
        await client.write(frame(_STDERR, complaint) if joint.framed else complaint)
    finally:
        client.close()
    return Spent()


async def _run(
    call: Call, exec_: Exec, client: Connection, joint: Joint, console_size: Sequence[int]
) -> None:
    execution = await call.engine.containers.start_exec(exec_.id, detach=False)
    if exec_.request.tty and (size := terminal.size(console_size)):
        execution.resize(*size)
    if execution.stream is None:
        return
    detached = await join(client, execution.stream, joint)
    if not detached:
        # Clients ask for the exit code as soon as the stream has ended, so it must be known by then.
        await execution.wait()
        await asyncio.sleep(0)


def _joint(request: ExecRequest, *, framed: bool) -> Joint:
    """Whether frames are wanted is said at the start, also for a terminal: docker-py relies on that."""
    shown = {1: request.attach_stdout, 2: request.attach_stderr}
    return Joint(
        framed=framed,
        shown=frozenset(stream for stream, wanted in shown.items() if wanted),
        input=request.attach_stdin,
        ends_input=not request.tty,
        detach=detach.DetachKeys(detach.parse(request.detach_keys)) if request.tty else None,
    )


def _check_fresh(exec_: Exec) -> None:
    if exec_.execution is not None or exec_.exit_code is not None:
        raise Conflict(f"Error: Exec command {exec_.id} has already run")


async def inspect(call: Call) -> web.StreamResponse:
    exec_ = call.engine.containers.exec(call.name)
    request = exec_.request
    command = request.command
    return json(
        {
            "ID": exec_.id,
            "Running": exec_.execution is not None and exec_.exit_code is None,
            "ExitCode": exec_.exit_code,
            "ProcessConfig": {
                "tty": request.tty,
                "entrypoint": command[0] if command else "",
                "arguments": list(command[1:]),
                "privileged": request.privileged,
                "user": request.user,
            },
            "OpenStdin": request.attach_stdin,
            "OpenStderr": request.attach_stderr,
            "OpenStdout": request.attach_stdout,
            "CanRemove": exec_.exit_code is not None,
            "ContainerID": exec_.container,
            "DetachKeys": request.detach_keys,
            "Pid": exec_.execution.pid if exec_.execution else 0,
        }
    )


async def resize(call: Call) -> web.StreamResponse:
    height, width = asked_size(call)
    execution = call.engine.containers.exec(call.name).execution
    if execution is None:
        raise Conflict(f"exec {call.name} has not been started")
    execution.resize(height, width)
    return status_only(200)


ENTRIES = (
    Entry("POST", "/containers/{name}/exec", create),
    Entry("POST", "/exec/{name}/start", start),
    Entry("POST", "/exec/{name}/resize", resize),
    Entry("GET", "/exec/{name}/json", inspect),
)
