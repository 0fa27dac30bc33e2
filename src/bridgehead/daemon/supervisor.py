"""What a service manager that started us wants to hear (sd_notify): datagrams to the socket it named."""

import logging
import os
import socket
from dataclasses import dataclass

_log = logging.getLogger("bridgehead.daemon")


@dataclass(frozen=True, slots=True)
class Supervisor:
    """`address`: '' when nobody listens."""

    address: str = ""

    def tell(self, state: str) -> None:
        """As in READY=1."""
        if not self.address:
            return
        abstract = self.address.startswith("@")
        name = f"\0{self.address[1:]}" if abstract else self.address
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as speaking:
            try:
                speaking.sendto(state.encode(), name)
            except OSError as error:
                _log.warning("the service manager does not listen at %s: %s", self.address, error)


def taken() -> Supervisor:
    """Whoever the environment names, taken out of it: else a runtime would speak in our place."""
    return Supervisor(os.environ.pop("NOTIFY_SOCKET", ""))
