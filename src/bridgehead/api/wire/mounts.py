"""What a container has mounted from the host: `-v`, `--mount` and `--tmpfs`, asked and shown."""

from bridgehead.api.wire.container_body import HostConfig, Mount
from bridgehead.core.model.container import Bind, Container
from bridgehead.core.model.errors import InvalidParameter, NotImplementedByDriver

_PROPAGATIONS = frozenset({"private", "rprivate", "shared", "rshared", "slave", "rslave"})
_IGNORED_MODES = frozenset({"rw", "z", "Z", "nocopy", "cached", "delegated", "consistent", ""})


def binds(host: HostConfig) -> tuple[Bind, ...]:
    mounted = [_bind(mount) for mount in host.mounts if mount.type == "bind"]
    return (*(_parse(text) for text in host.binds), *mounted)


def tmpfs(host: HostConfig) -> dict[str, str]:
    """Mount options by path."""
    found = dict(host.tmpfs)
    for mount in host.mounts:
        if mount.type == "tmpfs":
            found[_absolute(mount.target)] = _tmpfs_options(mount)
        elif mount.type != "bind":
            raise NotImplementedByDriver(
                f"mounts of type {mount.type or 'volume'!r} are not supported, only 'bind' and 'tmpfs'"
            )
    return found


def show(container: Container) -> list[dict[str, object]]:
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


def _parse(text: str) -> Bind:
    source, _, rest = text.partition(":")
    target, _, mode = rest.partition(":")
    if not source or not target or ":" in mode:
        raise InvalidParameter(f"invalid volume specification: '{text}'")
    if not source.startswith("/"):
        raise NotImplementedByDriver(f"named volumes are not supported: '{source}' is no absolute path")
    words = set(mode.split(","))
    propagations = words & _PROPAGATIONS
    if len(propagations) > 1 or words - _PROPAGATIONS - _IGNORED_MODES - {"ro"}:
        raise InvalidParameter(f"invalid mode: {mode}")
    propagation = next(iter(propagations), "rprivate")
    return Bind(source, _absolute(target), "ro" in words, propagation, create_source=True)


def _bind(mount: Mount) -> Bind:
    if not mount.source.startswith("/"):
        raise InvalidParameter(
            f"invalid mount config for type \"bind\": invalid mount path: '{mount.source}' "
            "mount path must be absolute"
        )
    propagation = mount.bind_options.propagation or "rprivate"
    if propagation not in _PROPAGATIONS:
        raise InvalidParameter(f"invalid propagation mode: {propagation}")
    return Bind(mount.source, _absolute(mount.target), mount.read_only, propagation)


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
    return target
