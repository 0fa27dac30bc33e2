"""What volumes may be called and made of, who uses them, and what a container gets to see of them."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from posixpath import normpath

from bridgehead.core.layout import Layout
from bridgehead.core.model.container import Bind, Container
from bridgehead.core.model.errors import InvalidParameter, NotFound, NotImplementedByDriver
from bridgehead.core.model.ids import ContainerID, VolumeName
from bridgehead.core.model.requests import ContainerRequest
from bridgehead.core.model.snapshot import Snapshot
from bridgehead.core.model.volume import Volume, VolumeMount, VolumeMountRequest, VolumeRequest

DRIVER = "local"
ANONYMOUS_LABEL = "com.docker.volume.anonymous"
_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]*")
_LONGEST_NAME = 255
_OPTIONS = frozenset({"type", "o", "device"})
_BINDING = frozenset({"bind", "rbind"})


def checked(request: VolumeRequest) -> None:
    """
    Raises:
        InvalidParameter: the name cannot be that of a folder, or an option is none of the driver's.
        NotFound: the driver is another than "local".
        NotImplementedByDriver: it would have to mount something that we do not.
    """
    if request.driver not in {"", DRIVER}:
        raise NotFound(
            f"create {request.name}: error looking up volume plugin {request.driver}: "
            f'plugin "{request.driver}" not found: volumes are of the driver local only'
        )
    _check_name(request.name)
    _check_options(request.options)


def _check_name(name: str) -> None:
    if not name:
        return
    if not _NAME.fullmatch(name):
        raise InvalidParameter(
            f'create {name}: "{name}" includes invalid characters for a local volume name, only '
            '"[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, '
            "use absolute path"
        )
    if len(name) < 2:
        raise InvalidParameter(
            "volume name is too short, names should be at least two alphanumeric characters"
        )
    if len(name) > _LONGEST_NAME:
        raise InvalidParameter(f"volume name is too long, the limit is {_LONGEST_NAME} characters")


def _check_options(options: Mapping[str, str]) -> None:
    for key in options:
        if key not in _OPTIONS:
            raise InvalidParameter(f'invalid option: "{key}"')
    if not options:
        return
    if not _bound(options):
        raise NotImplementedByDriver(
            f"volumes of type {options.get('type', '')!r} are not supported: mount it on the host, and make "
            "the volume with -o type=none -o o=bind -o device=PATH"
        )
    if not options.get("device", "").startswith("/"):
        raise InvalidParameter('missing required option: "device", an absolute path of the host')


def _bound(options: Mapping[str, str]) -> bool:
    """Whether the volume is but another name for a folder of the host."""
    words = options.get("o", "").split(",")
    return options.get("type", "none") in {"", "none", "bind"} and not _BINDING.isdisjoint(words)


def find(snapshot: Snapshot, name: str) -> Volume:
    volume = snapshot.volumes.get(VolumeName(name))
    if volume is None or volume.leaving:
        raise NotFound(f"get {name}: no such volume")
    return volume


def users(snapshot: Snapshot, name: VolumeName) -> list[Container]:
    """The containers that have it, running or not."""
    return [
        container
        for container in snapshot.containers.values()
        if any(mount.volume == name for mount in container.spec.volumes)
    ]


def used(snapshot: Snapshot) -> frozenset[VolumeName]:
    return frozenset(
        mount.volume for container in snapshot.containers.values() for mount in container.spec.volumes
    )


def leaving_with(snapshot: Snapshot, container: ContainerID) -> list[Volume]:
    """The anonymous volumes that nobody but this container has, as they are to be from now on."""
    own = snapshot.containers[container].spec.volumes
    others = used(snapshot.drop(snapshot.containers[container])) if own else frozenset()
    found = (snapshot.volumes.get(mount.volume) for mount in own if mount.volume not in others)
    return [replace(volume, leaving=True) for volume in found if volume and volume.anonymous]


def source(volume: Volume, layout: Layout) -> str:
    """The folder of the host that is mounted for it."""
    return volume.options["device"] if volume.options else layout.volume(volume.id)


def binds(snapshot: Snapshot, container: Container, layout: Layout) -> tuple[Bind, ...]:
    """The container's volumes as what they are to a runtime."""
    return tuple(_bind(snapshot.volumes[mount.volume], mount, layout) for mount in container.spec.volumes)


def _bind(volume: Volume, mount: VolumeMount, layout: Layout) -> Bind:
    read_only = mount.read_only or "ro" in volume.options.get("o", "").split(",")
    return Bind(source(volume, layout), mount.target, read_only, "rprivate")


def wishes(request: ContainerRequest, image: Iterable[str]) -> tuple[VolumeMountRequest, ...]:
    """The user's volumes, and one for each path that the image wants kept and nothing else is mounted at.

    Raises:
        InvalidParameter: two mounts meet at one path.
    """
    taken: set[str] = set()
    mounted = (*(bind.target for bind in request.binds), *(wish.target for wish in request.volumes))
    for target in mounted:
        if normpath(target) in taken:
            raise InvalidParameter(f"Duplicate mount point: {target}")
        taken.add(normpath(target))
    taken |= set(map(normpath, request.tmpfs))
    kept = dict.fromkeys(normpath(path) for path in (*request.kept_paths, *image))
    made = (VolumeMountRequest(VolumeRequest(), path) for path in kept if path not in taken)
    return (*request.volumes, *made)


def lent(snapshot: Snapshot, request: ContainerRequest) -> ContainerRequest:
    """With what `--volumes-from` takes over from other containers, where the request has nothing itself.

    Raises:
        InvalidParameter: a mode that is none.
        NotFound: there is no such container.
    """
    for text in request.volumes_from:
        reference, _, mode = text.partition(":")
        if mode not in {"", "ro", "rw", "z", "Z"}:
            raise InvalidParameter(f"invalid mode for volumes-from: {mode}")
        lender = snapshot.find_container(reference).spec
        own = {
            normpath(path)
            for path in (
                *(bind.target for bind in request.binds),
                *(wish.target for wish in request.volumes),
                *request.tmpfs,
            )
        }
        read_only = mode == "ro"
        request = replace(
            request,
            binds=(
                *request.binds,
                *(
                    replace(bind, read_only=bind.read_only or read_only)
                    for bind in lender.binds
                    if normpath(bind.target) not in own
                ),
            ),
            volumes=(
                *request.volumes,
                *(
                    VolumeMountRequest(
                        VolumeRequest(mount.volume),
                        mount.target,
                        mount.read_only or read_only,
                        mount.populate,
                    )
                    for mount in lender.volumes
                    if normpath(mount.target) not in own
                ),
            ),
        )
    return request
