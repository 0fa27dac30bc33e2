"""The parts of the Engine API's answers that the commands read, by the API's own names."""

from typing import NotRequired, TypedDict


class Created(TypedDict):
    Id: str
    Warning: NotRequired[str]
    Warnings: NotRequired[list[str] | None]


class NetworkReply(TypedDict):
    Id: str
    Name: str
    Driver: str
    Scope: str
    Created: str
    Internal: bool
    EnableIPv4: NotRequired[bool]
    EnableIPv6: bool
    Labels: dict[str, str] | None


class PortReply(TypedDict):
    PrivatePort: int
    Type: str
    PublicPort: NotRequired[int]
    IP: NotRequired[str]


class MountReply(TypedDict, total=False):
    Type: str
    Name: str
    Source: str
    Driver: str


class AttachedReply(TypedDict):
    Networks: dict[str, object] | None


class ContainerEntry(TypedDict):
    Id: str
    Names: list[str]
    Image: str
    Command: str
    Created: int
    Status: str
    State: str
    Ports: list[PortReply] | None
    Labels: dict[str, str] | None
    Mounts: NotRequired[list[MountReply] | None]
    NetworkSettings: NotRequired[AttachedReply | None]
    SizeRw: NotRequired[int]
    SizeRootFs: NotRequired[int]


class StateReply(TypedDict):
    Running: bool
    Paused: bool
    Restarting: bool
    ExitCode: int


class ConfigReply(TypedDict):
    Tty: bool
    OpenStdin: bool


class HostConfigReply(TypedDict):
    AutoRemove: bool


class Binding(TypedDict):
    HostIp: str
    HostPort: str


class NetworkSettingsReply(TypedDict):
    Ports: dict[str, list[Binding] | None] | None


class ContainerReply(TypedDict):
    Id: str
    Name: str
    State: StateReply
    Config: ConfigReply
    HostConfig: HostConfigReply
    NetworkSettings: NetworkSettingsReply


class AttachmentReply(TypedDict):
    IPAddress: str
    GlobalIPv6Address: str


class AttachmentsReply(TypedDict):
    Networks: dict[str, AttachmentReply]


class SandboxReply(TypedDict):
    Id: str
    Name: str
    Netns: str
    Pid: int
    Labels: dict[str, str] | None
    Created: str
    NetworkSettings: AttachmentsReply


class ImageEntry(TypedDict):
    Id: str
    RepoTags: list[str] | None
    RepoDigests: NotRequired[list[str] | None]
    Created: int
    Size: int
    Containers: NotRequired[int]
    SharedSize: NotRequired[int]


class VolumeUsage(TypedDict):
    Size: int
    RefCount: int


class VolumeReply(TypedDict):
    Name: str
    Driver: str
    Mountpoint: str
    Scope: str
    Labels: dict[str, str] | None
    UsageData: NotRequired[VolumeUsage | None]


class VolumesReply(TypedDict):
    Volumes: list[VolumeReply] | None


class UsageReply(TypedDict):
    LayersSize: int
    Images: list[ImageEntry] | None
    Containers: list[ContainerEntry] | None
    Volumes: list[VolumeReply] | None


class TopReply(TypedDict):
    Titles: list[str]
    Processes: list[list[str]] | None


class ChangeReply(TypedDict):
    Kind: int
    Path: str


class HistoryEntry(TypedDict):
    Id: str
    Created: int
    CreatedBy: str
    Size: int
    Comment: str


class ExitReply(TypedDict):
    StatusCode: int


class ExecReply(TypedDict):
    ExitCode: int | None


class Actor(TypedDict):
    ID: str
    Attributes: dict[str, str]


class EventReply(TypedDict):
    Type: str
    Action: str
    Actor: Actor
    timeNano: int
