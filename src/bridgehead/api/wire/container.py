"""Containers as inspect and lists show them."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from bridgehead.api.wire import attachments, container_state, mounts, ports
from bridgehead.api.wire.moment import SECOND, since_epoch
from bridgehead.core import links
from bridgehead.core.images.commit import container_config
from bridgehead.core.layout import Layout
from bridgehead.core.model.container import Container, Image
from bridgehead.core.model.snapshot import Snapshot

# What Docker shows of a configuration where its client said nothing.
_CONFIG: Mapping[str, object] = {
    "Hostname": "",
    "Domainname": "",
    "User": "",
    "AttachStdin": False,
    "AttachStdout": False,
    "AttachStderr": False,
    "Tty": False,
    "OpenStdin": False,
    "StdinOnce": False,
    "Env": [],
    "Cmd": None,
    "Image": "",
    "Volumes": None,
    "WorkingDir": "",
    "Entrypoint": None,
    "OnBuild": None,
    "Labels": {},
}
_HOST_CONFIG: Mapping[str, object] = {
    "Binds": None,
    "ContainerIDFile": "",
    "LogConfig": {"Type": "json-file", "Config": {}},
    "NetworkMode": "bridge",
    "PortBindings": {},
    "RestartPolicy": {"Name": "no", "MaximumRetryCount": 0},
    "AutoRemove": False,
    "VolumeDriver": "",
    "VolumesFrom": None,
    "ConsoleSize": [0, 0],
    "CapAdd": None,
    "CapDrop": None,
    "CgroupnsMode": "private",
    "Dns": [],
    "DnsOptions": [],
    "DnsSearch": [],
    "ExtraHosts": None,
    "GroupAdd": None,
    "IpcMode": "private",
    "Cgroup": "",
    "Links": None,
    "OomScoreAdj": 0,
    "PidMode": "",
    "Privileged": False,
    "PublishAllPorts": False,
    "ReadonlyRootfs": False,
    "SecurityOpt": None,
    "UTSMode": "",
    "UsernsMode": "",
    "ShmSize": 67108864,
    "Runtime": "runc",
    "Isolation": "",
    "CpuShares": 0,
    "Memory": 0,
    "NanoCpus": 0,
    "CgroupParent": "",
    "BlkioWeight": 0,
    "CpuPeriod": 0,
    "CpuQuota": 0,
    "CpusetCpus": "",
    "CpusetMems": "",
    "Devices": [],
    "MemoryReservation": 0,
    "MemorySwap": 0,
    "OomKillDisable": None,
    "PidsLimit": None,
    "Ulimits": [],
    "MaskedPaths": [],
    "ReadonlyPaths": [],
}


def show(
    container: Container, view: attachments.View, layout: Layout, execs: Iterable[str] = ()
) -> dict[str, object]:
    snapshot = view.snapshot
    folder = layout.container(view.lender(container.id))
    argv = container.spec.process.argv
    return {
        "Id": container.id,
        "Created": container.created,
        "Path": argv[0] if argv else "",
        "Args": list(argv[1:]),
        "State": container_state.show(container.state),
        "Image": container.image,
        "ResolvConfPath": f"{folder}/resolv.conf",
        "HostnamePath": f"{folder}/hostname",
        "HostsPath": f"{folder}/hosts",
        "LogPath": f"{layout.container(container.id)}/container.log",
        "Name": f"/{container.name}",
        "RestartCount": container.state.restarts,
        "Driver": "overlay2",
        "Platform": "linux",
        "MountLabel": "",
        "ProcessLabel": "",
        "AppArmorProfile": "",
        "ExecIDs": list(execs) or None,
        "HostConfig": _host_config(container, snapshot),
        "GraphDriver": {"Name": "overlay2", "Data": {"MergedDir": layout.rootfs(container.id)}},
        "Mounts": mounts.show(container, snapshot, layout),
        "Config": _config(container, snapshot.images.get(container.image)),
        "NetworkSettings": attachments.settings(container, view, layout),
    }


def summarise(container: Container, view: attachments.View, layout: Layout, now: int) -> dict[str, object]:
    """As a list shows it."""
    reached = container_state.alive(container.state) and container.spec.joins is None
    return {
        "Id": container.id,
        "Names": view.names(container),
        "Image": container.image_reference,
        "ImageID": container.image,
        "Command": " ".join(_quoted(word) for word in container.spec.process.argv),
        "Created": since_epoch(container.created) // SECOND,
        "Ports": ports.listed(container, view.ports(container.id)) if reached else [],
        "Labels": dict(container.spec.labels),
        "State": container.state.status.value,
        "Status": container_state.sentence(container.state, now),
        "HostConfig": {"NetworkMode": container.spec.network_mode},
        "NetworkSettings": {"Networks": attachments.networks(container, view)},
        "Mounts": mounts.show(container, view.snapshot, layout),
    }


def _host_config(container: Container, snapshot: Snapshot) -> dict[str, object]:
    shown = {**_HOST_CONFIG, **_document(container.host_config_echo)}
    shown["NetworkMode"] = container.spec.network_mode
    shown["LogConfig"] = _log_config(shown["LogConfig"])
    told = (
        f"/{item.source.name}:/{container.name}/{item.alias}" for item in links.linked(snapshot, container)
    )
    shown["Links"] = list(told) or None
    shown["RestartPolicy"] = {
        "Name": container.spec.restart.name,
        "MaximumRetryCount": container.spec.restart.maximum,
    }
    return shown


def _log_config(said: object) -> Mapping[str, object]:
    """Clients send an empty type for "the usual"."""
    usual: Mapping[str, object] = {"Type": "json-file", "Config": {}}
    return (
        {**usual, **{key: value for key, value in said.items() if value}} if isinstance(said, dict) else usual
    )


def _config(container: Container, image: Image | None) -> dict[str, object]:
    """The client's words, with what was really made of them where that says more."""
    return {**_CONFIG, **container_config(container, image)}


def _document(echo: str) -> dict[str, Any]:
    return msgspec.json.decode(echo, type=dict[str, Any])


def _quoted(word: str) -> str:
    return f"'{word}'" if " " in word else word
