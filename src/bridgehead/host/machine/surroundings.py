"""What the host is like: name servers, MTU of the way out, its name.

Everything is read from /proc and by ioctl, which follow the daemon's own network namespace (/sys does not).
"""

import asyncio
import contextlib
import fcntl
import socket
import struct
from collections.abc import AsyncIterator
from pathlib import Path

from bridgehead.core.etc import ResolvConf, parse_resolv_conf

_SIOCGIFMTU = 0x8921
_RTF_ADDRCONF = 0x40000
_RESOLV_CONF, _BEHIND_STUB = "/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"
_STUB = "127.0.0.53"
_DEFAULT_MTU = 1500


def resolv_conf() -> ResolvConf:
    """The host's name servers; those behind systemd-resolved's stub where that is all there is."""
    settings = parse_resolv_conf(read(_RESOLV_CONF))
    if settings.servers and all(server == _STUB for server in settings.servers):
        behind = parse_resolv_conf(read(_BEHIND_STUB))
        return behind if behind.servers else settings
    return settings


async def resolv_conf_changes(pause_s: float = 1.0) -> AsyncIterator[ResolvConf]:
    """The settings, and again each time their files have changed and then been at rest for `pause_s`.

    Looking costs two stats; notices of the kernel would miss a file that is bind-mounted over, or reached by
    a link into a folder that is not there yet.
    """
    told = resting = _resolv_conf_marks()
    yield resolv_conf()
    while True:
        await asyncio.sleep(pause_s)
        found = _resolv_conf_marks()
        if found == resting != told:
            told = found
            yield resolv_conf()
        resting = found


def _resolv_conf_marks() -> list[tuple[int, int, int] | None]:
    return [_mark(path) for path in (_RESOLV_CONF, _BEHIND_STUB)]


def _mark(path: str) -> tuple[int, int, int] | None:
    try:
        found = Path(path).stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def hosts_text() -> str:
    return read("/etc/hosts")


def hostname() -> str:
    return socket.gethostname()


def uplink_mtu() -> int:
    """MTU of the interface that holds the default route; 1500 without one."""
    for line in read("/proc/self/net/route").splitlines()[1:]:
        interface, destination, *_, mask, _, _, _ = line.split()
        if int(destination, 16) == 0 and int(mask, 16) == 0:
            return _interface_mtu(interface)
    return _DEFAULT_MTU


def advertised_uplinks() -> tuple[str, ...]:
    """Interfaces whose IPv6 default route was advertised by a router, and which would stop listening to it if
    the host began to forward.
    """
    found = []
    for line in read("/proc/self/net/ipv6_route").splitlines():
        destination, length, *_, flags, interface = line.split()
        is_default = int(destination, 16) == 0 and int(length, 16) == 0
        if is_default and int(flags, 16) & _RTF_ADDRCONF and interface not in found:
            found.append(interface)
    return tuple(name for name in found if read(f"/proc/sys/net/ipv6/conf/{name}/accept_ra").strip() == "1")


def bridged_families() -> frozenset[int]:
    """The families whose frames between ports of one bridge meet the host's rules (br_netfilter)."""
    settings = {4: "bridge-nf-call-iptables", 6: "bridge-nf-call-ip6tables"}
    return frozenset(
        version
        for version, name in settings.items()
        if read(f"/proc/sys/net/bridge/{name}").strip() not in {"", "0"}
    )


def _interface_mtu(name: str) -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, contextlib.suppress(OSError):
        answer = fcntl.ioctl(probe, _SIOCGIFMTU, struct.pack("16si", name.encode(), 0))
        mtu: int = struct.unpack("16si", answer)[1]
        return mtu
    return _DEFAULT_MTU


def read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
