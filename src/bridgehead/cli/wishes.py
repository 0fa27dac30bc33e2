"""What `run` and `create` may say, and how it reads in the API's container create request."""

from collections.abc import Iterator, Sequence
from os import environ
from pathlib import Path
from typing import TypedDict

from bridgehead.cli.client import Body, CommandFailed, pairs, reason
from bridgehead.cli.endpoints import EndpointWishes, endpoints, network_mode
from bridgehead.cli.mounts import anonymous, binds
from bridgehead.cli.ports import exposed, port_bindings
from bridgehead.cli.surroundings import SurroundingWishes, capability, health, surroundings

NANO = 1_000_000_000


class LimitWishes(TypedDict):
    """The options that `create` and `update` share."""

    blkio_weight: int
    cpu_period: int
    cpu_quota: int
    cpu_rt_period: int
    cpu_rt_runtime: int
    cpu_shares: int
    cpus: float
    cpuset_cpus: str
    cpuset_mems: str
    memory: int
    memory_reservation: int
    memory_swap: int
    pids_limit: int


class Wishes(EndpointWishes, LimitWishes, SurroundingWishes):
    """The options of `create`, by their names on the command line."""

    name: str
    attach: tuple[str, ...]
    cidfile: str
    interactive: bool
    tty: bool
    env: tuple[str, ...]
    env_file: tuple[str, ...]
    hostname: str
    domainname: str
    workdir: str
    user: str
    volume: tuple[str, ...]
    tmpfs: tuple[str, ...]
    entrypoint: str | None
    restart: str
    rm: bool
    label: tuple[str, ...]
    label_file: tuple[str, ...]
    add_host: tuple[str, ...]
    dns: tuple[str, ...]
    dns_search: tuple[str, ...]
    dns_option: tuple[str, ...]
    publish: tuple[str, ...]
    publish_all: bool
    expose: tuple[str, ...]
    cap_add: tuple[str, ...]
    cap_drop: tuple[str, ...]
    privileged: bool
    read_only: bool
    sysctl: tuple[str, ...]
    stop_signal: str
    stop_timeout: int | None
    pull: str
    platform: str
    quiet: bool


class Attached(TypedDict):
    """Which of the three streams the client will hold from the start."""

    stdin: bool
    output: bool


def container_body(image: str, command: Sequence[str], wishes: Wishes, attached: Attached) -> Body:
    """Only what was said is sent; the daemon's defaults hold for the rest."""
    config: dict[str, object] = {
        "Image": image,
        "Cmd": list(command) or None,
        "Entrypoint": None if wishes["entrypoint"] is None else [wishes["entrypoint"]],
        "Hostname": wishes["hostname"],
        "Domainname": wishes["domainname"],
        "User": wishes["user"],
        "WorkingDir": wishes["workdir"],
        "Env": list(environment(wishes["env"], wishes["env_file"])),
        "Labels": _labels(wishes),
        "Tty": wishes["tty"],
        "OpenStdin": wishes["interactive"],
        "StdinOnce": attached["stdin"],
        "AttachStdin": attached["stdin"],
        "AttachStdout": attached["output"],
        "AttachStderr": attached["output"],
        "ExposedPorts": exposed(wishes["expose"], wishes["publish"]),
    }
    volumes = anonymous(wishes["volume"])
    config |= {"Volumes": volumes} if volumes else {}
    checked = health(wishes)
    config |= {"Healthcheck": checked} if checked else {}
    config |= {"StopSignal": wishes["stop_signal"]} if wishes["stop_signal"] else {}
    config |= {"StopTimeout": wishes["stop_timeout"]} if wishes["stop_timeout"] is not None else {}
    config |= {"MacAddress": wishes["mac_address"]} if wishes["mac_address"] else {}
    return {
        **config,
        "HostConfig": _host_config(wishes),
        "NetworkingConfig": {"EndpointsConfig": endpoints(wishes)},
    }


def _labels(wishes: Wishes) -> Body:
    """Files first, so that a word on the command line wins."""
    lines = (line.strip() for file in wishes["label_file"] for line in _lines(file))
    words = [line for line in lines if line and not line.startswith("#")]
    return dict(_pair(word) for word in (*words, *wishes["label"]))


def _host_config(wishes: Wishes) -> Body:
    if wishes["rm"] and wishes["restart"] not in {"", "no"}:
        raise CommandFailed("conflicting options: cannot specify both --restart and --rm", 125)
    mode = network_mode(wishes)
    return {
        "NetworkMode": mode,
        "Binds": binds(wishes["volume"]),
        "Tmpfs": {path: options for path, _, options in (word.partition(":") for word in wishes["tmpfs"])},
        "RestartPolicy": restart_policy(wishes["restart"]),
        "AutoRemove": wishes["rm"],
        "Privileged": wishes["privileged"],
        "ReadonlyRootfs": wishes["read_only"],
        "CapAdd": [capability(word) for word in wishes["cap_add"]],
        "CapDrop": [capability(word) for word in wishes["cap_drop"]],
        "Dns": list(wishes["dns"]),
        "DnsSearch": list(wishes["dns_search"]),
        "DnsOptions": list(wishes["dns_option"]),
        "ExtraHosts": list(wishes["add_host"]),
        "Links": list(wishes["link"]),
        "Sysctls": pairs(wishes["sysctl"]),
        "PortBindings": port_bindings(wishes["publish"]),
        "PublishAllPorts": wishes["publish_all"],
        **limits(wishes),
        **surroundings(wishes),
    }


def limits(wishes: LimitWishes) -> Body:
    return {
        "BlkioWeight": wishes["blkio_weight"],
        "CpuPeriod": wishes["cpu_period"],
        "CpuQuota": wishes["cpu_quota"],
        "CpuRealtimePeriod": wishes["cpu_rt_period"],
        "CpuRealtimeRuntime": wishes["cpu_rt_runtime"],
        "CpuShares": wishes["cpu_shares"],
        "CpusetCpus": wishes["cpuset_cpus"],
        "CpusetMems": wishes["cpuset_mems"],
        "Memory": wishes["memory"],
        "MemoryReservation": wishes["memory_reservation"],
        "MemorySwap": wishes["memory_swap"],
        "NanoCpus": round(wishes["cpus"] * NANO),
        "PidsLimit": wishes["pids_limit"],
    }


def environment(words: Sequence[str], files: Sequence[str]) -> Iterator[str]:
    """Files first, so that a word on the command line wins. A bare name takes our own value, if any."""
    lines = (line.strip() for file in files for line in _lines(file))
    for word in (*(line for line in lines if line and not line.startswith("#")), *words):
        if "=" in word:
            yield word
        elif word in environ:
            yield f"{word}={environ[word]}"


def _lines(file: str) -> list[str]:
    try:
        return Path(file).read_text().splitlines()
    except OSError as error:
        raise CommandFailed(f"open {file}: {reason(error)}", 125) from error


def restart_policy(text: str) -> Body:
    name, colon, count = text.partition(":")
    if colon and not count.isdigit():
        raise CommandFailed("invalid restart policy format: maximum retry count must be an integer", 125)
    return {"Name": name or "no", "MaximumRetryCount": int(count or 0)}


def _pair(word: str) -> tuple[str, str]:
    key, _, value = word.partition("=")
    return key, value
