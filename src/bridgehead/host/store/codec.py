"""Records to JSON text and back, following the dataclasses' own annotations.

msgspec writes them; it cannot read them, because a union of two address types is one custom type too many
for it, so the way back is a converter for just the shapes the model uses. It is strict: a value of another
shape raises.
"""

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from enum import StrEnum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec

from bridgehead.core.model.addresses import Address, Interface, Prefix, spelled
from bridgehead.core.model.snapshot import KINDS, Record

Converter = Callable[[Any], Any]
_ADDRESSES: tuple[tuple[Any, Converter], ...] = (
    (Address, ipaddress.ip_address),
    (Prefix, ipaddress.ip_network),
    (Interface, ipaddress.ip_interface),
)
_ADDRESS_TYPES = tuple(kind for union, _ in _ADDRESSES for kind in get_args(union))


def _to_text(value: Any) -> str:
    if isinstance(value, _ADDRESS_TYPES):
        return spelled(value)
    raise NotImplementedError(f"{type(value)} cannot be stored")


_encoder = msgspec.json.Encoder(enc_hook=_to_text)


def encode(record: Record) -> bytes:
    return _encoder.encode(record)


def decode(kind: str, data: bytes) -> Record:
    """
    Raises:
        ValueError, TypeError, KeyError: the text is not such a record.
    """
    hint: Any = KINDS[kind]
    record: Record = _converter(hint)(msgspec.json.decode(data))
    return record


@cache
def _converter(hint: Any) -> Converter:
    hint = getattr(hint, "__supertype__", hint)
    for union, parse in _ADDRESSES:
        if hint == union:
            return parse
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (UnionType, Union):
        return _optional([_converter(argument) for argument in arguments if argument is not NoneType])
    if origin is tuple:
        return _sequence([_converter(argument) for argument in arguments if argument is not Ellipsis])
    if origin is Mapping:
        return _mapping(*(_converter(argument) for argument in arguments))
    if isinstance(hint, type) and is_dataclass(hint):
        return _dataclass(hint)
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        member: Converter = hint
        return member
    return _exactly(hint)


def _exactly(kind: type) -> Converter:
    def convert(value: Any) -> Any:
        if type(value) is not kind:
            raise TypeError(f"expected {kind.__name__}, found {type(value).__name__}")
        return value

    return convert


def _optional(converters: list[Converter]) -> Converter:
    if len(converters) != 1:
        # An optional address: Python flattens `IPv4Address | IPv6Address | None`.
        converters = [lambda text: ipaddress.ip_network(text) if "/" in text else ipaddress.ip_address(text)]
    convert = converters[0]
    return lambda value: None if value is None else convert(value)


def _sequence(converters: list[Converter]) -> Converter:
    if len(converters) == 1:
        convert = converters[0]
        return lambda value: tuple(convert(item) for item in value)
    return lambda value: tuple(convert(item) for convert, item in zip(converters, value, strict=True))


def _mapping(key: Converter, convert: Converter) -> Converter:
    return lambda value: {key(name): convert(item) for name, item in value.items()}


def _dataclass(kind: Any) -> Converter:
    hints = get_type_hints(kind)
    converters = [(field.name, _converter(hints[field.name])) for field in fields(kind)]

    def build(value: Any) -> Any:
        return kind(**{name: convert(value[name]) for name, convert in converters if name in value})

    return build
