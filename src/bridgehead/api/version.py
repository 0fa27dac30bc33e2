"""Which revision of the Engine API a request speaks: the path's `/v1.NN`, or our newest without one."""

import re
from typing import NamedTuple

from bridgehead.core.model.errors import InvalidParameter


class Version(NamedTuple):
    major: int
    minor: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"


NEWEST = Version(1, 48)
OLDEST = Version(1, 24)

_PREFIX = re.compile(r"/v(\d{1,4})\.(\d{1,4})(?=/|$)")


def split(path: str) -> tuple[Version, str]:
    """The version a path asks for, and the path without it.

    Raises:
        InvalidParameter: a version that is not served, in the words by which clients know it.
    """
    found = _PREFIX.match(path)
    if found is None:
        return NEWEST, path
    version = Version(int(found[1]), int(found[2]))
    if version < OLDEST:
        raise InvalidParameter(
            f"client version {version} is too old. Minimum supported API version is {OLDEST}, "
            "please upgrade your client to a newer version"
        )
    if version > NEWEST:
        raise InvalidParameter(
            f"client version {version} is too new. Maximum supported API version is {NEWEST}"
        )
    return version, path[found.end() :] or "/"
