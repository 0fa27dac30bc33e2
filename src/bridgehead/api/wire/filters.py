"""The `filters` query: many keys, each with values any of which may match (labels: all of which must)."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence

from bridgehead.api.query import Query
from bridgehead.api.wire import moment
from bridgehead.api.wire.body import document
from bridgehead.core.model.errors import InvalidParameter

Filters = Mapping[str, Sequence[str]]

_TRUE = ("1", "true", "True", "TRUE")
_FALSE = ("0", "false", "False", "FALSE")
_PLAIN = re.compile(r"[\w:/-]*")


def parse(query: Query, accepted: Collection[str]) -> Filters:
    """Both of Docker's spellings: {"key": ["value"]} and {"key": {"value": true}}."""
    text = query.get("filters", "")
    if not text:
        return {}
    found = document(text.encode())
    if not isinstance(found, dict):
        raise InvalidParameter("invalid filters: expected a JSON object")
    for key in found:
        if key not in accepted:
            raise InvalidParameter(f"invalid filter '{key}'")
    return {key: _values(key, value) for key, value in found.items()}


def _values(key: str, value: object) -> list[str]:
    if isinstance(value, dict):
        value = [name for name, wanted in value.items() if wanted]
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return [str(item) for item in value]
    raise InvalidParameter(f"invalid filters: the values of '{key}' are not a list of texts")


def boolean(filters: Filters, key: str) -> bool | None:
    """None where the filter is absent."""
    values = filters.get(key, ())
    if not values:
        return None
    if len(values) > 1:
        raise InvalidParameter(f'got more than one value for filter key "{key}"')
    if values[0] in _TRUE:
        return True
    if values[0] in _FALSE:
        return False
    raise InvalidParameter(
        f'invalid value for filter \'{key}\', must be "true" (or "1"), or "false" (or "0")'
    )


def labels_match(filters: Filters, labels: Mapping[str, str], key: str = "label") -> bool:
    """All of `key`'s terms hold; a term is `name` or `name=value`."""
    return all(_labelled(term, labels) for term in filters.get(key, ()))


def labels_spared(filters: Filters, labels: Mapping[str, str]) -> bool:
    """Some term of `label!` holds, so a prune leaves this one alone."""
    return any(_labelled(term, labels) for term in filters.get("label!", ()))


def _labelled(term: str, labels: Mapping[str, str]) -> bool:
    name, marker, value = term.partition("=")
    return name in labels and (not marker or labels[name] == value)


def until(filters: Filters, now: int) -> int:
    """The time up to which things are meant, in nanoseconds; `now` without the filter."""
    values = filters.get("until", ())
    if len(values) > 1:
        raise InvalidParameter("more than one until filter specified")
    return moment.parse(values[0], now) if values else now


def exact(filters: Filters, key: str, value: str) -> bool:
    return not filters.get(key) or value in filters[key]


def prefixed(filters: Filters, key: str, value: str) -> bool:
    return not filters.get(key) or value.startswith(tuple(filters[key]))


def partial(filters: Filters, key: str) -> Callable[[str], bool]:
    """Whether a text holds one of the values, which may be regular expressions."""
    patterns = [_pattern(value) for value in filters.get(key, ())]
    if not patterns:
        return lambda _: True
    return lambda text: any(pattern.search(text) for pattern in patterns)


def _pattern(value: str) -> re.Pattern[str]:
    if _PLAIN.fullmatch(value):
        return re.compile(re.escape(value))
    try:
        return re.compile(value)
    except re.error:
        return re.compile(re.escape(value))
