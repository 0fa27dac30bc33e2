"""Volumes: folders that outlive the containers that use them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bridgehead.core.model.ids import VolumeName


@dataclass(frozen=True, slots=True)
class Volume:
    """`id` is its name: a volume has no other.

    `anonymous`: its name was made up for a container, and it may go with that. `leaving`: it is being
    removed, and is no longer there for clients. `options` are those of the driver, which is always "local".
    """

    id: VolumeName
    created: str
    options: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    anonymous: bool = False
    leaving: bool = False


@dataclass(frozen=True, slots=True)
class VolumeMount:
    """Where a container sees a volume. `populate`: an empty one gets what the image has at `target`."""

    volume: VolumeName
    target: str
    read_only: bool = False
    populate: bool = True


@dataclass(frozen=True, slots=True)
class VolumeRequest:
    """`name` '': one is made up."""

    name: str = ""
    driver: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class VolumeMountRequest:
    volume: VolumeRequest
    target: str
    read_only: bool = False
    populate: bool = True
