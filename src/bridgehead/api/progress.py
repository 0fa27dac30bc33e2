"""Work that is told while it goes on: a status of its own if it fails at once, a line of the stream later."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from aiohttp import web

from bridgehead.api.call import Call
from bridgehead.api.errors import sentence
from bridgehead.api.reply import json_line, open_stream
from bridgehead.api.wire import progress as wire
from bridgehead.core.images.progress import Progress
from bridgehead.core.model.errors import BridgeheadError


async def told(call: Call, work: AsyncGenerator[Progress]) -> web.StreamResponse:
    """
    Raises:
        BridgeheadError: the work failed before it had anything to say.
    """
    response: web.StreamResponse | None = None
    async with aclosing(work):
        try:
            async for progress in work:
                response = response or await open_stream(call.request)
                await response.write(json_line(wire.show(progress)))
        except BridgeheadError as error:
            if response is None:
                raise
            await response.write(json_line(wire.failure(sentence(error))))
    response = response or await open_stream(call.request)
    await response.write_eof()
    return response
