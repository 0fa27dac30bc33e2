"""`python -m bridgehead.host.images.unpack FOLDER NOTES < layer.tar`: one layer, where nothing can escape.

The process makes FOLDER its root directory before it interprets a byte, so no name and no link in the
archive can mean anything outside; everything it needs is imported before that. It prints the layer's diff
id (the digest of the uncompressed archive, to its very end) and notes the bytes of file content on FOLDER.
"""

import hashlib
import os
import sys
from typing import BinaryIO

from bridgehead.core.images.tar import rooted
from bridgehead.core.model.errors import InvalidParameter
from bridgehead.host.images import compression, confined
from bridgehead.host.images.placing import Placing, keeps_content
from bridgehead.host.images.recipe import Notes
from bridgehead.host.images.stream import Members

MAXIMUM_ENTRIES = 4_000_000
"""Names in one layer; an archive of nothing but names fills a file system too."""

SIZE_ATTRIBUTE = "trusted.bridgehead.size"

_PIECE = 1 << 20


def unpack(folder: str, notes: str) -> None:
    source = compression.inflated(confined.standard_input())
    with open(notes, "wb") as file:  # noqa: PTH123 - before the folder is all there is
        recipe = Notes(file)
        _unpack(folder, source, recipe)


def _unpack(folder: str, source: BinaryIO, recipe: Notes) -> None:
    os.chroot(folder)
    os.chdir("/")
    os.umask(0o022)
    digest = hashlib.sha256()

    def seen(piece: bytes) -> None:
        digest.update(piece)
        recipe.seen(piece)

    counted = confined.Counted(source, seen)
    placing = Placing()
    _place(Members(counted), placing, recipe)
    while counted.read(_PIECE):
        pass
    if counted.is_empty:
        raise InvalidParameter("invalid archive: unexpected EOF")
    recipe.close(usable=not placing.replaced)
    os.setxattr("/", SIZE_ATTRIBUTE, str(placing.size).encode())
    sys.stdout.write(f"sha256:{digest.hexdigest()}\n")


def _place(members: Members, placing: Placing, recipe: Notes) -> None:
    for count, entry in enumerate(members):
        if count >= MAXIMUM_ENTRIES:
            raise InvalidParameter(f"the layer holds more than {MAXIMUM_ENTRIES} files")
        if keeps_content(entry):
            recipe.content(rooted(entry.name), entry.size)
        placing.place(entry, members.content())
    placing.finish()


if __name__ == "__main__":
    confined.run(lambda: unpack(*sys.argv[1:]))
