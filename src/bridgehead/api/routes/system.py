"""Who the daemon is and how it does: ping, version, info, disk use."""

import asyncio
import os
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from aiohttp import web

from bridgehead.api.call import Call, Entry
from bridgehead.api.reply import STANDARD, json
from bridgehead.api.version import NEWEST, OLDEST
from bridgehead.api.wire import image as image_wire
from bridgehead.api.wire import volume as volume_wire
from bridgehead.core.images.registries import HUB, HUB_INDEX, RegistryOptions
from bridgehead.core.model.container import Status

_PING = {
    **STANDARD,
    "Content-Type": "text/plain; charset=utf-8",
    "Cache-Control": "no-cache, no-store, must-revalidate",
    "Pragma": "no-cache",
    "Builder-Version": "1",
    "Swarm": "inactive",
    "Docker-Experimental": "false",
}
_NETWORK_DRIVERS = ("bridge", "host", "ipvlan", "macvlan", "null")


async def ping(_: Call) -> web.StreamResponse:
    return web.Response(body=b"OK", headers=_PING)


async def version(call: Call) -> web.StreamResponse:
    kernel = os.uname()
    details = {
        "ApiVersion": str(NEWEST),
        "MinAPIVersion": str(OLDEST),
        "Os": "linux",
        "Arch": _architecture(kernel.machine),
        "KernelVersion": kernel.release,
        "GitCommit": "",
        "GoVersion": "",
        "BuildTime": "",
        "Experimental": "false",
    }
    ours = call.identity.version
    legacy = {name: value for name, value in details.items() if name != "Experimental"}
    return json(
        {
            "Platform": {"Name": "Bridgehead"},
            "Components": [{"Name": "Engine", "Version": ours, "Details": details}],
            "Version": ours,
            "Experimental": False,
            **legacy,
        }
    )


async def info(call: Call) -> web.StreamResponse:
    return json(
        {
            **_constants(),
            **_machine(call),
            **_identity(call),
            **_counts(call),
            **_plugins(call),
            **_load(call),
        }
    )


def _counts(call: Call) -> dict[str, object]:
    snapshot = call.snapshot
    states = Counter(container.state.status for container in snapshot.containers.values())
    running = states[Status.RUNNING] + states[Status.RESTARTING]
    return {
        "Containers": len(snapshot.containers),
        "ContainersRunning": running,
        "ContainersPaused": states[Status.PAUSED],
        "ContainersStopped": len(snapshot.containers) - running - states[Status.PAUSED],
        "Images": len(snapshot.images),
    }


def _load(call: Call) -> dict[str, object]:
    """What the daemon holds, in Docker's words for it: a goroutine is a task here."""
    return {
        "NFd": len(os.listdir("/proc/self/fd")) - 1,  # noqa: PTH208 - the names are enough
        "NGoroutines": len(asyncio.all_tasks()),
        "NEventsListener": len(call.engine.events.listeners),
    }


def _identity(call: Call) -> dict[str, object]:
    identity = call.identity
    return {
        "ID": identity.engine_id,
        "Name": identity.host_name,
        "ServerVersion": identity.version,
        "DockerRootDir": call.face.layout.data_root,
        "DefaultRuntime": identity.runtime,
        "Runtimes": {identity.runtime: {"path": identity.runtime}},
        "FirewallBackend": {
            "Driver": identity.firewall,
            "Info": [["EnableUserlandProxy", "true" if identity.userland_proxy else "false"]],
        },
        "Debug": identity.debug,
        "Labels": list(identity.labels),
        "RegistryConfig": _registries(identity.registries),
        "DefaultAddressPools": [{"Base": base, "Size": size} for base, size in identity.pools],
    }


def _registries(options: RegistryOptions) -> dict[str, object]:
    """Docker Hub is the one index; what is insecure by name is listed beside it."""
    hub = {"Name": HUB, "Mirrors": list(options.mirrors), "Secure": True, "Official": True}
    insecure = [name for name in options.insecure if "/" not in name]
    named = {name: {"Name": name, "Mirrors": [], "Secure": False, "Official": False} for name in insecure}
    subnets = ["::1/128", "127.0.0.0/8", *(name for name in options.insecure if "/" in name)]
    return {
        "InsecureRegistryCIDRs": subnets,
        "IndexConfigs": {HUB: hub, **named},
        "Mirrors": list(options.mirrors),
    }


