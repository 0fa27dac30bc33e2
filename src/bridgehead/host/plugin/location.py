"""Where a plugin listens: what a `.spec` or a `.json` file says of it."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from bridgehead.core.model.errors import PluginUnreachable
from bridgehead.core.remote.words import shown

_LARGEST_FILE = 64 * 1024
_SCHEMES = {"tcp": "http", "http": "http", "https": "https"}
# What newer engines write for a plugin on a unix socket; an empty one is refused by some servers.
_LOCAL_HOST = "plugin.moby.localhost"


class TLS(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """`ca_file` "": the authorities this machine trusts."""

    insecure_skip_verify: bool = False
    ca_file: str = msgspec.field(default="", name="CAFile")
    cert_file: str = ""
    key_file: str = ""


class _Document(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    name: str = ""
    addr: str = ""
    tls_config: TLS | None = msgspec.field(default=None, name="TLSConfig")


@dataclass(frozen=True, slots=True)
class Location:
    """`socket`: the path of a unix socket, None where `url` says all. `url` has no path of its own."""

    name: str
    source: str
    url: str
    socket: str | None = None
    tls: TLS | None = None

    @property
    def address(self) -> str:
        return self.url if self.socket is None else f"unix://{self.socket}"


def at_socket(name: str, path: Path) -> Location:
    return Location(name, str(path), f"http://{_LOCAL_HOST}", str(path))


def described(name: str, path: Path) -> Location:
    """
    Raises:
        FileNotFoundError: there is no such file.
        PluginUnreachable: it does not say where the plugin is.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST_FILE)
        document = _parsed(content) if path.suffix == ".json" else _Document(addr=content.decode().strip())
        return _located(name, path, document)
    except (FileNotFoundError, NotADirectoryError):
        raise FileNotFoundError(path) from None
    except (OSError, ValueError) as error:
        raise PluginUnreachable(f'plugin "{name}" cannot be reached: {path}: {error}') from error


def _parsed(content: bytes) -> _Document:
    try:
        return msgspec.json.decode(content, type=_Document)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _located(name: str, path: Path, document: _Document) -> Location:
    url = urlsplit(document.addr)
    if url.scheme == "unix":
        if not url.path.startswith("/") or url.netloc:
            raise ValueError(f"{shown(document.addr)} names no absolute path")
        return Location(name, str(path), f"http://{_LOCAL_HOST}", url.path)
    scheme = _SCHEMES.get(url.scheme)
    if scheme is None:
        raise ValueError(f"{shown(document.addr)} does not begin with unix://, tcp://, http:// or https://")
    if not url.hostname or url.username is not None or url.path not in {"", "/"} or url.query or url.fragment:
        raise ValueError(f"{shown(document.addr)} is not just a host and a port")
    if document.tls_config is not None:
        scheme = "https"
    host = f"[{url.hostname}]" if ":" in url.hostname else url.hostname
    port = "" if url.port is None else f":{url.port}"
    tls = document.tls_config or TLS() if scheme == "https" else None
    return Location(name, str(path), f"{scheme}://{host}{port}", tls=tls)
