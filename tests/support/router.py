"""An IPv6 router's advertisement, sent once: `python -m tests.support.router INTERFACE`."""

import socket
import struct
import sys

_ALL_NODES = "ff02::1"
_ADVERTISEMENT = 134
_LIFETIME_S = 1800


def advertise(interface: str) -> bool:
    """Whether it could be sent: an interface that just came up has no address yet."""
    # Type, code, checksum (by the kernel), hop limit, flags, router lifetime, two timers.
    message = struct.pack("!BBHBBHII", _ADVERTISEMENT, 0, 0, 64, 0, _LIFETIME_S, 0, 0)
    with socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6) as sender:
        sender.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
        try:
            sender.sendto(message, (_ALL_NODES, 0, 0, socket.if_nametoindex(interface)))
        except OSError:
            return False
    return True


if __name__ == "__main__":
    sys.exit(not advertise(sys.argv[1]))
