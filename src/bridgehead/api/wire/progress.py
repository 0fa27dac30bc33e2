"""Progress as Docker's clients read it, a JSON object a line, and how they say who they are to registries."""

import base64
import binascii

import msgspec

from bridgehead.core.images.distribution import Credentials
from bridgehead.core.images.progress import Progress
from bridgehead.core.model.errors import InvalidParameter

_WIDTH = 50
_UNITS = ("B", "kB", "MB", "GB", "TB")
_THOUSAND = 1000


def show(progress: Progress) -> dict[str, object]:
    if progress.aux:
        return {"progressDetail": {}, "aux": dict(progress.aux)}
    shown: dict[str, object] = {"status": progress.status}
    if not progress.id:
        return shown
    if progress.total:
        shown["progressDetail"] = {"current": progress.current, "total": progress.total}
        shown["progress"] = _bar(progress.current, progress.total)
    elif not progress.status.startswith("Pulling from"):
        shown["progressDetail"] = {}
    return {**shown, "id": progress.id}


def failure(sentence: str) -> dict[str, object]:
    return {"errorDetail": {"message": sentence}, "error": sentence}


def _bar(current: int, total: int) -> str:
    filled = min(_WIDTH, _WIDTH * current // total)
    head = ">" if filled < _WIDTH else ""
    return f"[{'=' * filled}{head}{' ' * (_WIDTH - filled - len(head))}]  {_size(current)}/{_size(total)}"


def _size(count: float) -> str:
    for unit in _UNITS[:-1]:
        if count < _THOUSAND:
            return f"{count:.4g}{unit}"
        count /= _THOUSAND
    return f"{count:.4g}{_UNITS[-1]}"


class AuthConfig(msgspec.Struct, frozen=True):
    """What `docker login` keeps of one registry."""

    username: str | None = None
    password: str | None = None
    auth: str | None = None
    serveraddress: str | None = None
    identitytoken: str | None = None
    registrytoken: str | None = None

    @property
    def credentials(self) -> Credentials:
        username, password = self.username or "", self.password or ""
        if self.auth and not username:
            username, _, password = _decoded(self.auth).decode(errors="replace").partition(":")
        return Credentials(
            username, password, self.identitytoken or "", self.registrytoken or "", self.serveraddress or ""
        )


def credentials(header: str) -> Credentials:
    """What `X-Registry-Auth` says: JSON in the alphabet of URLs, with or without its padding.

    Raises:
        InvalidParameter: it says nothing that can be read.
    """
    if not header:
        return Credentials()
    text = _decoded(header)
    try:
        return msgspec.json.decode(text or b"{}", type=AuthConfig).credentials
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidParameter("invalid X-Registry-Auth header: it is no JSON that can be read") from error


def _decoded(text: str) -> bytes:
    plain = text.strip().rstrip("=").translate(str.maketrans("+/", "-_"))
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidParameter("invalid X-Registry-Auth header: it is no base64") from error
