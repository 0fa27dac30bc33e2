"""What the daemon and a process beside it say to each other: one JSON object a line, values as lists.

    {"do": "hello", "own": true}   -> {"protocol": 1, "package": "0.1.0", "pid": 4711}
    {"do": "observe"}              -> what it holds, in its own terms
    {"do": "apply", "changes": [["put-...", ...], ["drop-...", ...], ...]}
                                   -> {"results": [null, why it failed, ...]}
    {"do": "shutdown"}             -> {}, and the process ends
    {"do": "replace", "command": ["python", ...]}
                                   -> nothing: the session ends, the command has taken over what was held

Anything refused as a whole is answered by {"error": "why"}.
"""

import json
from typing import cast

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
Message = dict[str, Json]


class NotUnderstood(ValueError):
    """The other side speaks another protocol, or none."""


def line(message: Message) -> bytes:
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


def message(text: bytes) -> Message:
    """Raises NotUnderstood."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise NotUnderstood(f"no JSON: {error}") from error
    if not isinstance(found, dict):
        raise NotUnderstood("not an object")
    return cast("Message", found)


def items(value: Json) -> list[Json]:
    if not isinstance(value, list):
        raise NotUnderstood(f"not a list: {value!r:.80}")
    return value


def exactly(count: int, value: Json) -> list[Json]:
    found = items(value)
    if len(found) != count:
        raise NotUnderstood(f"{len(found)} fields in place of {count}")
    return found


def text(value: Json) -> str:
    if not isinstance(value, str):
        raise NotUnderstood(f"not a text: {value!r:.80}")
    return value


def texts(value: Json) -> tuple[str, ...]:
    return tuple(text(item) for item in items(value))


def number(value: Json) -> int:
    if not isinstance(value, int):
        raise NotUnderstood(f"not a number: {value!r:.80}")
    return value
