"""Random requests for each of the API's routes: the same seed, the same requests."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from urllib.parse import quote

from msgspec import inspect

from bridgehead.api.routes import ENTRIES
from bridgehead.api.wire import container_body, network, progress, sandbox, volume
from tests.client.hostile.words import NAMES, PASSWORD, anything, document, pick, shaped, text

_BODIES: Mapping[str, type] = {
    "/networks/create": network.CreateBody,
    "/networks/{name}/connect": network.ConnectBody,
    "/networks/{name}/disconnect": network.DisconnectBody,
    "/containers/create": container_body.CreateBody,
    "/containers/{name}/exec": container_body.ExecBody,
    "/exec/{name}/start": container_body.ExecStartBody,
    "/containers/{name}/update": container_body.HostConfig,
    "/sandboxes/create": sandbox.SandboxBody,
    "/commit": container_body.CreateBody,
    "/volumes/create": volume.CreateBody,
    "/auth": progress.AuthConfig,
}
_FILTERED = (
    "label",
    "label!",
    "until",
    "name",
    "id",
    "driver",
    "status",
    "exited",
    "network",
    "ancestor",
    "before",
)
_FILTERED += (
    "since",
    "scope",
    "type",
    "dangling",
    "reference",
    "event",
    "container",
    "volume",
    "publish",
    "health",
)
_SWITCHES = (
    "all",
    "force",
    "stdout",
    "stderr",
    "stdin",
    "stream",
    "logs",
    "follow",
    "timestamps",
    "verbose",
    "v",
)
_SWITCHES += ("size", "link", "noprune", "pause", "quiet", "one-shot", "shared-size", "copyUIDGID")
_TEXTS = (
    "name",
    "signal",
    "condition",
    "since",
    "until",
    "tail",
    "limit",
    "h",
    "w",
    "ps_args",
    "repo",
    "tag",
    "fromImage",
)
_TEXTS += (
    "fromSrc",
    "container",
    "changes",
    "detachKeys",
    "scope",
    "path",
    "term",
    "platform",
    "author",
    "comment",
)
# A stop may take as long as it is told to take, so nobody tells it to take long.
_PATIENCE = ("0", "1", "x", "1.5", "", " ", "9" * 500, "-0")
_ENDS = ("/stop", "/restart")
CREDENTIALS = base64.urlsafe_b64encode(f'{{"username":"u","password":"{PASSWORD}"}}'.encode()).decode()
_LONGEST_LINE = 60_000
_STREAMED = ("/images/load", "/images/create", "/build", "/containers/{name}/archive")


@dataclass(frozen=True, slots=True)
class Asked:
    """`wellformed`: HTTP that any server must answer."""

    route: str
    sent: bytes
    wellformed: bool = True


def routes() -> Sequence[tuple[str, str]]:
    return sorted({(entry.method, entry.path) for entry in ENTRIES})


def asked(dice: Random, method: str, path: str, known: Mapping[str, Sequence[str]]) -> Asked:
    """`known`: what there is, by the first word of the paths that name it."""
    name = _name(dice, known.get(path.split("/")[1], ()))
    target = _version(dice) + path.replace("{name}", name) + _query(dice, path)
    body = _body(dice, method, path)
    route = f"{method} {path}"
    if dice.random() < 0.04:
        return Asked(route, _smuggled(dice, method, target, body), wellformed=False)
    lines = [f"{method} {target} HTTP/1.1", "Host: docker", *_headers(dice, path)]
    if body or method in {"POST", "PUT"}:
        lines.append(f"Content-Type: {_content_type(dice, path)}")
    if body and dice.random() < 0.15:
        lines.append("Transfer-Encoding: chunked")
        return Asked(route, _head(lines) + _chunked(dice, body), wellformed=len(target) < _LONGEST_LINE)
    if body or method in {"POST", "PUT"}:
        lines.append(f"Content-Length: {len(body)}")
    return Asked(route, _head(lines) + body, wellformed=len(target) < _LONGEST_LINE)


def _head(lines: Sequence[str]) -> bytes:
    return "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape")


def _version(dice: Random) -> str:
    usual = ("", "/v1.24", "/v1.30", "/v1.41", "/v1.44", "/v1.47", "/v1.48")
    return (
        dice.choice(("/v1.99", "/v1.1", "/v9999.9999", "/v1", "/v1.24/v1.24", "//", "/v-1.0"))
        if dice.random() < 0.03
        else dice.choice(usual)
    )


def _name(dice: Random, known: Sequence[str]) -> str:
    if known and dice.random() < 0.7:
        return dice.choice(known)
    if dice.random() < 0.3:
        return dice.choice(NAMES)
    name = text(dice)
    # Dots and slashes also as they are: a path is cut up before it is decoded.
    return quote(name, safe=dice.choice(("", "/.", "/.%")), errors="surrogatepass") or "-"


def _query(dice: Random, path: str) -> str:
    told = []
    if dice.random() < 0.4:
        told.append(("filters", _filters(dice)))
    told += [(name, dice.choice(("1", "0", "true", "x", ""))) for name in _SWITCHES if dice.random() < 0.12]
    if path.endswith(_ENDS):
        told.append(("t", dice.choice(_PATIENCE)))
    else:
        told += [(name, text(dice)) for name in _TEXTS if dice.random() < 0.08]
    if path.endswith("/{name}/attach") and dice.random() < 0.5:
        told += [("stream", "1"), ("stdout", "1")]
    if path.endswith("/rename") and dice.random() < 0.5:
        told.append(("name", dice.choice(("steady", "idle", "odd"))))
    if not told:
        return ""
    return "?" + "&".join(f"{quote(name)}={_quoted(dice, value)}" for name, value in told)


def _quoted(dice: Random, value: str) -> str:
    if dice.random() < 0.05:
        return "%zz%"
    return quote(value, safe="", errors="surrogatepass")


def _filters(dice: Random) -> str:
    if dice.random() < 0.15:
        return document(dice, anything(dice)).decode(errors="replace")
    found: dict[str, object] = {}
    for _ in range(dice.randrange(1, 3)):
        values = [text(dice) for _ in range(dice.randrange(3))]
        found[pick(dice, _FILTERED, 0.95)] = (
            values if dice.random() < 0.7 else dict.fromkeys(values, dice.random() < 0.9)
        )
    return document(dice, found).decode(errors="replace")


def _body(dice: Random, method: str, path: str) -> bytes:
    if method not in {"POST", "PUT"} or dice.random() < 0.05:
        return b""
    if path in _STREAMED:
        return dice.randbytes(dice.choice((0, 10, 512, 5000)))
    kind = _BODIES.get(path)
    if kind is None:
        return document(dice, anything(dice)) if dice.random() < 0.2 else b""
    return document(dice, shaped(dice, inspect.type_info(kind)))


def _content_type(dice: Random, path: str) -> str:
    if path in _STREAMED:
        return "application/x-tar"
    odd = (
        "text/plain",
        "application/json; charset=utf-8",
        "application/json; charset=nonsense",
        "",
        ";",
        "multipart/form-data",
    )
    return dice.choice(odd) if dice.random() < 0.06 else "application/json"


def _headers(dice: Random, path: str) -> list[str]:
    found = ["Connection: close"]
    if path.endswith(("/attach", "/start", "/attach/ws")) and dice.random() < 0.5:
        found = ["Connection: Upgrade", "Upgrade: tcp"]
    if dice.random() < 0.1:
        found.append(f"X-Registry-Auth: {dice.choice((CREDENTIALS, CREDENTIALS[:-3], '!!!', ''))}")
    if dice.random() < 0.03:
        found.append(
            dice.choice(
                (
                    "Expect: 100-continue",
                    "Cookie: a=b; c",
                    "Range: bytes=0-0",
                    "Accept-Encoding: br",
                    "If-None-Match: *",
                )
            )
        )
    return found


def _chunked(dice: Random, body: bytes) -> bytes:
    cut = dice.randrange(len(body) + 1)
    return (
        b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (body[:cut], body[cut:]) if part)
        + b"0\r\n\r\n"
    )


def _smuggled(dice: Random, method: str, target: str, body: bytes) -> bytes:
    """Heads that two servers could read in two ways, or that break off."""
    hidden = b"GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n"
    length = len(body)
    start = f"{method} {target} HTTP/1.1\r\nHost: x\r\n".encode()
    return dice.choice(
        (
            start
            + f"Content-Length: {length}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".encode()
            + hidden,
            start
            + f"Content-Length: {length}\r\nContent-Length: {length + 7}\r\n\r\n".encode()
            + body
            + hidden,
            start + b"Transfer-Encoding: xchunked\r\n\r\n" + body,
            start + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
            start + b"Content-Length: -1\r\n\r\n" + body,
            start + b"Content-Length: 99999999999999999999999\r\n\r\n" + body,
            start + b"Content-Length: 1_0\r\n\r\n" + body,
            start + b"Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n" + body,
            start + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n" + body,
            start + f"Content-Length: {length + 100}\r\n\r\n".encode() + body,
            start + b"X: " + b"a" * 70_000 + b"\r\n\r\n",
            start + b"".join(b"X-%d: 1\r\n" % number for number in range(500)) + b"\r\n",
            start + b"A: b\r\n folded\r\n\r\n",
            start + b"A: b\x00c\r\n\r\n",
            start.replace(b"HTTP/1.1", b"HTTP/9.9") + b"\r\n",
            start.replace(b" HTTP/1.1", b"") + b"\r\n",
            b"GET http://elsewhere/_ping HTTP/1.1\r\nHost: x\r\n\r\n",
            b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
            b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
            hidden * 40,
            start,
            b"",
        )
    )
