"""Query strings, as leniently as Docker reads them."""

import re
from collections.abc import Mapping

from bridgehead.core.model.errors import InvalidParameter

_FALSE = frozenset({"", "0", "no", "false", "none"})
_STRICT = {
    **dict.fromkeys(("1", "t", "T", "true", "TRUE", "True"), True),
    **dict.fromkeys(("0", "f", "F", "false", "FALSE", "False"), False),
}

_WHOLE = re.compile(r"[+-]?[0-9]{1,19}")

Query = Mapping[str, str]


def flag(query: Query, name: str) -> bool:
    """Anything but absence and a word for no is a yes."""
    return query.get(name, "").strip().lower() not in _FALSE


def strict_flag(query: Query, name: str) -> bool:
    text = query.get(name, "")
    if not text:
        return False
    try:
        return _STRICT[text]
    except KeyError:
        raise InvalidParameter(
            f'invalid value for {name}: {text}: strconv.ParseBool: parsing "{text}": invalid syntax'
        ) from None


def number(query: Query, name: str) -> int | None:
    """None where the client said nothing."""
    text = query.get(name, "")
    if not text:
        return None
    if not _WHOLE.fullmatch(text) or not -(2**63) <= int(text) < 2**63:
        raise InvalidParameter(f"invalid value for {name}: {text!r} is not a whole number")
    return int(text)
