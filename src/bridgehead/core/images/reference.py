"""Image names as people write them, and the one form they are kept in.

`busybox`, `docker.io/library/busybox` and `busybox:latest` are one name; it is kept as `busybox:latest`,
the familiar form that `docker images` shows.
"""

import ipaddress
import re
from dataclasses import dataclass

from bridgehead.core.model.errors import InvalidParameter

_DEFAULT_DOMAIN = "docker.io"
_OFFICIAL = "library/"
_MAXIMUM_NAME = 255
_HIGHEST_PORT = 65535

_LABEL = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_HOST = rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[a-fA-F0-9:]+\])"
_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_DOMAIN = re.compile(rf"({_HOST})(?::([0-9]{{1,5}}))?")
_PATH = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
_TAG = re.compile(r"\w[\w.-]{0,127}", re.ASCII)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_IDENTIFIER = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Reference:
    """`tag` and `digest` are '' where the text named none."""

    domain: str
    path: str
    tag: str = ""
    digest: str = ""

    @property
    def repository(self) -> str:
        """The familiar name: Docker Hub and its official images go without saying."""
        if self.domain != _DEFAULT_DOMAIN:
            return f"{self.domain}/{self.path}"
        official = self.path.removeprefix(_OFFICIAL)
        return self.path if "/" in official else official

    @property
    def name(self) -> str:
        """The whole name, as registries know it: `docker.io/library/busybox`."""
        return f"{self.domain}/{self.path}"

    @property
    def familiar(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        digest = f"@{self.digest}" if self.digest else ""
        return f"{self.repository}{tag}{digest}"


def is_digest(text: str) -> bool:
    """Whether this is `sha256:` and 64 lower-case hexadecimal digits, fit to be part of a path."""
    return bool(_DIGEST.fullmatch(text))


def is_domain(text: str) -> bool:
    """Whether this is a host, with a port or without, of which an address can be made."""
    found = _DOMAIN.fullmatch(text)
    if found is None or int(found[2] or 0) > _HIGHEST_PORT:
        return False
    host = found[1]
    if host.startswith("["):
        return _is_address(host[1:-1])
    # What ends in a number is no name, says the URL standard, so it must be an address.
    return _is_address(host) if host.rpartition(".")[2].isdigit() else True


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def parse(text: str) -> Reference:
    """The parts of an image name, exactly as written: no tag is added.

    Raises:
        InvalidParameter: it is no image name, in Docker's words.
    """
    if _IDENTIFIER.fullmatch(text):
        raise InvalidParameter(
            f"invalid repository name ({text}), cannot specify 64-byte hexadecimal strings"
        )
    named, at, digest = text.partition("@")
    if at and not is_digest(digest):
        raise InvalidParameter("invalid reference format")
    domain, remainder = _domain_split(named)
    path, colon, tag = remainder.partition(":")
    if path != path.lower():
        raise InvalidParameter(f"invalid reference format: repository name ({path}) must be lowercase")
    if not is_domain(domain) or not _PATH.fullmatch(path) or (colon and not _TAG.fullmatch(tag)):
        raise InvalidParameter("invalid reference format")
    if len(domain) + 1 + len(path) > _MAXIMUM_NAME:
        raise InvalidParameter(f"repository name must not be more than {_MAXIMUM_NAME} characters")
    return Reference(domain, path, tag, digest)


def normalise(text: str) -> str:
    """The familiar form with its tag, `latest` unless one (or a digest) is named."""
    reference = parse(text)
    if reference.tag or reference.digest:
        return reference.familiar
    return f"{reference.familiar}:latest"


def tag_name(text: str) -> str:
    """The name under which an image can be tagged: a digest is computed, never given.

    Raises:
        InvalidParameter: it is no image name, or one with a digest.
    """
    if parse(text).digest:
        raise InvalidParameter("refusing to create a tag with a digest reference")
    return normalise(text)


def _domain_split(text: str) -> tuple[str, str]:
    first, slash, rest = text.partition("/")
    names_host = any(mark in first for mark in ".:") or first == "localhost" or first != first.lower()
    if not slash or not names_host:
        first, rest = _DEFAULT_DOMAIN, text
    if first == "index.docker.io":
        first = _DEFAULT_DOMAIN
    if first == _DEFAULT_DOMAIN and "/" not in rest:
        rest = _OFFICIAL + rest
    return first, rest
