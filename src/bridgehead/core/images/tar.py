"""Tar headers, strictly: 512 bytes in, a typed entry out.

Our own, rather than the standard library's, because archives come from strangers: every size is checked
before it is believed, names stay bytes, and nothing loops on a number the archive chose (Python 3.11's
tarfile hangs on a negative size, CVE-2025-8194). Formats: v7, POSIX ustar and pax, GNU long names and
base-256 numbers. Sparse files are refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from bridgehead.core.model.errors import InvalidParameter

BLOCK = 512
MAXIMUM_EXTENSION = 1 << 20
"""Bytes of one pax header or GNU long name."""

_XATTR = b"SCHILY.xattr."
_HIGHEST_NUMBER = (1 << 63) - 1
_ZEROS = bytes(BLOCK)


class Kind(Enum):
    FILE = b"0"
    HARD_LINK = b"1"
    SYMBOLIC_LINK = b"2"
    CHARACTER_DEVICE = b"3"
    BLOCK_DEVICE = b"4"
    DIRECTORY = b"5"
    FIFO = b"6"
    PAX = b"x"
    PAX_GLOBAL = b"g"
    LONG_NAME = b"L"
    LONG_TARGET = b"K"


EXTENSIONS = frozenset({Kind.PAX, Kind.PAX_GLOBAL, Kind.LONG_NAME, Kind.LONG_TARGET})
_WITH_CONTENT = EXTENSIONS | {Kind.FILE}
_FILE_FLAGS = frozenset({b"\0", b"0", b"7"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One member. `size` is the content that follows in the archive, in bytes; time in ns since the epoch."""

    name: bytes
    kind: Kind
    size: int = 0
    target: bytes = b""
    mode: int = 0
    user: int = 0
    group: int = 0
    modified: int = 0
    major: int = 0
    minor: int = 0
    attributes: Mapping[bytes, bytes] = field(default_factory=dict)

    @property
    def padding(self) -> int:
        return -self.size % BLOCK


@dataclass(frozen=True, slots=True)
class Overrides:
    """What extension headers said about the next entry."""

    pax: Mapping[bytes, bytes] = field(default_factory=dict)
    name: bytes = b""
    target: bytes = b""


def is_end(block: bytes) -> bool:
    return block == _ZEROS


def header(block: bytes, overrides: Overrides) -> Entry:
    """The entry a header block describes, extension headers included.

    Raises:
        InvalidParameter: it is no tar header, or one of a kind no image needs.
    """
    _verify_checksum(block)
    kind = _kind(block)
    pax = {} if kind in EXTENSIONS else overrides.pax
    size = _pax_number(pax, b"size", _number(block[124:136]))
    if kind in EXTENSIONS and size > MAXIMUM_EXTENSION:
        raise InvalidParameter("invalid tar header: an extension is too long")
    is_device = kind in {Kind.CHARACTER_DEVICE, Kind.BLOCK_DEVICE}
    return Entry(
        name=_text(pax.get(b"path") or overrides.name or _name(block)),
        kind=kind,
        size=size if kind in _WITH_CONTENT else 0,
        target=_text(pax.get(b"linkpath") or overrides.target or _until_zero(block[157:257])),
        mode=_number(block[100:108]) & 0o7777,
        user=_pax_number(pax, b"uid", _number(block[108:116])),
        group=_pax_number(pax, b"gid", _number(block[116:124])),
        modified=_time(pax.get(b"mtime")) or _number(block[136:148], signed=True) * 10**9,
        major=_number(block[329:337]) if is_device else 0,
        minor=_number(block[337:345]) if is_device else 0,
        attributes={key[len(_XATTR) :]: value for key, value in pax.items() if key.startswith(_XATTR)},
    )


def extended(overrides: Overrides, entry: Entry, content: bytes) -> Overrides:
    """`overrides` with what the extension `entry` adds. Global headers describe the archive: left out."""
    match entry.kind:
        case Kind.PAX:
            return Overrides(pax_records(content), overrides.name, overrides.target)
        case Kind.LONG_NAME:
            return Overrides(overrides.pax, _until_zero(content), overrides.target)
        case Kind.LONG_TARGET:
            return Overrides(overrides.pax, overrides.name, _until_zero(content))
        case _:
            return overrides


