"""The other way round: a typed entry as the headers of a POSIX archive. The content follows, padded to BLOCK.

What does not fit the old header's fields (long names, large numbers, attributes) goes into a pax header
before it.
"""

from collections.abc import Iterator

from bridgehead.core.images.tar import BLOCK, Entry, Kind

END = bytes(2 * BLOCK)

_LONGEST_NAME = 100
_LARGEST_ID = 0o7777777
_LARGEST_NUMBER = 0o77777777777
_SECOND = 10**9
_XATTR = b"SCHILY.xattr."


def headers(entry: Entry) -> bytes:
    """Everything that stands before the entry's content. Times are kept to the second, as Docker's are."""
    records = b"".join(_record(key, value) for key, value in _pax(entry))
    if not records:
        return _header(entry)
    extension = Entry(b"PaxHeaders/entry", Kind.PAX, size=len(records), mode=0o644)
    return _header(extension) + records + bytes(extension.padding) + _header(entry)


def _pax(entry: Entry) -> Iterator[tuple[bytes, bytes]]:
    if len(entry.name) > _LONGEST_NAME:
        yield b"path", entry.name
    if len(entry.target) > _LONGEST_NAME:
        yield b"linkpath", entry.target
    for key, number, largest in (
        (b"uid", entry.user, _LARGEST_ID),
        (b"gid", entry.group, _LARGEST_ID),
        (b"size", entry.size, _LARGEST_NUMBER),
        (b"mtime", entry.modified // _SECOND, _LARGEST_NUMBER),
    ):
        if not 0 <= number <= largest:
            yield key, b"%d" % number
    for name, value in sorted(entry.attributes.items()):
        yield _XATTR + name, value


def _record(key: bytes, value: bytes) -> bytes:
    """`LENGTH KEY=VALUE` and a newline, where LENGTH counts its own digits."""
    rest = len(key) + len(value) + 3
    length = rest + len(str(rest))
    length = rest + len(str(length))
    return b"%d %s=%s\n" % (length, key, value)


def _header(entry: Entry) -> bytes:
    fields = (
        entry.name[:_LONGEST_NAME].ljust(100, b"\0"),
        _octal(entry.mode, 8),
        _octal(entry.user, 8),
        _octal(entry.group, 8),
        _octal(entry.size, 12),
        _octal(entry.modified // _SECOND, 12),
        b" " * 8,
        entry.kind.value,
        entry.target[:_LONGEST_NAME].ljust(100, b"\0"),
        b"ustar\x0000",
        bytes(64),
        _octal(entry.major, 8),
        _octal(entry.minor, 8),
        bytes(167),
    )
    block = b"".join(fields)
    checksum = b"%06o\0 " % sum(block)
    return block[:148] + checksum + block[156:]


def _octal(number: int, width: int) -> bytes:
    """Zero where it does not fit: then the pax header says it."""
    digits = b"%0*o" % (width - 1, max(0, number))
    return (digits if len(digits) < width and number >= 0 else b"0" * (width - 1)) + b"\0"
