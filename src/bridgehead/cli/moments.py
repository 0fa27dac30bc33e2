"""Moments as people type them (`42m`, `2026-01-02T15:04:05`), in the API's seconds since the epoch."""

import re
import time

from bridgehead.cli.client import CommandFailed

RELATIVE = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|s|m|h))+")
PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")
SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600}


def moment(text: str | None, option: str = "") -> str | None:
    """Times without a zone are local ones; `option` is named when the text is none."""
    if not text or re.fullmatch(r"\d+(\.\d+)?", text):
        return text
    if RELATIVE.fullmatch(text):
        ago = sum(float(number) * SECONDS[unit] for number, unit in PART.findall(text))
        return f"{time.time() - ago:.9f}"
    from datetime import datetime

    try:
        return f"{datetime.fromisoformat(text).timestamp():.9f}"
    except ValueError as error:
        where = f'invalid value for "{option}": ' if option else ""
        raise CommandFailed(f'{where}failed to parse value as time or duration: "{text}"') from error
