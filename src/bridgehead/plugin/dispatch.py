"""From a call's path and body to a driver's method, and from what it returns or raises to an answer."""

import contextlib
import logging
import re
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from msgspec import Struct

from bridgehead.core.remote import answers
from bridgehead.core.remote import protocol as p
from bridgehead.core.remote.calls import IPAM_CALLS, NETWORK_CALLS, Call
from bridgehead.plugin.drivers import IpamDriver, NetworkDriver, Refused

_log = logging.getLogger("bridgehead.plugin")

Driver = NetworkDriver | IpamDriver

_CAPITAL = re.compile(r"(?<=.)(?=[A-Z])")
_NOT_FOUND = b"404 page not found\n"


@dataclass(frozen=True, slots=True)
class Exchange:
    """One call with its answer, as they were on the wire."""

    method: str
    request: bytes
    status: int
    answer: bytes
    took_s: float


@dataclass(frozen=True, slots=True)
class _Route:
    driver: Driver
    call: Call
    attribute: str
    error_key: str


class Dispatch:
    """Answers calls; never raises. `on_exchange` hears of each when it is over."""

    def __init__(
        self,
        drivers: Sequence[Driver],
        *,
        serialised: bool = True,
        on_exchange: Callable[[Exchange], None] | None = None,
    ) -> None:
        self._routes = {name: route for driver in drivers for name, route in _routes(driver).items()}
        self._implements = p.Implements(implements=tuple(dict.fromkeys(map(_interface, self._routes))))
        self._turn = threading.Lock() if serialised else contextlib.nullcontext()
        self._on_exchange = on_exchange or _logged

    def __call__(self, method: str, body: bytes) -> tuple[int, bytes]:
        """Status and body of the answer."""
        start = time.monotonic()
        with self._turn:
            status, answer = self._answer(method, body)
        self._on_exchange(Exchange(method, body, status, answer, time.monotonic() - start))
        return status, answer

    def _answer(self, method: str, body: bytes) -> tuple[int, bytes]:
        if method == p.ACTIVATE:
            return 200, answers.encode(self._implements)
        route = self._routes.get(method)
        if route is None:
            return 404, _NOT_FOUND
        try:
            request = _request(route.call, body)
        except ValueError as error:
            return 400, _said(route, f"the request makes no sense: {error}")
        try:
            return 200, answers.encode(_answered(route, request))
        except Refused as refusal:
            return refusal.status, _said(route, str(refusal) or "refused")
        except Exception as error:  # noqa: BLE001 - a fault of the driver's is an answer, too
            _log.exception("%s failed", method)
            return 500, _said(route, f"{type(error).__name__}: {error}")


def _routes(driver: Driver) -> dict[str, _Route]:
    if all(isinstance(driver, kind) for kind in (NetworkDriver, IpamDriver)):
        # Both have `get_capabilities`, and mean other things by it.
        raise TypeError(f"{type(driver).__name__} is two drivers in one: make it two classes")
    found: dict[str, _Route] = {}
    for kind, interface, calls, key in (
        (IpamDriver, p.IPAM_DRIVER, IPAM_CALLS, "Error"),
        (NetworkDriver, p.NETWORK_DRIVER, NETWORK_CALLS, "Err"),
    ):
        if isinstance(driver, kind):
            for method, call in calls.items():
                attribute = _CAPITAL.sub("_", method).lower()
                found[f"{interface}.{method}"] = _Route(driver, call, attribute, key)
    return found


def _interface(method: str) -> str:
    return method.partition(".")[0]


def _request(call: Call, body: bytes) -> Struct | None:
    if call.request is None:
        return None
    return answers.convert(answers.decode(body), call.request)


def _answered(route: _Route, request: Struct | None) -> Struct:
    method = getattr(route.driver, route.attribute)
    answer = method() if request is None else method(request)
    kind = route.call.answer
    if answer is None:
        return kind()
    if not isinstance(answer, kind):
        raise TypeError(f"{route.attribute} returned {type(answer).__name__}, not {kind.__name__}")
    answer.check_against(request)
    return answer


def _said(route: _Route, text: str) -> bytes:
    return answers.encode(_Refusal(err=text) if route.error_key == "Err" else _IpamRefusal(error=text))


class _Refusal(p.Part, frozen=True, kw_only=True):
    err: str


class _IpamRefusal(p.Part, frozen=True, kw_only=True):
    error: str


def _logged(exchange: Exchange) -> None:
    _log.info(
        "%s %s -> %d %s (%.0f ms)",
        exchange.method,
        exchange.request.decode(errors="replace").strip() or "-",
        exchange.status,
        exchange.answer.decode(errors="replace").strip(),
        exchange.took_s * 1000,
    )
