"""Time and chance, as the engine's Clock and Random."""

import secrets
import time

_FIRST_PORT, _LAST_PORT = 49152, 65535


class SystemClock:
    def now(self) -> int:
        return time.time_ns()


class SystemRandom:
    def identifier(self) -> str:
        """Never all digits in its shown part, so that it cannot be taken for a number or a host address."""
        while True:
            text = secrets.token_hex(32)
            if not text[:12].isdecimal():
                return text

    def port(self) -> int:
        return _FIRST_PORT + secrets.randbelow(_LAST_PORT - _FIRST_PORT + 1)

    def mac(self) -> str:
        first, *rest = secrets.token_bytes(6)
        local_unicast = (first | 2) & ~1
        return ":".join(f"{byte:02x}" for byte in (local_unicast, *rest))
