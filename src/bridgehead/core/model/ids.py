"""Identifiers: 64 hexadecimal digits, of which people see the first twelve."""

from typing import NewType

NetworkID = NewType("NetworkID", str)
EndpointID = NewType("EndpointID", str)
SandboxID = NewType("SandboxID", str)
ContainerID = NewType("ContainerID", str)
ImageID = NewType("ImageID", str)  # "sha256:" and the digest of the image's config
VolumeName = NewType("VolumeName", str)  # a volume has no other identifier than its name


def short(identifier: str) -> str:
    """The twelve digits shown to people; an image's algorithm prefix is left out."""
    return identifier.removeprefix("sha256:")[:12]