def _plugins(call: Call) -> dict[str, object]:
    """A plugin is listed while a network of its is there."""
    networks = call.snapshot.networks.values()
    drivers = {*_NETWORK_DRIVERS, *(network.driver for network in networks if network.driven_by_plugin)}
    named = {"Volume": ["local"], "Network": sorted(drivers), "Authorization": None, "Log": ["json-file"]}
    return {"Plugins": named}


def _warnings(call: Call, *, forwarding: bool) -> list[str] | None:
    said = [] if forwarding else ["WARNING: IPv4 forwarding is disabled"]
    said += [f"WARNING: networks wait for {reason}" for reason in call.engine.plugged.absent.values()]
    return said or None


def _machine(call: Call) -> dict[str, object]:
    kernel = os.uname()
    forwarding = _switch("net/ipv4/ip_forward")
    return {
        "KernelVersion": kernel.release,
        "Architecture": kernel.machine,
        "OperatingSystem": _operating_system(),
        "OSType": "linux",
        "OSVersion": "",
        "NCPU": os.cpu_count() or 1,
        "MemTotal": os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"),
        "IPv4Forwarding": forwarding,
        "Warnings": _warnings(call, forwarding=forwarding),
        "BridgeNfIptables": _switch("net/bridge/bridge-nf-call-iptables"),
        "BridgeNfIp6tables": _switch("net/bridge/bridge-nf-call-ip6tables"),
        "CgroupVersion": "2" if Path("/sys/fs/cgroup/cgroup.controllers").exists() else "1",
    }


def _constants() -> Mapping[str, object]:
    return {
        "Driver": "overlay2",
        "DriverStatus": [],
        "LoggingDriver": "json-file",
        "CgroupDriver": "cgroupfs",
        "Swarm": {"NodeID": "", "LocalNodeState": "inactive", "ControlAvailable": False},
        "IndexServerAddress": HUB_INDEX,
        "SecurityOptions": [],
        "LiveRestoreEnabled": True,  # containers outlive the daemon here, always
        "ExperimentalBuild": False,
        "HttpProxy": "",
        "HttpsProxy": "",
        "NoProxy": "",
        "MemoryLimit": True,
        "SwapLimit": True,
        "CpuCfsPeriod": True,
        "CpuCfsQuota": True,
        "CPUShares": True,
        "CPUSet": True,
        "PidsLimit": True,
        "OomKillDisable": False,
        "Isolation": "",
        "InitBinary": "",
    }


async def disk_use(call: Call) -> web.StreamResponse:
    sizes = await call.engine.images.layer_sizes()
    return json(
        {
            "LayersSize": sum(sizes.values()),
            "Images": _image_use(call, sizes),
            "Containers": [],
            "Volumes": await _volumes(call),
            "BuildCache": [],
        }
    )


def _image_use(call: Call, sizes: Mapping[str, int]) -> list[dict[str, object]]:
    images = call.snapshot.images.values()
    used = Counter(container.image for container in call.snapshot.containers.values())
    shared = image_wire.shared_sizes(images, sizes)
    return [image_wire.show(image, used[image.id], shared[image.id]) for image in images]


async def _volumes(call: Call) -> list[dict[str, object]]:
    present = call.engine.volumes.present()
    bytes_of = await call.engine.volumes.sizes(volume.id for volume in present)
    users = Counter(
        name
        for container in call.snapshot.containers.values()
        for name in {mount.volume for mount in container.spec.volumes}
    )
    return [volume_wire.measured(volume, call.face.layout, bytes_of, users) for volume in present]


def _switch(name: str) -> bool:
    try:
        return Path(f"/proc/sys/{name}").read_text().strip() == "1"
    except OSError:
        return False


def _operating_system() -> str:
    try:
        lines = Path("/etc/os-release").read_text().splitlines()
    except OSError:
        return "Linux"
    names = (line.partition("=")[2].strip('"') for line in lines if line.startswith("PRETTY_NAME="))
    return next(names, "Linux")


def _architecture(machine: str) -> str:
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine)


ENTRIES = (
    Entry("GET", "/_ping", ping),
    Entry("HEAD", "/_ping", ping),
    Entry("GET", "/version", version),
    Entry("GET", "/info", info),
    Entry("GET", "/system/df", disk_use),
)
