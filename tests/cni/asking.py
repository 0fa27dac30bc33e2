"""A runtime's side of a conversation with the plugin, in this process: for what needs no kernel."""

import json
from collections.abc import Mapping
from typing import Any

from bridgehead.cni.main import act

CONTAINER = "77383ca0a071"


def environment(command: str, **changes: str) -> dict[str, str]:
    """The specification's parameters for `command`; a changed one that is empty is left out."""
    every = {
        "CNI_COMMAND": command,
        "CNI_CONTAINERID": CONTAINER,
        "CNI_NETNS": "/run/netns/nobody",
        "CNI_IFNAME": "eth0",
        "CNI_PATH": "/opt/cni/bin",
        **changes,
    }
    return {name: value for name, value in every.items() if value}


def configured(**changes: Any) -> dict[str, Any]:
    return {"cniVersion": "1.1.0", "name": "backend", "type": "bridgehead-cni", **changes}


def answered(given: Mapping[str, str], fields: Mapping[str, Any] | bytes) -> tuple[int, Any]:
    """Exit code and answer of the plugin."""
    text = fields if isinstance(fields, bytes) else json.dumps(fields).encode()
    code, answer = act(given, text)
    return code, json.loads(json.dumps(answer))