def pax_records(content: bytes) -> dict[bytes, bytes]:
    """Records `LENGTH KEY=VALUE` and a newline; of equal keys the last one counts, an empty value none."""
    records: dict[bytes, bytes] = {}
    rest = content
    while rest:
        digits, blank, _ = rest[:8].partition(b" ")
        length = int(digits) if digits.isdigit() else 0
        record = rest[len(digits) + 1 : length]
        key, equals, value = record.partition(b"=")
        if not (blank and key and equals and length <= len(rest) and value.endswith(b"\n")):
            raise InvalidParameter("invalid tar header: malformed pax record")
        if key.startswith(b"GNU.sparse."):
            raise InvalidParameter("sparse files in archives are not supported")
        records[key] = value[:-1]
        rest = rest[length:]
    return {key: value for key, value in records.items() if value}


def rooted(name: bytes) -> bytes:
    """A member's name as a path from the archive's root, by its letters alone: `./a//b/../c` is `/a/c`.

    Raises:
        InvalidParameter: it climbs above the root.
    """
    parts: list[bytes] = []
    for part in name.split(b"/"):
        if part == b"..":
            if not parts:
                raise InvalidParameter(f"invalid archive: {name.decode(errors='replace')!r} is outside of it")
            parts.pop()
        elif part not in {b"", b"."}:
            parts.append(part)
    return b"/" + b"/".join(parts)


def _kind(block: bytes) -> Kind:
    flag = block[156:157]
    if flag == b"\0" and _name(block).endswith(b"/"):
        return Kind.DIRECTORY  # before POSIX a directory was a file whose name ends in a slash
    if flag in _FILE_FLAGS:
        return Kind.FILE
    if flag == b"S":
        raise InvalidParameter("sparse files in archives are not supported")
    try:
        return Kind(flag)
    except ValueError:
        raise InvalidParameter(f"unhandled tar header type {flag[0]}") from None


def _verify_checksum(block: bytes) -> None:
    unsigned = sum(block) - sum(block[148:156]) + 8 * ord(" ")
    if _number(block[148:156]) == unsigned:
        return
    # Some old writers summed the bytes as signed characters.
    signed = unsigned - 256 * sum(byte >> 7 for byte in block[:148] + block[156:])
    if _number(block[148:156], signed=True) != signed:
        raise InvalidParameter("invalid tar header")


def _number(digits: bytes, *, signed: bool = False) -> int:
    """Octal text, or base 256 where the first bit is set."""
    if digits[0] & 0x80:
        value = int.from_bytes(bytes([digits[0] & 0x7F]) + digits[1:], "big")
        if digits[0] & 0x40:
            value -= 1 << (8 * len(digits) - 1)
    else:
        text = digits.strip(b" \0")
        if text.strip(b"01234567"):
            raise InvalidParameter("invalid tar header")
        value = int(text, 8) if text else 0
    if abs(value) > _HIGHEST_NUMBER or (value < 0 and not signed):
        raise InvalidParameter("invalid tar header")
    return value


def _pax_number(pax: Mapping[bytes, bytes], key: bytes, otherwise: int) -> int:
    text = pax.get(key)
    if text is None:
        return otherwise
    if not text.isdigit() or len(text) > 19 or int(text) > _HIGHEST_NUMBER:
        raise InvalidParameter("invalid tar header: malformed pax record")
    return int(text)


def _time(text: bytes | None) -> int:
    """Decimal seconds, with any number of digits after the point, in nanoseconds."""
    if text is None:
        return 0
    whole, _, fraction = text.removeprefix(b"-").partition(b".")
    if not whole.isdigit() or len(whole) > 11 or not (fraction or b"0").isdigit():
        raise InvalidParameter("invalid tar header: malformed pax record")
    nanoseconds = int(whole) * 10**9 + int(fraction[:9].ljust(9, b"0"))
    return -nanoseconds if text.startswith(b"-") else nanoseconds


def _name(block: bytes) -> bytes:
    name, prefix = _until_zero(block[:100]), _until_zero(block[345:500])
    is_posix = block[257:263] == b"ustar\0"
    return prefix + b"/" + name if is_posix and prefix else name


def _until_zero(field_: bytes) -> bytes:
    return field_.partition(b"\0")[0]


def _text(name: bytes) -> bytes:
    if b"\0" in name:
        raise InvalidParameter("invalid tar header: a name holds a zero byte")
    return name
