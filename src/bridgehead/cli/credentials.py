"""What `docker login` has written down, as the header that pull and push send with it.

Read from `$DOCKER_CONFIG/config.json` or `~/.docker/config.json`. Credential helpers are asked as docker
asks them: `docker-credential-NAME get`, the registry on stdin.
"""

import json
import os
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import TypedDict

HUB = "docker.io"
HUB_KEY = "https://index.docker.io/v1/"
HELPER_LIMIT_S = 30


class Stored(TypedDict, total=False):
    auth: str
    identitytoken: str


class Configuration(TypedDict, total=False):
    auths: dict[str, Stored]
    credsStore: str
    credHelpers: dict[str, str]


def registry_of(name: str) -> str:
    """`registry.example:5000` of `registry.example:5000/web`; Docker Hub when none is said."""
    first, slash, _ = name.partition("/")
    return first if slash and ("." in first or ":" in first or first == "localhost") else HUB


def registry_header(name: str, *, always: bool = False) -> Mapping[str, str]:
    """`X-Registry-Auth`, when there is something to say; a push must have it in any case."""
    registry = registry_of(name)
    found = credentials(HUB_KEY if registry == HUB else registry)
    if not found and not always:
        return {}
    return {"X-Registry-Auth": urlsafe_b64encode(json.dumps(found).encode()).decode()}


def credentials(registry: str) -> Mapping[str, str]:
    """Raises nothing: without credentials the registry itself says what it wants."""
    known = _configuration()
    helper = known.get("credHelpers", {}).get(registry) or known.get("credsStore", "")
    if helper:
        return _from_helper(helper, registry)
    stored = known.get("auths", {}).get(registry)
    if not stored:
        return {}
    user, _, password = b64decode(stored.get("auth", "")).decode(errors="replace").partition(":")
    token = {"identitytoken": stored["identitytoken"]} if "identitytoken" in stored else {}
    return {"username": user, "password": password.rstrip("\0"), "serveraddress": registry, **token}


def _configuration() -> Configuration:
    folder = os.environ.get("DOCKER_CONFIG")
    path = Path(folder) if folder else Path.home() / ".docker"
    try:
        found: Configuration = json.loads((path / "config.json").read_text())
    except (OSError, ValueError):
        return {}
    return found


def _from_helper(helper: str, registry: str) -> Mapping[str, str]:
    import subprocess

    try:
        outcome = subprocess.run(
            [f"docker-credential-{helper}", "get"],
            input=registry,
            capture_output=True,
            text=True,
            timeout=HELPER_LIMIT_S,
            check=True,
        )
        said = json.loads(outcome.stdout)
    except (OSError, ValueError, subprocess.SubprocessError):
        return {}
    if said.get("Username") == "<token>":
        return {"identitytoken": said["Secret"], "serveraddress": registry}
    return {"username": said["Username"], "password": said["Secret"], "serveraddress": registry}
