"""What becomes of a file that both we and the container write.

We remember what we wrote last; where the file says otherwise, the container changed it, and that stays until
the container starts again. Of `hosts`, which is a list, only our own lines are then exchanged; any other
file is left as the container made it.
"""

from collections.abc import Iterable


def merged(name: str, *, present: str, written: str, wanted: str) -> str:
    """The text to have in the file now that `wanted` follows `written`."""
    if present in (written, wanted):
        return wanted
    return _exchanged(present, written, wanted) if name == "hosts" else present


def _exchanged(present: str, written: str, wanted: str) -> str:
    """Lines that are no longer wanted go, and new ones come in the place of the first of them."""
    gone = _less(_lines(written), _lines(wanted))
    kept: list[str] = []
    place: int | None = None
    for line in _lines(present):
        if line in gone:
            gone.remove(line)
            place = len(kept) if place is None else place
        else:
            kept.append(line)
    new = [line for line in _less(_lines(wanted), _lines(written)) if line not in kept]
    place = len(kept) if place is None else place
    return "".join(f"{line}\n" for line in (*kept[:place], *new, *kept[place:]))


def _less(lines: Iterable[str], without: Iterable[str]) -> list[str]:
    kept = list(lines)
    for line in without:
        if line in kept:
            kept.remove(line)
    return kept


def _lines(text: str) -> list[str]:
    """Not `splitlines`, to which more than the line feed is an end."""
    return text.removesuffix("\n").split("\n") if text else []
