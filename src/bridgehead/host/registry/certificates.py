"""Which certificates are believed: the system's, and a registry's own where Docker's users put them.

`/etc/docker/certs.d/HOST/` may hold `*.crt` (authorities) and `NAME.cert` with `NAME.key` (the client's own).
"""

import ssl
from functools import cache
from pathlib import Path

from bridgehead.core.images.registries import Door
from bridgehead.core.model.errors import HostRefused

FOLDER = Path("/etc/docker/certs.d")


def trusted(door: Door) -> ssl.SSLContext:
    """Blocking: the system's certificates are read, once.

    Raises:
        HostRefused: a file is no certificate.
    """
    own = FOLDER / door.host
    if "/" in door.host or not own.is_dir():
        return _system() if door.verify else _unverified()
    context = ssl.create_default_context()
    if not door.verify:
        _trust_all(context)
    for path in sorted(own.iterdir()):
        try:
            if path.suffix == ".crt":
                context.load_verify_locations(path)
            elif path.suffix == ".cert":
                context.load_cert_chain(path, path.with_suffix(".key"))
        except (OSError, ssl.SSLError) as error:
            raise HostRefused(f"cannot use the certificate {path}: {error}") from error
    return context


# aiohttp's own contexts were made before certificates could be read: see daemon/run.py.
@cache
def _system() -> ssl.SSLContext:
    return ssl.create_default_context()


@cache
def _unverified() -> ssl.SSLContext:
    context = ssl.create_default_context()
    _trust_all(context)
    return context


def _trust_all(context: ssl.SSLContext) -> None:
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
