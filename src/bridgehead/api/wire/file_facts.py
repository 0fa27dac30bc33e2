"""What is known of a path in a container, as the header of `docker cp` has it."""

import base64
import stat

import msgspec

from bridgehead.core.model.files import PathFacts
from bridgehead.core.time import rfc3339

HEADER = "X-Docker-Container-Path-Stat"
# Go keeps the kind of a file in the upper bits of the mode, each by a bit of its own.
_KINDS = {
    stat.S_IFDIR: 1 << 31,
    stat.S_IFLNK: 1 << 27,
    stat.S_IFBLK: 1 << 26,
    stat.S_IFCHR: 1 << 26 | 1 << 21,
    stat.S_IFIFO: 1 << 25,
    stat.S_IFSOCK: 1 << 24,
}
_MARKS = {stat.S_ISUID: 1 << 23, stat.S_ISGID: 1 << 22, stat.S_ISVTX: 1 << 20}


def header(facts: PathFacts) -> str:
    document = {
        "name": facts.name,
        "size": facts.size,
        "mode": go_mode(facts.mode),
        "mtime": rfc3339(facts.modified),
        "linkTarget": facts.target,
    }
    return base64.b64encode(msgspec.json.encode(document)).decode()


def go_mode(mode: int) -> int:
    marks = sum(bit for mark, bit in _MARKS.items() if mode & mark)
    return mode & 0o777 | _KINDS.get(stat.S_IFMT(mode), 0) | marks
