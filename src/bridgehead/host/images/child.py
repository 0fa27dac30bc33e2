"""Starting the confined children, feeding them an archive, and hearing how it went."""

import subprocess
import sys
from collections.abc import Iterable, Iterator
from typing import IO, BinaryIO, cast

from bridgehead.core.model.errors import HostRefused, InvalidParameter
from bridgehead.host.images import confined

_PIECE = 1 << 20
_FINISHING_S = 600
"""A child has at most one pipe's worth left to work on when its input ends, but that may unpack to much."""


def pieces(source: BinaryIO) -> Iterator[bytes]:
    while piece := source.read(_PIECE):
        yield piece


def fed(module: str, *arguments: str, content: Iterable[bytes], output: int | None = None) -> str:
    """Run `module` with `content` as its input; what it printed, unless that went to the file `output`.

    Raises:
        InvalidParameter, HostRefused: in the child's words.
    """
    with subprocess.Popen(
        [sys.executable, "-I", "-X", "utf8", "-m", module, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE if output is None else output,
        stderr=subprocess.PIPE,
        bufsize=0,
        env={},
        start_new_session=True,
    ) as child:
        try:
            _feed(cast("IO[bytes]", child.stdin), content)
            printed, complaint = child.communicate(timeout=_FINISHING_S)
        except subprocess.TimeoutExpired:
            raise HostRefused("unpacking the archive took too long") from None
        finally:
            child.kill()
    _judge(child.returncode, complaint.decode(errors="replace"))
    return (printed or b"").decode()


def _feed(pipe: IO[bytes], content: Iterable[bytes]) -> None:
    for piece in content:
        view = memoryview(piece)
        try:
            while view:
                view = view[pipe.write(view) :]
        except BrokenPipeError:
            return  # a child that stops reading has something to say: that is heard later


def _judge(status: int, complaint: str) -> None:
    if status == confined.REFUSED:
        raise InvalidParameter(complaint)
    if status:
        last = complaint.strip().rpartition("\n")[2]
        raise HostRefused(f"unpacking the archive failed: {last or f'status {status}'}")
