#!/usr/bin/env python3
"""An OCI hook: containers of plain runc or crun join Bridgehead networks.

    bridgehead_hook.py create      as a createRuntime hook
    bridgehead_hook.py remove      as a poststop hook

The container's state comes on standard input, what is wanted in its annotations; see README.md. A hook that
fails ends the container's start, and the runtime shows what it wrote to standard error.
"""

import http.client
import json
import re
import socket
import sys
from typing import Any
from urllib.parse import quote

DEFAULT_SOCKET = "/run/bridgehead/bridgehead.sock"
LIMIT_S = 20
NOT_FOUND = 404
ERRORS = 400

_PUBLISHED = re.compile(
    r"(?:(?P<address>\[[0-9a-fA-F:.]+\]|[0-9.]*):)?(?P<host>\d+):(?P<port>\d+)(?:/(?P<protocol>\w+))?"
)


class Refused(Exception):
    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class Daemon(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("bridgehead", timeout=LIMIT_S)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)

    def ask(self, method: str, path: str, body: object = None) -> None:
        try:
            self.request(method, path, json.dumps(body), {"Content-Type": "application/json"})
            answer = self.getresponse()
            text = answer.read().decode(errors="replace")
        except (OSError, http.client.HTTPException) as error:
            raise Refused(f"the bridgehead daemon does not answer at {self._path}: {error}") from error
        if answer.status >= ERRORS:
            raise Refused(_sentence(text), answer.status)


def _sentence(text: str) -> str:
    try:
        return str(json.loads(text)["message"])
    except (ValueError, KeyError, TypeError):
        return text


def wish(state: dict[str, Any]) -> dict[str, Any]:
    """The body of POST /sandboxes/create."""
    annotations = state.get("annotations") or {}
    networks = [name.strip() for name in annotations["bridgehead.networks"].split(",")]
    published = [
        _published(text) for text in annotations.get("bridgehead.publish", "").split(",") if text.strip()
    ]
    aliases = [name.strip() for name in annotations.get("bridgehead.aliases", "").split(",") if name.strip()]
    bindings: dict[str, list[dict[str, str]]] = {}
    for port, binding in published:
        bindings.setdefault(port, []).append(binding)
    return {
        "Pid": state["pid"],
        "Labels": {"bridgehead.oci.container": state["id"], "bridgehead.oci.bundle": state.get("bundle", "")},
        "ExposedPorts": {port: {} for port in bindings},
        "HostConfig": {"NetworkMode": networks[0], "PortBindings": bindings},
        "NetworkingConfig": {"EndpointsConfig": {name: {"Aliases": aliases} for name in networks}},
    }


def _published(text: str) -> tuple[str, dict[str, str]]:
    found = _PUBLISHED.fullmatch(text.strip())
    if found is None:
        raise Refused(f"bridgehead.publish: {text!r} is not [ADDRESS:]HOST_PORT:PORT[/PROTOCOL]")
    binding = {"HostIp": (found["address"] or "").strip("[]"), "HostPort": found["host"]}
    return f"{found['port']}/{found['protocol'] or 'tcp'}", binding


def act(word: str, state: dict[str, Any], annotations: dict[str, str]) -> None:
    name = quote(annotations.get("bridgehead.name") or state["id"], safe="")
    daemon = Daemon(annotations.get("bridgehead.socket") or DEFAULT_SOCKET)
    if word == "create":
        daemon.ask("POST", f"/sandboxes/create?name={name}", wish(state))
        return
    try:
        daemon.ask("DELETE", f"/sandboxes/{name}")
    except Refused as refused:
        # The daemon removes a sandbox by itself when its process ends.
        if refused.status != NOT_FOUND:
            raise


def main(words: list[str]) -> int:
    if words not in (["create"], ["remove"]):
        print(__doc__, file=sys.stderr)  # noqa: T201 - a program's output
        return 2
    state = json.load(sys.stdin)
    annotations = state.get("annotations") or {}
    if not annotations.get("bridgehead.networks"):
        return 0  # a container that wants none of it
    try:
        act(words[0], state, annotations)
    except Refused as refused:
        print(f"bridgehead: {refused}", file=sys.stderr)  # noqa: T201 - what the runtime shows
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
