"""A plugin's answer, from bytes to a value or to the error the user reads: any bytes give either."""

from collections.abc import Iterable
from typing import Any, TypeVar

import msgspec

from bridgehead.core.folding import folding
from bridgehead.core.model.errors import PluginAnswer, PluginRefused
from bridgehead.core.remote.shapes import Answer

T = TypeVar("T", bound=msgspec.Struct)

OPTIONAL = frozenset(
    {
        "NetworkDriver.ProgramExternalConnectivity",
        "NetworkDriver.RevokeExternalConnectivity",
        "NetworkDriver.DiscoverNew",
        "NetworkDriver.DiscoverDelete",
        "NetworkDriver.GwAllocCheck",
        "IpamDriver.GetCapabilities",
    }
)
"""What a plugin may not know: its 404 stands for an empty answer."""

_OK = 200
_UNKNOWN = 404
_LONGEST = 400  # characters that a user is shown of what makes no sense
_LONGEST_REFUSAL = 4000
_DEEPEST = 32  # of lists and objects in each other: as much as everything behind us bears
_INTEGERS = range(-(2**63), 2**64)
_ENCODER = msgspec.json.Encoder(order="deterministic")


def encode(request: msgspec.Struct | None) -> bytes:
    """The body of a call; empty for the calls that carry none."""
    return b"" if request is None else _ENCODER.encode(request)


def answer(
    method: str,
    status: int,
    body: bytes,
    kind: type[T],
    *,
    plugin: str = "",
    request: msgspec.Struct | None = None,
) -> T:
    """The answer to `request` as `kind`, every text in it judged.

    Raises:
        PluginRefused: the plugin said no; its own words, as Docker shows them.
        PluginAnswer: what it said makes no sense.
    """
    if status == _UNKNOWN and method in OPTIONAL:
        return kind()
    if status != _OK:
        raise PluginRefused(f"{method}: {_words(body) or f'status {status}'}")
    try:
        document = decode(body)
        if refused := _refusal(document):
            raise PluginRefused(f"remote: {_shortened(refused, _LONGEST_REFUSAL)}")
        found = convert(document, kind)
        if isinstance(found, Answer):
            found.check_against(request)
    except ValueError as error:
        raise senseless(plugin, method, str(error)) from None
    return found


def senseless(plugin: str, method: str, complaint: str) -> PluginAnswer:
    whose = f'plugin "{plugin}": ' if plugin else ""
    return PluginAnswer(f"{whose}{method}: {_shortened(complaint)}")


def decode(body: bytes) -> Any:
    """Decoded JSON, an object.

    Raises:
        ValueError: it is anything else.
    """
    if not body.strip():
        raise ValueError("the answer is empty")
    try:
        document = msgspec.json.decode(body)
    except RecursionError:
        raise ValueError("the answer is nested too deeply") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"the answer is no JSON: {error}") from None
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise ValueError(f"the answer is no JSON object: {_shortened(_text(body))}")  # noqa: TRY004
    _refuse_excess(document)
    return document


def convert(document: Any, kind: type[T]) -> T:
    """What Go's reading would make of it: any letter case of keys, null for nothing said.

    Raises:
        ValueError: a field is of a wrong type, or its text does not mean what it is for.
    """
    try:
        return msgspec.convert(folding(kind)(document), kind)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except msgspec.ValidationError as error:
        raise ValueError(str(error).replace("`", "")) from None


def _refusal(document: dict[str, Any]) -> str:
    """Network drivers say `Err`, IPAM drivers `Error`; neither key has another meaning in any answer."""
    for key, value in document.items():
        if key.lower() in {"err", "error"} and value is not None:
            if not isinstance(value, str):
                raise ValueError(f"{key} is not text")
            if value:
                return value
    return ""


def _words(body: bytes) -> str:
    """What a plugin says along with a status that is not 200: its `Err`, or else all it says."""
    try:
        said = _refusal(decode(body))
    except ValueError:
        said = ""
    return _shortened(said or _text(body).strip(), _LONGEST_REFUSAL)


def _text(body: bytes) -> str:
    return body[: 4 * _LONGEST_REFUSAL].decode(errors="replace")


def _shortened(text: str, longest: int = _LONGEST) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _refuse_excess(document: Any) -> None:
    """What can be read may be more than can be written again, where it is shown."""
    level = [document]
    for _ in range(_DEEPEST):
        if any(isinstance(value, int) and value not in _INTEGERS for value in level):
            raise ValueError("a number has more than 64 bits")
        level = [inner for value in level for inner in _inside(value)]
    if level:
        raise ValueError("the answer is nested too deeply")


def _inside(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()
