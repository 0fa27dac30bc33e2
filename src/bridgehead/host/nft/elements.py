"""Set elements as messages. A key is its fields in a row; every field so far is an interface name."""

from bridgehead.core.firewall.nft import TABLE
from bridgehead.core.plan.diff import Delete, Op, Update
from bridgehead.core.plan.objects import FirewallElement, KernelObject
from bridgehead.host.nft.conversation import Conversation
from bridgehead.host.nft.wire import (
    DATA_VALUE,
    DATA_VERDICT,
    INET,
    LIST_ELEMENT,
    Flag,
    Kind,
    Message,
    attribute,
    attributes,
    children,
    nested,
    number,
    read_text,
    text,
)

_LIST_TABLE, _LIST_SET, _LIST_ELEMENTS = 1, 2, 3
_KEY, _DATA = 1, 2
_VERDICT_CODE = 1
_SET_TABLE, _SET_NAME, _SET_KEY_TYPE = 1, 2, 4
_IFNAME_TYPE, _BITS_PER_TYPE = 41, 6  # as nft numbers its types; a concatenation packs them into one number
_IFNAME_SIZE = 16
_CODES = {"drop": 0, "accept": 1}
_VERDICTS = {code: name for name, code in _CODES.items()}


def messages(op: Op) -> list[Message]:
    """What carries out one operation; an update takes the old element out in the same transaction."""
    if isinstance(op, Delete):
        return [_message(Kind.DEL_ELEMENT, op.object)]
    birth = _message(Kind.NEW_ELEMENT, op.object, Flag.CREATE)
    return [_message(Kind.DEL_ELEMENT, op.before), birth] if isinstance(op, Update) else [birth]


def _message(kind: Kind, element: KernelObject, flags: int = 0) -> Message:
    if not isinstance(element, FirewallElement):
        raise TypeError(f"no element: {element}")
    parts = [nested(_KEY, attribute(DATA_VALUE, _packed(element.match)))]
    if element.data and kind is Kind.NEW_ELEMENT:
        verdict = nested(DATA_VERDICT, number(_VERDICT_CODE, _CODES[element.data]))
        parts.append(nested(_DATA, verdict))
    entry = nested(_LIST_ELEMENTS, nested(LIST_ELEMENT, *parts))
    return Message(kind, INET, text(_LIST_TABLE, TABLE) + text(_LIST_SET, element.set) + entry, flags)


def _packed(match: tuple[str, ...]) -> bytes:
    return b"".join(name.encode().ljust(_IFNAME_SIZE, b"\0") for name in match)


def observed(conversation: Conversation) -> list[FirewallElement]:
    """Every element of our table; none when there is no such table."""
    request = Message(Kind.GET_SET, INET, text(_SET_TABLE, TABLE))
    found: list[FirewallElement] = []
    for properties in conversation.dump(request):
        key_type = int.from_bytes(properties.get(_SET_KEY_TYPE, b""), "big")
        if read_text(properties[_SET_TABLE]) == TABLE and _only_interfaces(key_type):
            found += _elements_of(conversation, read_text(properties[_SET_NAME]))
    return found


def _only_interfaces(key_type: int) -> bool:
    while key_type & 63 == _IFNAME_TYPE:
        key_type >>= _BITS_PER_TYPE
        if not key_type:
            return True
    return False


def _elements_of(conversation: Conversation, set_name: str) -> list[FirewallElement]:
    request = Message(Kind.GET_ELEMENT, INET, text(_LIST_TABLE, TABLE) + text(_LIST_SET, set_name))
    return [
        _element(set_name, entry)
        for properties in conversation.dump(request)
        for _, entry in children(properties.get(_LIST_ELEMENTS, b""))
    ]


def _element(set_name: str, entry: bytes) -> FirewallElement:
    parts = attributes(entry)
    key = attributes(parts[_KEY])[DATA_VALUE]
    names = (key[start : start + _IFNAME_SIZE] for start in range(0, len(key), _IFNAME_SIZE))
    return FirewallElement(set_name, tuple(read_text(name) for name in names), _verdict(parts.get(_DATA)))


def _verdict(data: bytes | None) -> str:
    if data is None:
        return ""
    code = attributes(attributes(data)[DATA_VERDICT])[_VERDICT_CODE]
    return _VERDICTS.get(int.from_bytes(code, "big", signed=True), "unknown")
