"""What must be true before the daemon starts; each refusal says what to do about it."""

import os
import shutil
import socket
from pathlib import Path

from bridgehead.core.model.errors import HostRefused

_TOOLS = {
    "nft": "nftables",
    "conmon": "conmon",
}
_RUNTIMES = ("crun", "runc")


def check(runtime: str = "") -> None:
    """
    Raises:
        HostRefused: not root, a tool is missing, or the kernel lacks a feature.
    """
    if os.geteuid() != 0:
        raise HostRefused("the daemon needs root: run it with sudo, or as a system service")
    for tool, package in _TOOLS.items():
        if shutil.which(tool) is None:
            raise HostRefused(f"{tool} is not installed: on Debian or Ubuntu, apt-get install {package}")
    wanted = (runtime,) if runtime else _RUNTIMES
    if not any(shutil.which(name) for name in wanted):
        raise HostRefused(f"no OCI runtime ({' or '.join(wanted)}) is installed: apt-get install runc")
    if "\toverlay\n" not in Path("/proc/filesystems").read_text(encoding="ascii"):
        raise HostRefused("the kernel has no overlayfs: try modprobe overlay")


def claim_network() -> socket.socket:
    """One daemon a network namespace: two would undo each other's bridges and rules. Held until closed.

    An abstract socket's name belongs to its network namespace and dies with its holder.
    """
    claim = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        claim.bind("\0bridgehead-daemon")
    except OSError:
        claim.close()
        raise HostRefused(
            "another Bridgehead daemon already manages this network namespace; stop it first, "
            "or run this one in a namespace of its own"
        ) from None
    return claim
