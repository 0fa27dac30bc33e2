"""A websocket as one client of a stream: what `attach/ws` joins to a container.

A websocket cannot be half closed, so the end of what a client sends is the end of the client. Its messages
have bounds, but they mean nothing here: only the bytes count.
"""

from aiohttp import WSMsgType, web

from bridgehead.api.reply import begin
from bridgehead.api.version import Version

_BINARY_SINCE = Version(1, 28)
_LONGEST_MESSAGE = 1 << 20  # bytes


class WebSocket:
    def __init__(self, response: web.WebSocketResponse, *, binary: bool) -> None:
        self._response = response
        self._binary = binary

    @property
    def gone(self) -> bool:
        return self._response.closed

    async def read(self) -> bytes:
        """What has arrived; b'' once the client is gone."""
        while True:
            message = await self._response.receive()
            if message.type is WSMsgType.BINARY and message.data:
                return bytes(message.data)
            if message.type is WSMsgType.TEXT and message.data:
                return str(message.data).encode()
            if message.type not in {WSMsgType.BINARY, WSMsgType.TEXT}:
                await self._response.close()
                return b""

    async def write(self, data: bytes) -> None:
        if self.gone:
            return
        if self._binary:
            await self._response.send_bytes(data)
        else:
            await self._response.send_str(data.decode(errors="replace"))

    async def close(self) -> None:
        await self._response.close()


async def accept(request: web.Request, version: Version) -> tuple[web.WebSocketResponse, WebSocket]:
    """
    Raises:
        web.HTTPException: it is no request for a websocket.
    """
    response = web.WebSocketResponse(max_msg_size=_LONGEST_MESSAGE, compress=False)
    if not response.can_prepare(request):
        raise web.HTTPBadRequest(reason="not a websocket handshake")
    begin(request)
    await response.prepare(request)
    return response, WebSocket(response, binary=version >= _BINARY_SINCE)
