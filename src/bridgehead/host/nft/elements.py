"""Set elements as messages, each field encoded as its set's own declaration in the kernel says."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bridgehead.core.firewall.nft_skeleton import TABLE
from bridgehead.core.plan.diff import Delete, Op, Update
from bridgehead.core.plan.objects import FirewallElement
from bridgehead.host.nft.conversation import Conversation
from bridgehead.host.nft.fields import Fields, decoded, decoded_range, encoded, encoded_range, typed
from bridgehead.host.nft.wire import (
    DATA_VALUE,
    DATA_VERDICT,
    INET,
    LIST_ELEMENT,
    Attributes,
    Flag,
    Kind,
    Message,
    attribute,
    attributes,
    children,
    nested,
    number,
    read_number,
    read_text,
    text,
)

_LIST_TABLE, _LIST_SET, _LIST_ELEMENTS = 1, 2, 3
_KEY, _DATA, _KEY_END = 1, 2, 10
_VERDICT_CODE, _VERDICT_CHAIN = 1, 2
_SET_TABLE, _SET_NAME, _SET_FLAGS, _SET_KEY_TYPE, _SET_DATA_TYPE = 1, 2, 3, 4, 6
_INTERVAL = 0x4
_VERDICT_TYPE = 0xFFFFFF00
_CODES = {"drop": 0, "accept": 1}
_VERDICTS = {code: name for name, code in _CODES.items()}
_JUMPS = {"jump": -3, "goto": -4}
_JUMP_WORDS = {code: word for word, code in _JUMPS.items()}


@dataclass(frozen=True, slots=True)
class Shape:
    """What the elements of one set look like. `data`: None in a set, () in a map of verdicts."""

    key: Fields
    interval: bool
    data: Fields | None


Shapes = Mapping[str, Shape]


def shapes(conversation: Conversation) -> Shapes:
    """Of every set in our table whose fields are of types we know."""
    found = conversation.dump(Message(Kind.GET_SET, INET, text(_SET_TABLE, TABLE)))
    return shapes_of(item for item in found if read_text(item[_SET_TABLE]) == TABLE)


def shapes_of(sets: Iterable[Attributes]) -> Shapes:
    found = {read_text(properties[_SET_NAME]): _shape(properties) for properties in sets}
    return {name: item for name, item in found.items() if item is not None}


def _shape(properties: Attributes) -> Shape | None:
    key = typed(read_number(properties.get(_SET_KEY_TYPE, b"")))
    interval = bool(read_number(properties.get(_SET_FLAGS, b"")) & _INTERVAL)
    if key is None or (interval and len(key) == 1):  # lone intervals are kept as pairs of markers
        return None
    if _SET_DATA_TYPE not in properties:
        return Shape(key, interval, None)
    data_type = read_number(properties[_SET_DATA_TYPE])
    data = () if data_type == _VERDICT_TYPE else typed(data_type)
    return None if data is None else Shape(key, interval, data)


def messages(op: Op, known: Shapes) -> list[Message]:
    """What carries out one operation; an update takes the old element out in the same transaction.

    Raises:
        ValueError: the element does not fit its set; KeyError: there is no such set.
    """
    if isinstance(op, Delete):
        return [removal(_element(op), known)]
    births = [birth(_element(op), known)]
    if isinstance(op, Update) and isinstance(op.before, FirewallElement):
        return [removal(op.before, known), *births]
    return births


def _element(op: Op) -> FirewallElement:
    if not isinstance(op.object, FirewallElement):
        raise TypeError(f"no element: {op.object}")
    return op.object


def birth(element: FirewallElement, known: Shapes) -> Message:
    shape = known[element.set]
    parts = _key(element, shape)
    if shape.data is not None:
        parts.append(nested(_DATA, _data(element.data, shape.data)))
    elif element.data:
        raise ValueError(f"{element.set} is a set, it takes no {element.data}")
    return _message(Kind.NEW_ELEMENT, element, parts, Flag.CREATE)


def removal(element: FirewallElement, known: Shapes) -> Message:
    return _message(Kind.DEL_ELEMENT, element, _key(element, known[element.set]))


def _message(kind: Kind, element: FirewallElement, parts: list[bytes], flags: int = 0) -> Message:
    entry = nested(_LIST_ELEMENTS, nested(LIST_ELEMENT, *parts))
    return Message(kind, INET, text(_LIST_TABLE, TABLE) + text(_LIST_SET, element.set) + entry, flags)


def _key(element: FirewallElement, shape: Shape) -> list[bytes]:
    if not shape.interval:
        return [nested(_KEY, attribute(DATA_VALUE, encoded(shape.key, element.match)))]
    first, last = encoded_range(shape.key, element.match)
    return [
        nested(_KEY, attribute(DATA_VALUE, first)),
        nested(_KEY_END, attribute(DATA_VALUE, last)),
    ]


def _data(data: str, fields: Fields) -> bytes:
    if fields:
        return attribute(DATA_VALUE, encoded(fields, data.split(" . ")))
    word, _, chain = data.partition(" ")
    if chain:
        return nested(DATA_VERDICT, number(_VERDICT_CODE, _JUMPS[word]), text(_VERDICT_CHAIN, chain))
    return nested(DATA_VERDICT, number(_VERDICT_CODE, _CODES[word]))


def observed(conversation: Conversation, known: Shapes) -> list[FirewallElement]:
    """Every element of our table; none when there is no such table."""
    return [
        element
        for set_name, shape in known.items()
        for element in _elements_of(conversation, set_name, shape)
    ]


def _elements_of(conversation: Conversation, set_name: str, shape: Shape) -> list[FirewallElement]:
    request = Message(Kind.GET_ELEMENT, INET, text(_LIST_TABLE, TABLE) + text(_LIST_SET, set_name))
    return [
        _read(set_name, shape, attributes(entry))
        for properties in conversation.dump(request)
        for _, entry in children(properties.get(_LIST_ELEMENTS, b""))
    ]


def _read(set_name: str, shape: Shape, parts: Attributes) -> FirewallElement:
    key = attributes(parts[_KEY])[DATA_VALUE]
    if shape.interval and _KEY_END in parts:
        match = decoded_range(shape.key, key, attributes(parts[_KEY_END])[DATA_VALUE])
    else:
        match = decoded(shape.key, key)
    return FirewallElement(set_name, match, _read_data(shape, parts.get(_DATA)))


def _read_data(shape: Shape, data: bytes | None) -> str:
    if data is None or shape.data is None:
        return ""
    if shape.data:
        return " . ".join(decoded(shape.data, attributes(data)[DATA_VALUE]))
    verdict = attributes(attributes(data)[DATA_VERDICT])
    code = int.from_bytes(verdict[_VERDICT_CODE], "big", signed=True)
    if code in _JUMP_WORDS:
        return f"{_JUMP_WORDS[code]} {read_text(verdict[_VERDICT_CHAIN])}"
    return _VERDICTS.get(code, "unknown")
