"""`python -m bridgehead.host.images.inflate < archive > file`: an archive without its compression, bounded.

A process of its own, since a few bytes can make a decompressor fill any memory: here the kernel says stop.
"""

import os

from bridgehead.host.images import compression, confined

_PIECE = 1 << 20


def inflate() -> None:
    counted = confined.Counted(compression.inflated(confined.standard_input()))
    with os.fdopen(1, "wb", closefd=False) as output:
        while piece := counted.read(_PIECE):
            output.write(piece)


if __name__ == "__main__":
    confined.run(inflate)
