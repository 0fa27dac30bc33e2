"""What surrounds a container's process: devices, ulimits, health checks, logs, namespaces, security."""

import json
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path
from typing import TypedDict

from bridgehead.cli.client import Body, CommandFailed, pairs
from bridgehead.cli.format import byte_count
from bridgehead.cli.moments import PART, RELATIVE, SECONDS

NANO = 1_000_000_000
PERMISSIONS = set("rwm")


class SurroundingWishes(TypedDict):
    annotation: tuple[str, ...]
    blkio_weight_device: tuple[str, ...]
    device_read_bps: tuple[str, ...]
    device_read_iops: tuple[str, ...]
    device_write_bps: tuple[str, ...]
    device_write_iops: tuple[str, ...]
    cgroup_parent: str
    cgroupns: str
    device: tuple[str, ...]
    device_cgroup_rule: tuple[str, ...]
    group_add: tuple[str, ...]
    health_cmd: str
    health_interval: int
    health_retries: int
    health_start_interval: int
    health_start_period: int
    health_timeout: int
    no_healthcheck: bool
    init: bool
    ipc: str
    log_driver: str
    log_opt: tuple[str, ...]
    memory_swappiness: int
    mount: tuple[Body, ...]
    oom_kill_disable: bool
    oom_score_adj: int
    pid: str
    runtime: str
    security_opt: tuple[str, ...]
    shm_size: int
    storage_opt: tuple[str, ...]
    ulimit: tuple[Body, ...]
    userns: str
    uts: str
    volume_driver: str
    volumes_from: tuple[str, ...]


def surroundings(wishes: SurroundingWishes) -> Body:
    """The part of the API's `HostConfig` that was asked for; nothing else is said."""
    _check(wishes)
    swappiness = wishes["memory_swappiness"]
    said = {
        "Annotations": pairs(wishes["annotation"]),
        **_device_limits(wishes),
        "CgroupParent": wishes["cgroup_parent"],
        "CgroupnsMode": wishes["cgroupns"],
        "Devices": [device(word) for word in wishes["device"]],
        "DeviceCgroupRules": list(wishes["device_cgroup_rule"]),
        "GroupAdd": list(wishes["group_add"]),
        "Init": wishes["init"],
        "IpcMode": wishes["ipc"],
        "LogConfig": _logging(wishes),
        "Mounts": list(wishes["mount"]),
        "OomKillDisable": wishes["oom_kill_disable"],
        "OomScoreAdj": wishes["oom_score_adj"],
        "PidMode": wishes["pid"],
        "Runtime": wishes["runtime"],
        "SecurityOpt": [_security(word) for word in wishes["security_opt"]],
        "ShmSize": wishes["shm_size"],
        "StorageOpt": pairs(wishes["storage_opt"]),
        "Ulimits": list(wishes["ulimit"]),
        "UsernsMode": wishes["userns"],
        "UTSMode": wishes["uts"],
        "VolumeDriver": wishes["volume_driver"],
        "VolumesFrom": list(wishes["volumes_from"]),
    }
    given: dict[str, object] = {key: value for key, value in said.items() if value}
    return given | ({"MemorySwappiness": swappiness} if swappiness >= 0 else {})


def _device_limits(wishes: SurroundingWishes) -> Body:
    return {
        "BlkioWeightDevice": [_limit(word, "Weight", int) for word in wishes["blkio_weight_device"]],
        "BlkioDeviceReadBps": [_limit(word, "Rate", byte_count) for word in wishes["device_read_bps"]],
        "BlkioDeviceReadIOps": [_limit(word, "Rate", int) for word in wishes["device_read_iops"]],
        "BlkioDeviceWriteBps": [_limit(word, "Rate", byte_count) for word in wishes["device_write_bps"]],
        "BlkioDeviceWriteIOps": [_limit(word, "Rate", int) for word in wishes["device_write_iops"]],
    }


def _limit(word: str, name: str, read: Callable[[str], int]) -> Body:
    """`/dev/sda:1mb`"""
    path, colon, number = word.rpartition(":")
    if not colon or not path.startswith("/dev/"):
        raise CommandFailed(f"bad format for device path: {word}", 125)
    try:
        return {"Path": path, name: read(number)}
    except ValueError as error:
        raise CommandFailed(f"invalid {name.lower()} for device: {word}", 125) from error


