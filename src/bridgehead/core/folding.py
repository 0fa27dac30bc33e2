"""Go's reading of JSON, for msgspec: keys match in any letter case, and null means "nothing said".

A type is compiled once into a function that makes a decoded document fit for `msgspec.convert`. Keys that a
struct does not know are kept, so that an echo of the document loses nothing.
"""

from collections.abc import Callable
from typing import Any

from msgspec import inspect

Fold = Callable[[Any], Any]


_COMPILED: dict[type, Fold] = {}


def folding(kind: type) -> Fold:
    fold = _COMPILED.get(kind)
    if fold is None:
        fold = _COMPILED[kind] = _compile(inspect.type_info(kind))
    return fold


def _compile(kind: inspect.Type) -> Fold:
    match kind:
        case inspect.StructType():
            return _struct(kind)
        case inspect.DictType():
            return _mapping(_compile(kind.value_type), _zero(kind.value_type))
        case inspect.ListType() | inspect.VarTupleType():
            return _list(_compile(kind.item_type), _zero(kind.item_type))
        case inspect.UnionType():
            return _first_container(kind)
        case _:
            return _same


def _struct(kind: inspect.StructType) -> Fold:
    names = {field.encode_name.lower(): field.encode_name for field in kind.fields}
    folds = {field.encode_name: _compile(field.type) for field in kind.fields}

    def fold(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        folded = {}
        for key, item in value.items():
            name = key if key in folds else names.get(key.lower(), key)
            if item is None and name in folds:
                continue
            folded[name] = folds[name](item) if name in folds else item
        return folded

    return fold


def _mapping(inner: Fold, zero: Callable[[], Any]) -> Fold:
    def fold(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {key: zero() if item is None else inner(item) for key, item in value.items()}

    return fold


def _list(inner: Fold, zero: Callable[[], Any]) -> Fold:
    def fold(value: Any) -> Any:
        if not isinstance(value, list):
            return value
        return [zero() if item is None else inner(item) for item in value]

    return fold


def _first_container(kind: inspect.UnionType) -> Fold:
    containers = (inspect.StructType, inspect.DictType, inspect.ListType)
    inner = next((member for member in kind.types if isinstance(member, containers)), None)
    return _same if inner is None else _compile(inner)


def _same(value: Any) -> Any:
    return value


def _zero(kind: inspect.Type) -> Callable[[], Any]:
    """What null stands for among a map's or a list's values."""
    match kind:
        case inspect.StrType():
            return str
        case inspect.IntType():
            return int
        case inspect.BoolType():
            return bool
        case inspect.ListType() | inspect.VarTupleType():
            return list
        case inspect.StructType() | inspect.DictType():
            return dict
        case _:
            return lambda: None
