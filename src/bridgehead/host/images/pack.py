"""`python -m bridgehead.host.images.pack UPPER LOWER... < mount points > layer.tar`: changes as a layer.

UPPER is what overlayfs keeps of a container's changes: its character devices 0:0 and opaque folders become
the `.wh.` names of images. The process makes UPPER its root directory before it looks at a name, since a
container chose every name in it; LOWER are the layers below, topmost first. The standard input holds the
paths, each ended by a zero byte, where something was mounted in the container: they, and all below them, are
left out, so that the image below shows there as it was.
"""

import errno
import os
import sys

from bridgehead.core.images.tar_writing import END
from bridgehead.core.model.errors import InvalidParameter
from bridgehead.host.images import confined
from bridgehead.host.images.changed import Changes, Lower

_BUFFER = 1 << 20


def pack(upper: str, lowers: list[str]) -> None:
    mounted = frozenset(path for path in sys.stdin.buffer.read().split(b"\0") if path)
    folders = [os.open(lower, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC) for lower in lowers]
    # Files are opened by way of this, after they were looked at: opening a device is enough to set it going.
    descriptors = os.open("/proc/self/fd", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    with os.fdopen(1, "wb", _BUFFER, closefd=False) as out:
        try:
            os.chroot(upper)
        except FileNotFoundError:  # a container that never ran has changed nothing
            out.write(END)
            return
        os.chdir("/")
        try:
            Changes(out, descriptors, Lower(folders), mounted).write()
        except OSError as error:
            if error.errno != errno.ENAMETOOLONG:
                raise
            raise InvalidParameter("a path in the container is too long for an image") from error


if __name__ == "__main__":
    confined.run(lambda: pack(sys.argv[1], sys.argv[2:]))
