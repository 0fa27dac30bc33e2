"""What a container has mounted: `-v`, `--mount` and `--tmpfs`, asked and shown."""

from collections.abc import Iterable

from bridgehead.api.wire.container_body import HostConfig, Mount
from bridgehead.core.layout import Layout
from bridgehead.core.model.container import Bind, Container
from bridgehead.core.model.errors import InvalidParameter, NotImplementedByDriver
from bridgehead.core.model.snapshot import Snapshot
from bridgehead.core.model.volume import VolumeMountRequest, VolumeRequest
from bridgehead.core.volumes import DRIVER, source

_PROPAGATIONS = frozenset({"private", "rprivate", "shared", "rshared", "slave", "rslave"})
_IGNORED_MODES = frozenset({"rw", "z", "Z", "nocopy", "cached", "delegated", "consistent", ""})
_TYPES = frozenset({"bind", "tmpfs", "volume"})


def binds(host: HostConfig) -> tuple[Bind, ...]:
    mounted = [_bind(mount) for mount in host.mounts if mount.type == "bind"]
    return (*(_parse(text) for text in host.binds if _source(text).startswith("/")), *mounted)


def volumes(host: HostConfig) -> tuple[VolumeMountRequest, ...]:
    """The named ones, and those that `--mount` asks for without a name."""
    mounted = [_volume(mount) for mount in host.mounts if mount.type == "volume"]
    named = (text for text in host.binds if _source(text) and not _source(text).startswith("/"))
    return (*(_named(text, host.volume_driver) for text in named), *mounted)


def kept_paths(host: HostConfig, paths: Iterable[str]) -> tuple[str, ...]:
    """Where volumes are made up; `-v /path` says so in one place, older clients in another."""
    return tuple(map(_absolute, (*paths, *(text for text in host.binds if not _source(text)))))


def tmpfs(host: HostConfig) -> dict[str, str]:
    """Mount options by path."""
    found = {_absolute(target): options for target, options in host.tmpfs.items()}
    for mount in host.mounts:
        if mount.type == "tmpfs":
            if mount.source:
                raise InvalidParameter(
                    'invalid mount config for type "tmpfs": field Source must not be specified'
                )
            found[_absolute(mount.target)] = _tmpfs_options(mount)
        elif mount.type not in _TYPES:
            raise NotImplementedByDriver(
                f"mounts of type {mount.type!r} are not supported, only 'bind', 'tmpfs' and 'volume'"
            )
    return found


def show(container: Container, snapshot: Snapshot, layout: Layout) -> list[dict[str, object]]:
    return [*_binds_shown(container), *_volumes_shown(container, snapshot, layout)]


def _binds_shown(container: Container) -> list[dict[str, object]]:
    return [
        {
            "Type": "bind",
            "Source": bind.source,
            "Destination": bind.target,
            "Mode": "ro" if bind.read_only else "",
            "RW": not bind.read_only,
            "Propagation": bind.propagation,
        }
        for bind in container.spec.binds
    ]


def _volumes_shown(container: Container, snapshot: Snapshot, layout: Layout) -> list[dict[str, object]]:
    return [
        {
            "Type": "volume",
            "Name": mount.volume,
            "Source": source(snapshot.volumes[mount.volume], layout),
            "Destination": mount.target,
            "Driver": DRIVER,
            "Mode": "z",
            "RW": not mount.read_only,
            "Propagation": "",
        }
        for mount in container.spec.volumes
    ]


def _source(text: str) -> str:
    """'' where only a path inside is named."""
    first, colon, _ = text.partition(":")
    return first if colon else ""


def _parts(text: str) -> tuple[str, str, set[str]]:
    source_, _, rest = text.partition(":")
    target, _, mode = rest.partition(":")
    if not source_ or not target or ":" in mode:
        raise InvalidParameter(f"invalid volume specification: '{text}'")
    words = set(mode.split(","))
    if len(words & _PROPAGATIONS) > 1 or words - _PROPAGATIONS - _IGNORED_MODES - {"ro"}:
        raise InvalidParameter(f"invalid mode: {mode}")
    return source_, _absolute(target), words


def _parse(text: str) -> Bind:
    path, target, words = _parts(text)
    propagation = next(iter(words & _PROPAGATIONS), "rprivate")
    return Bind(path, target, "ro" in words, propagation, create_source=True)


def _named(text: str, driver: str) -> VolumeMountRequest:
    name, target, words = _parts(text)
    if words & _PROPAGATIONS:
        raise InvalidParameter(f"invalid volume specification: '{text}': a named volume has no propagation")
    return VolumeMountRequest(VolumeRequest(name, driver), target, "ro" in words, "nocopy" not in words)


def _bind(mount: Mount) -> Bind:
    if not mount.source.startswith("/"):
        raise InvalidParameter(
            f"invalid mount config for type \"bind\": invalid mount path: '{mount.source}' "
            "mount path must be absolute"
        )
    options = mount.bind_options
    propagation = options.propagation or "rprivate"
    if propagation not in _PROPAGATIONS:
        raise InvalidParameter(f"invalid propagation mode: {propagation}")
    return Bind(
        mount.source, _absolute(mount.target), mount.read_only, propagation, options.create_mountpoint
    )


def _volume(mount: Mount) -> VolumeMountRequest:
    options = mount.volume_options
    if options.subpath:
        raise NotImplementedByDriver("mounting a part of a volume (subpath) is not supported")
    driver = options.driver_config
    asked = VolumeRequest(mount.source, driver.name, driver.options, options.labels)
    return VolumeMountRequest(asked, _absolute(mount.target), mount.read_only, not options.no_copy)


def _tmpfs_options(mount: Mount) -> str:
    options = ["ro"] if mount.read_only else []
    if mount.tmpfs_options.size_bytes:
        options.append(f"size={mount.tmpfs_options.size_bytes}")
    if mount.tmpfs_options.mode:
        options.append(f"mode={mount.tmpfs_options.mode:o}")
    return ",".join(options)


def _absolute(target: str) -> str:
    if not target.startswith("/"):
        raise InvalidParameter(f"invalid mount path: '{target}' mount path must be absolute")
    if target.strip("/") in {"", "."}:
        raise InvalidParameter("invalid volume specification: destination can't be '/'")
    return target
