"""The composition root: flags, wiring, signals. The only room that may import every other."""

from collections.abc import Sequence


def main(arguments: Sequence[str]) -> int:
    from bridgehead.daemon.run import run

    return run(arguments)
