"""From a class of error to a status and the JSON body clients expect. The only place that knows both."""

import logging

from aiohttp import web

from bridgehead.api.reply import json, status_only
from bridgehead.core.model.errors import (
    BridgeheadError,
    CommandNotExecutable,
    CommandNotFound,
    Conflict,
    Forbidden,
    HostRefused,
    InvalidParameter,
    NotFound,
    NotImplementedByDriver,
    NotModified,
    Unauthorized,
    Unavailable,
)

log = logging.getLogger(__name__)


class TooLarge(InvalidParameter):
    """A body beyond what its route reads."""


# The first class an error is an instance of decides, so the special stand before the general.
STATUSES: tuple[tuple[type[BridgeheadError], int], ...] = (
    (TooLarge, 413),
    (InvalidParameter, 400),
    (Unauthorized, 401),
    (Forbidden, 403),
    (NotFound, 404),
    (Conflict, 409),
    (NotModified, 304),
    (NotImplementedByDriver, 501),
    (Unavailable, 503),
    (CommandNotFound, 400),
    (CommandNotExecutable, 400),
    (HostRefused, 500),
)

# The docker CLI reads its exit codes 127 and 126 out of these words.
_NOT_FOUND_WORDS = ("executable file not found", "no such file or directory")
_NOT_EXECUTABLE_WORDS = ("permission denied", "is a directory")


def status_of(error: BridgeheadError) -> int:
    return next((status for kind, status in STATUSES if isinstance(error, kind)), 500)


def sentence(error: BridgeheadError) -> str:
    """The error's message, with the words added by which clients tell why a command did not start."""
    message = error.message
    if isinstance(error, CommandNotFound) and not _says(message, _NOT_FOUND_WORDS):
        return f"{message}: executable file not found in $PATH"
    if isinstance(error, CommandNotExecutable) and not _says(message, _NOT_EXECUTABLE_WORDS):
        return f"{message}: permission denied"
    return message


def refusal(error: BridgeheadError) -> web.Response:
    status = status_of(error)
    if status == NOT_MODIFIED:
        return status_only(NOT_MODIFIED)
    if status == INTERNAL:
        log.warning("%s: %s", type(error).__name__, error.message)
    return json({"message": sentence(error)}, status)


NOT_MODIFIED = 304
INTERNAL = 500


def bug(error: Exception) -> web.Response:
    log.error("a request failed by a fault of ours", exc_info=error)
    return json({"message": f"internal error: {type(error).__name__}: {error}"}, INTERNAL)


def _says(message: str, words: tuple[str, ...]) -> bool:
    return any(word in message for word in words)
