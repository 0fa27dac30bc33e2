"""A container's processes, in `ps`'s own columns."""

import asyncio
import shlex
from collections.abc import Sequence

from aiohttp import web

from bridgehead.api.call import Call, Entry
from bridgehead.api.reply import json
from bridgehead.core.model.errors import HostRefused, InvalidParameter

_PATIENCE_S = 10.0


async def top(call: Call) -> web.StreamResponse:
    container = call.snapshot.find_container(call.name)
    listing = await _listing(_words(call.query.get("ps_args", "") or "-ef"))
    titles, *rows = (line.split() for line in listing.splitlines() if line.strip())
    if "PID" not in titles:
        raise InvalidParameter("Couldn't find PID field in ps output")
    wanted = set(call.engine.containers.processes(container.id))
    return json({"Titles": titles, "Processes": _rows(titles, rows, wanted)})


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as error:
        raise InvalidParameter(f"invalid ps_args: {error}") from error


async def _listing(words: Sequence[str]) -> str:
    try:
        process = await asyncio.create_subprocess_exec(
            "ps", *words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
    except FileNotFoundError as error:
        raise HostRefused("listing processes needs the ps command, which is not installed") from error
    try:
        output, complaint = await asyncio.wait_for(process.communicate(), _PATIENCE_S)
    except BaseException:
        process.kill()
        raise
    if process.returncode or not output.strip():
        reason = complaint.decode(errors="replace").strip().partition("\n")[0]
        raise InvalidParameter(f"ps refused: {reason or 'it listed nothing'}")
    return output.decode(errors="replace")


def _rows(titles: Sequence[str], rows: Sequence[list[str]], wanted: set[int]) -> list[list[str]]:
    """The container's own rows; a command's spaces do not make it more than one column."""
    place, last = titles.index("PID"), len(titles) - 1
    return [
        [*row[:last], " ".join(row[last:])]
        for row in rows
        if len(row) > place and row[place].isdecimal() and int(row[place]) in wanted
    ]


ENTRIES = (Entry("GET", "/containers/{name}/top", top),)
