"""From the body of `POST /containers/create` to a ContainerRequest: checked for form alone."""

from collections.abc import Mapping
from typing import Any

import msgspec

from bridgehead.api.version import Version
from bridgehead.api.wire import endpoint, mounts, ports, processors
from bridgehead.api.wire.confinement import confinement
from bridgehead.api.wire.container_body import CreateBody, HostConfig, words
from bridgehead.core import exposed
from bridgehead.core.model.addresses import parse_mac
from bridgehead.core.model.container import Limits, RestartPolicy
from bridgehead.core.model.errors import InvalidParameter
from bridgehead.core.model.network import EndpointWish
from bridgehead.core.model.requests import ContainerRequest

_SEVERAL_ENDPOINTS = Version(1, 44)
_PERIOD_US = 100_000


def request(asked: CreateBody, document: Mapping[str, Any], name: str, version: Version) -> ContainerRequest:
    """`document` is the body as it was sent: what of it is not understood is kept in the echoes.

    Raises:
        InvalidParameter: a text in it does not parse.
    """
    host = asked.host_config
    mode = _network_mode(asked)
    return ContainerRequest(
        name=name,
        image=asked.image,
        entrypoint=words(asked.entrypoint),
        command=words(asked.cmd),
        environment=tuple(asked.env),
        working_directory=asked.working_dir,
        user=asked.user,
        tty=asked.tty,
        open_stdin=asked.open_stdin,
        stdin_once=asked.stdin_once,
        hostname=asked.hostname,
        domainname=asked.domainname,
        network_mode=mode,
        networks=_networks(asked, mode, version),
        mac=parse_mac(asked.mac_address) if asked.mac_address else "",
        binds=mounts.binds(host),
        volumes=mounts.volumes(host),
        volumes_from=tuple(host.volumes_from),
        kept_paths=mounts.kept_paths(host, asked.volumes),
        tmpfs=mounts.tmpfs(host),
        limits=limits(host),
        confinement=confinement(host),
        restart=restart(host),
        auto_remove=host.auto_remove,
        privileged=host.privileged,
        cap_add=tuple(host.cap_add),
        cap_drop=tuple(host.cap_drop),
        read_only_rootfs=host.readonly_rootfs,
        dns=tuple(host.dns),
        dns_search=tuple(host.dns_search),
        dns_options=tuple(host.dns_options),
        extra_hosts=tuple(host.extra_hosts),
        exposed_ports=exposed.spelled((*asked.exposed_ports, *host.port_bindings)),
        published_ports=ports.published(host.port_bindings),
        publish_all=host.publish_all_ports,
        links=() if mode != "bridge" else tuple(endpoint.link(text) for text in host.links),
        sysctls=host.sysctls,
        stop_signal=asked.stop_signal,
        stop_timeout_s=asked.stop_timeout,
        health=asked.healthcheck.value() if asked.healthcheck else None,
        shell=tuple(asked.shell),
        labels=asked.labels,
        config_echo=_echo({key: document[key] for key in document if key not in _PARTS}),
        host_config_echo=_echo(document.get("HostConfig", {})),
    )


_PARTS = ("HostConfig", "NetworkingConfig")


def _network_mode(asked: CreateBody) -> str:
    if asked.network_disabled:
        return "none"
    return _network_name(asked.host_config.network_mode)


def _network_name(name: str) -> str:
    return "bridge" if name in ("", "default") else name


def _networks(asked: CreateBody, mode: str, version: Version) -> Mapping[str, EndpointWish]:
    """The wishes by network; links meant for a user's network belong to the network mode's own."""
    settings = {
        _network_name(name): value for name, value in asked.networking_config.endpoints_config.items()
    }
    if len(settings) > 1 and version < _SEVERAL_ENDPOINTS:
        raise InvalidParameter(
            f"Container cannot be created with multiple network endpoints: {', '.join(sorted(settings))}"
        )
    links = asked.host_config.links if mode != "bridge" else []
    if links:
        settings.setdefault(mode, endpoint.EndpointSettings())
    return {name: endpoint.wish(value, links if name == mode else ()) for name, value in settings.items()}


def limits(host: HostConfig) -> Limits:
    quota, period = host.cpu_quota, host.cpu_period
    if host.nano_cpus:
        if quota or period:
            raise InvalidParameter("Conflicting options: Nano CPUs and CPU Period cannot both be set")
        quota, period = host.nano_cpus * _PERIOD_US // 10**9, _PERIOD_US
    return Limits(
        memory=host.memory,
        memory_reservation=host.memory_reservation,
        memory_swap=host.memory_swap,
        cpu_shares=host.cpu_shares,
        cpu_quota=quota,
        cpu_period=period,
        cpuset_cpus=processors.checked(host.cpuset_cpus, "cpus"),
        pids=max(0, host.pids_limit),
        cpuset_mems=processors.checked(host.cpuset_mems, "mems"),
        block_weight=host.blkio_weight,
    )


def restart(host: HostConfig) -> RestartPolicy:
    policy = host.restart_policy
    name = policy.name or "no"
    if name not in ("no", "always", "unless-stopped", "on-failure"):
        raise InvalidParameter(
            f"invalid restart policy: unknown policy '{name}'; use one of 'no', 'always', "
            "'on-failure', or 'unless-stopped'"
        )
    if policy.maximum_retry_count < 0:
        raise InvalidParameter("invalid restart policy: maximum retry count cannot be negative")
    if policy.maximum_retry_count and name != "on-failure":
        raise InvalidParameter(
            "invalid restart policy: maximum retry count can only be used with 'on-failure'"
        )
    return RestartPolicy(name=name, maximum=policy.maximum_retry_count)


def _echo(document: Mapping[str, Any]) -> str:
    return msgspec.json.encode(document).decode()
