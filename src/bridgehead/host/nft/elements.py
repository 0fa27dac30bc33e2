"""Set elements as messages, each field encoded as its set's own declaration in the kernel says."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from bridgehead.core.firewall.nft_skeleton import TABLE
from bridgehead.core.plan.diff import Delete, Op, Update
from bridgehead.core.plan.filtering import FirewallElement
from bridgehead.host.nft.conversation import Conversation
from bridgehead.host.nft.fields import (
    Fields,
    decoded,
    decoded_block,
    decoded_range,
    encoded,
    encoded_block,
    encoded_range,
    holds_addresses,
    typed,
)
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
_KEY, _DATA, _FLAGS, _KEY_END = 1, 2, 3, 10
_INTERVAL_END = 1
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
    """What the elements of one set look like. `data`: None in a set, () in a map of verdicts.

    `interval`: the key is a range of addresses, kept as two elements, of which the second marks its end; or,
    if it has several fields, a range in each, kept as one element with two keys.
    """

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
    key_type = read_number(properties.get(_SET_KEY_TYPE, b""))
    key = typed(key_type)
    interval = bool(read_number(properties.get(_SET_FLAGS, b"")) & _INTERVAL)
    if key is None or (interval and not holds_addresses(key_type)):
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
    data = b""
    if shape.data is not None:
        data = nested(_DATA, _data(element.data, shape.data))
    elif element.data:
        raise ValueError(f"{element.set} is a set, it takes no {element.data}")
    return _message(Kind.NEW_ELEMENT, element, _entries(element, shape, data), Flag.CREATE)


def removal(element: FirewallElement, known: Shapes) -> Message:
    return _message(Kind.DEL_ELEMENT, element, _entries(element, known[element.set]))


def _message(kind: Kind, element: FirewallElement, entries: bytes, flags: int = 0) -> Message:
    body = text(_LIST_TABLE, TABLE) + text(_LIST_SET, element.set) + nested(_LIST_ELEMENTS, entries)
    return Message(kind, INET, body, flags)


def _entries(element: FirewallElement, shape: Shape, data: bytes = b"") -> bytes:
    if not shape.interval:
        return nested(LIST_ELEMENT, _key(encoded(shape.key, element.match)), data)
    if len(shape.key) > 1:
        first, last = encoded_block(shape.key, element.match)
        return nested(LIST_ELEMENT, _key(first), _key(last, _KEY_END), data)
    (only,) = element.match
    first, after = encoded_range(only)
    begin = nested(LIST_ELEMENT, _key(first), data)
    return begin + (nested(LIST_ELEMENT, _key(after), number(_FLAGS, _INTERVAL_END)) if after else b"")


def _key(value: bytes, kind: int = _KEY) -> bytes:
    return nested(kind, attribute(DATA_VALUE, value))


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
    found = [
        attributes(entry)
        for properties in conversation.dump(request)
        for _, entry in children(properties.get(_LIST_ELEMENTS, b""))
    ]
    read = _ranges(found) if shape.interval and len(shape.key) == 1 else _lone(shape, found)
    return [FirewallElement(set_name, match, _read_data(shape, parts.get(_DATA))) for match, parts in read]


def _lone(shape: Shape, found: list[Attributes]) -> Iterator[tuple[tuple[str, ...], Attributes]]:
    for item in found:
        if shape.interval:
            yield decoded_block(shape.key, _value(item), _value(item, _KEY_END)), item
        else:
            yield decoded(shape.key, _value(item)), item


def _ranges(found: list[Attributes]) -> Iterator[tuple[tuple[str, ...], Attributes]]:
    """Beginnings with the end that follows them; at one address an end comes before a beginning."""
    begin: Attributes | None = None
    for item in sorted(found, key=lambda item: (_value(item), not _is_end(item))):
        if begin is not None:
            yield (decoded_range(_value(begin), _value(item)),), begin
        begin = None if _is_end(item) else item
    if begin is not None:
        yield (decoded_range(_value(begin), None),), begin


def _value(parts: Attributes, kind: int = _KEY) -> bytes:
    """An element of several ranges that are all single addresses has no other end."""
    return attributes(parts.get(kind, parts[_KEY]))[DATA_VALUE]


def _is_end(parts: Attributes) -> bool:
    return bool(read_number(parts.get(_FLAGS, b"")) & _INTERVAL_END)


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
