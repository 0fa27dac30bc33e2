"""Whether a link is ours: the kernel keeps a group for each, and all of ours are in one."""

import errno
import os
import socket
import struct

_GET_LINK, _REQUEST, _ERROR = 18, 1, 2
_NAME, _GROUP = 3, 27
_HEADER = struct.Struct("=IHHII")
_LINK = struct.Struct("=BxHiII")
_ATTRIBUTE = struct.Struct("=HH")
_WORD = struct.Struct("=I")


def group_of(name: str) -> int | None:
    """The group of a link in the calling thread's network namespace; None: there is no such link."""
    text = name.encode() + b"\0"
    attribute = _ATTRIBUTE.pack(_ATTRIBUTE.size + len(text), _NAME) + text
    payload = _LINK.pack(0, 0, 0, 0, 0) + attribute + b"\0" * (-len(attribute) % 4)
    request = _HEADER.pack(_HEADER.size + len(payload), _GET_LINK, _REQUEST, 1, 0) + payload
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as channel:
        channel.send(request)
        answer = channel.recv(1 << 16)
    _, kind, *_ = _HEADER.unpack_from(answer)
    if kind == _ERROR:
        code = -struct.unpack_from("=i", answer, _HEADER.size)[0]
        if code == errno.ENODEV:
            return None
        raise OSError(code, os.strerror(code), name)
    return _group(answer[_HEADER.size + _LINK.size :])


def _group(attributes: bytes) -> int:
    at = 0
    while at + _ATTRIBUTE.size <= len(attributes):
        length, kind = _ATTRIBUTE.unpack_from(attributes, at)
        if kind == _GROUP:
            return int(_WORD.unpack_from(attributes, at + _ATTRIBUTE.size)[0])
        at += max(length + 3 & ~3, _ATTRIBUTE.size)
    return 0
