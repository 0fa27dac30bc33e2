"""The images an archive holds, whichever of the two formats it is in, checked as far as reading can check.

Layers are not looked at here: each is known by its diff id, which unpacking verifies.
"""

import hashlib
import platform
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bridgehead.core.images import config, manifest
from bridgehead.core.images.manifest import Descriptor, Listing
from bridgehead.core.model.errors import InvalidParameter
from bridgehead.host.images.archive import Archive

_MAXIMUM_NESTING = 4
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "i686": "386"}


@dataclass(frozen=True, slots=True)
class Content:
    """`paths` says where in the archive each layer is, lowest first."""

    document: bytes
    config: config.ImageConfig
    paths: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        return f"sha256:{hashlib.sha256(self.document).hexdigest()}"


def architecture() -> str:
    """What Go calls the machine we are on."""
    machine = platform.machine()
    return _ARCHITECTURES.get(machine, machine)


def contents(archive: Archive) -> list[Content]:
    """Every image for this machine.

    Raises:
        InvalidParameter: there is none, or one is malformed.
    """
    found = [_content(archive, listing) for listing in _listings(archive)]
    if not found:
        raise InvalidParameter(f"the archive holds no image for linux/{architecture()}")
    return found


def _listings(archive: Archive) -> Sequence[Listing]:
    if archive.has(manifest.DOCKER_MANIFEST):
        return manifest.docker_listings(archive.document(manifest.DOCKER_MANIFEST))
    if archive.has(manifest.OCI_INDEX):
        descriptors = manifest.index(archive.document(manifest.OCI_INDEX))
        return list(_oci_listings(archive, descriptors, (), _MAXIMUM_NESTING))
    raise InvalidParameter(
        f"invalid archive: neither {manifest.DOCKER_MANIFEST} nor {manifest.OCI_INDEX} is in it"
    )


def _oci_listings(
    archive: Archive, descriptors: Sequence[Descriptor], tags: tuple[str, ...], nesting: int
) -> Iterator[Listing]:
    if not nesting:
        raise InvalidParameter("invalid archive: its indexes are nested too deeply")
    for descriptor in descriptors:
        if not descriptor.runs_on(architecture()):
            continue
        names = descriptor.tags or tags
        if descriptor.is_index:
            inner = manifest.index(_verified(archive, descriptor.path, descriptor.digest))
            yield from _oci_listings(archive, inner, names, nesting - 1)
        elif descriptor.is_manifest:
            yield manifest.oci_listing(_verified(archive, descriptor.path, descriptor.digest), names)


def _content(archive: Archive, listing: Listing) -> Content:
    document = _verified(archive, listing.config, listing.config_digest)
    parsed = config.parse(document)
    diff_ids = parsed.layers
    if len(diff_ids) != len(listing.layers):
        raise InvalidParameter(
            f"invalid manifest, layers length mismatch: expected {len(listing.layers)}, got {len(diff_ids)}"
        )
    return Content(document, parsed, listing.layers, listing.tags)


def _verified(archive: Archive, path: str, digest: str) -> bytes:
    document = archive.document(path)
    if digest and digest != f"sha256:{hashlib.sha256(document).hexdigest()}":
        raise InvalidParameter(f"invalid archive: {path} does not have the digest {digest}")
    return document
