"""Health checks in images: the object of an image's configuration, and the Dockerfile instruction."""

import re

import msgspec

from bridgehead.core.model.errors import InvalidParameter
from bridgehead.core.model.health import HealthCheck

_UNITS_NS = {"h": 3600 * 10**9, "m": 60 * 10**9, "s": 10**9, "ms": 10**6, "us": 10**3, "µs": 10**3, "ns": 1}
_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(h|ms|m|s|us|µs|ns)")
_DURATION = re.compile(rf"(?:{_PART.pattern})+")
_TIMES = {
    "--interval": "interval",
    "--timeout": "timeout",
    "--start-period": "start_period",
    "--start-interval": "start_interval",
}


class HealthcheckObject(msgspec.Struct, frozen=True, omit_defaults=True, rename="pascal"):
    """Docker's `Healthcheck`, the same in images and in create bodies; times in nanoseconds."""

    test: list[str] | None = None
    interval: int = 0
    timeout: int = 0
    start_period: int = 0
    start_interval: int = 0
    retries: int = 0

    def value(self) -> HealthCheck:
        return HealthCheck(
            tuple(self.test or ()),
            self.interval,
            self.timeout,
            self.retries,
            self.start_period,
            self.start_interval,
        )


def instruction(rest: str) -> HealthcheckObject:
    """`[OPTIONS] CMD command`, or `NONE`.

    Raises:
        InvalidParameter: it is neither, or an option is none.
    """
    options: dict[str, int] = {}
    while rest.startswith("--"):
        word, _, rest = rest.partition(" ")
        name, _, value = word.partition("=")
        options |= _option(name, value)
        rest = rest.strip()
    kind, _, text = rest.partition(" ")
    if kind.upper() == "NONE" and not text and not options:
        return HealthcheckObject(["NONE"])
    if kind.upper() != "CMD" or not text.strip():
        raise InvalidParameter(f"Unknown type {kind!r} in HEALTHCHECK (try CMD)")
    return HealthcheckObject(_test(text.strip()), **options)


def _option(name: str, value: str) -> dict[str, int]:
    if name == "--retries" and value.isdecimal():
        return {"retries": int(value)}
    if name not in _TIMES or not _DURATION.fullmatch(value):
        raise InvalidParameter(f"invalid flag of HEALTHCHECK: {name}={value}")
    found = sum(float(number) * _UNITS_NS[unit] for number, unit in _PART.findall(value))
    return {_TIMES[name]: int(found)}


def _test(text: str) -> list[str]:
    if text.startswith("["):
        try:
            return ["CMD", *msgspec.json.decode(text, type=list[str])]
        except (msgspec.MsgspecError, RecursionError):
            pass
    return ["CMD-SHELL", text]
