"""`python -m bridgehead.host.images.unpack FOLDER < layer.tar`: one layer, unpacked where nothing can escape.

The process makes FOLDER its root directory before it interprets a byte, so no name and no link in the
archive can mean anything outside; everything it needs is imported before that. It prints the layer's diff
id (the digest of the uncompressed archive, to its very end) and notes the bytes of file content on FOLDER.
"""

import hashlib
import os
import sys

from bridgehead.core.model.errors import InvalidParameter
from bridgehead.host.images import compression, confined
from bridgehead.host.images.placing import Placing
from bridgehead.host.images.stream import Members

MAXIMUM_ENTRIES = 4_000_000
"""Names in one layer; an archive of nothing but names fills a file system too."""

SIZE_ATTRIBUTE = "trusted.bridgehead.size"

_PIECE = 1 << 20


def unpack(folder: str) -> None:
    source = compression.inflated(confined.standard_input())
    os.chroot(folder)
    os.chdir("/")
    os.umask(0o022)
    digest = hashlib.sha256()
    counted = confined.Counted(source, digest.update)
    size = _place(Members(counted))
    while counted.read(_PIECE):
        pass
    if counted.is_empty:
        raise InvalidParameter("invalid archive: unexpected EOF")
    os.setxattr("/", SIZE_ATTRIBUTE, str(size).encode())
    sys.stdout.write(f"sha256:{digest.hexdigest()}\n")


def _place(members: Members) -> int:
    placing = Placing()
    for count, entry in enumerate(members):
        if count >= MAXIMUM_ENTRIES:
            raise InvalidParameter(f"the layer holds more than {MAXIMUM_ENTRIES} files")
        placing.place(entry, members.content())
    placing.finish()
    return placing.size


if __name__ == "__main__":
    confined.run(lambda: unpack(sys.argv[1]))
