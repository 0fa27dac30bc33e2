"""How things look: tables, times and sizes, in Docker's spelling."""

import time
from collections.abc import Sequence

MINIMUM = 10  # columns are at least this wide, and three spaces apart
GAP = 3
SHORT_ID = 12
MINUTE, HOUR, DAY = 60, 3600, 86400
THOUSAND = 1000
SIZE_UNITS = {"": 1, "b": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40, "p": 2**50}
BINARY_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
UNITS = ("B", "kB", "MB", "GB", "TB", "PB")


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return tabs([headings, *rows])


def tabs(rows: Sequence[Sequence[str]], minimum: int = MINIMUM) -> str:
    """Columns without headings of their own."""
    widths = [max(minimum, max(map(len, column)) + GAP) for column in list(zip(*rows, strict=True))[:-1]]
    return "\n".join(_line(row, widths) for row in rows)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [cell.ljust(width) for cell, width in zip(cells, widths, strict=False)]
    return "".join([*padded, cells[-1]])


def short(identifier: str) -> str:
    return identifier.removeprefix("sha256:")[:SHORT_ID]


def ellipsis(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def duration(seconds: float) -> str:
    """About how long, the way people say it."""
    whole = int(seconds)
    hours = round(seconds / HOUR)
    if whole < 1:
        return "Less than a second"
    if whole < MINUTE:
        return _count(whole, "second")
    if whole < 2 * MINUTE:
        return "About a minute"
    if whole < HOUR:
        return f"{whole // MINUTE} minutes"
    if hours == 1:
        return "About an hour"
    return _long_duration(hours)


def _long_duration(hours: int) -> str:
    days = hours // 24
    steps = ((2, hours, "hour"), (14, days, "day"), (60, days // 7, "week"), (730, days // 30, "month"))
    for limit_days, count, unit in steps:
        if days < limit_days:
            return _count(count, unit)
    return _count(days // 365, "year")


def _count(number: int, unit: str) -> str:
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"


def size(count: float, digits: int = 3) -> str:
    """Bytes in powers of a thousand, with so many significant digits."""
    return _scaled(count, THOUSAND, UNITS, digits)


def byte_count(text: str) -> int:
    """'512', '64k', '1.5g', '10MiB': powers of 1024; '-1' stands for no limit."""
    number = text.strip().lower().removesuffix("ib").removesuffix("b")
    unit = number[-1:] if number[-1:].isalpha() else ""
    try:
        return int(float(number.removesuffix(unit)) * SIZE_UNITS[unit])
    except (ValueError, KeyError) as error:
        raise ValueError(f"invalid size: '{text}'") from error


def binary_size(count: float) -> str:
    """Bytes in powers of 1024, four significant digits."""
    return _scaled(count, 1024, BINARY_UNITS, 4)


def _scaled(count: float, base: int, units: Sequence[str], digits: int) -> str:
    unit = 0
    while count >= base and unit < len(units) - 1:
        count /= base
        unit += 1
    return f"{count:.{digits}g}{units[unit]}"


def local_time(seconds: float) -> str:
    """`2026-01-02 15:04:05 +0000 UTC`, in the user's own zone."""
    return time.strftime("%Y-%m-%d %H:%M:%S %z %Z", time.localtime(seconds))


def natural(text: str) -> list[tuple[int, int, str]]:
    """A sort key under which n2 comes before n10."""
    import re

    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.findall(r"\d+|\D+", text)]