def _check(wishes: SurroundingWishes) -> None:
    pid = wishes["pid"]
    if pid not in {"", "host"} and not pid.startswith("container:"):
        raise CommandFailed("--pid: invalid PID mode", 125)
    for option, value, mode in (("uts", wishes["uts"], "UTS"), ("userns", wishes["userns"], "USER")):
        if value not in {"", "host"}:
            raise CommandFailed(f"--{option}: invalid {mode} mode", 125)
    if wishes["cgroupns"] not in {"", "host", "private"}:
        raise CommandFailed("--cgroupns: invalid CGROUP mode", 125)


def _logging(wishes: SurroundingWishes) -> Body | None:
    if not wishes["log_driver"] and not wishes["log_opt"]:
        return None
    return {"Type": wishes["log_driver"], "Config": pairs(wishes["log_opt"])}


def _security(word: str) -> str:
    """A seccomp profile is read here: the daemon may not see our files."""
    key, separator, file = word.partition("=")
    if key != "seccomp" or not separator or file in {"unconfined", "builtin"}:
        return word
    try:
        return f"seccomp={json.dumps(json.loads(Path(file).read_text()), separators=(',', ':'))}"
    except OSError as error:
        raise CommandFailed(f"opening seccomp profile ({file}) failed: {error}", 125) from error
    except ValueError as error:
        raise CommandFailed(f"compacting json for seccomp profile ({file}) failed: {error}", 125) from error


def device(word: str) -> Body:
    """`/dev/a[:/dev/b][:rwm]`"""
    source, *rest = word.split(":")
    if not source or len(rest) > 2:
        raise CommandFailed(f"bad format for path: {word}", 125)
    allowed = rest.pop() if rest and set(rest[-1]) <= PERMISSIONS else "rwm"
    target = rest[0] if rest else source
    return {"PathOnHost": source, "PathInContainer": target, "CgroupPermissions": allowed}


def ulimit(text: str) -> Body:
    """`name=soft[:hard]`

    Raises:
        ValueError: it is not.
    """
    name, equals, numbers = text.partition("=")
    soft, colon, hard = numbers.partition(":")
    if not equals:
        raise ValueError(f"invalid ulimit argument: {text}")
    try:
        low, high = int(soft), int(hard if colon else soft)
    except ValueError as error:
        raise ValueError(f"invalid ulimit argument: {text}") from error
    if high != -1 and (low > high or low == -1):
        raise ValueError(f"ulimit soft limit must be less than or equal to hard limit: {low} > {high}")
    return {"Name": name, "Soft": low, "Hard": high}


def health(wishes: SurroundingWishes) -> Body | None:
    """The API's `Healthcheck`; None when nothing was said about it."""
    numbers = {
        "Interval": wishes["health_interval"],
        "Timeout": wishes["health_timeout"],
        "StartPeriod": wishes["health_start_period"],
        "StartInterval": wishes["health_start_interval"],
        "Retries": wishes["health_retries"],
    }
    said: dict[str, object] = {key: value for key, value in numbers.items() if value}
    if wishes["health_cmd"]:
        said["Test"] = ["CMD-SHELL", wishes["health_cmd"]]
    if wishes["no_healthcheck"]:
        if said:
            raise CommandFailed("--no-healthcheck conflicts with --health-* options", 125)
        return {"Test": ["NONE"]}
    return said or None


def nanoseconds(text: str) -> int:
    """`1m30s`

    Raises:
        ValueError: it is not.
    """
    if text == "0":
        return 0
    if not RELATIVE.fullmatch(text):
        raise ValueError(f'time: invalid duration "{text}"')
    return round(sum(float(number) * SECONDS[unit] for number, unit in PART.findall(text)) * NANO)


def name_server(text: str) -> str:
    """Raises:
    ValueError: it is no address.
    """
    try:
        return str(ip_address(text))
    except ValueError as error:
        raise ValueError(f"IP address is not correctly formatted: {text}") from error


def host_address(text: str) -> str:
    """`name:address` or `name=address`, as the API has it.

    Raises:
        ValueError: a part is missing.
    """
    separator = "=" if "=" in text else ":"
    name, found, address = text.partition(separator)
    if not found or not name or not address:
        raise ValueError(f'bad format for add-host: "{text}"')
    return f"{name}:{address.strip('[]')}"


def capability(word: str) -> str:
    name = word.upper()
    return name if name == "ALL" or name.startswith("CAP_") else f"CAP_{name}"
