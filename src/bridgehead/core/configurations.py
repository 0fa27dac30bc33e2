"""Configuration networks: nothing on any machine, only settings that other networks are made from.

Source: behaviour.md 1.4 and 1.17.
"""

from dataclasses import replace

from bridgehead.core.model.errors import Forbidden, NotFound
from bridgehead.core.model.network import Subnet
from bridgehead.core.model.requests import NetworkRequest, SubnetRequest
from bridgehead.core.model.snapshot import Snapshot

DRIVER = "null"  # as Docker lists them


def check(request: NetworkRequest) -> None:
    """
    Raises:
        Forbidden: the request mixes what a configuration says with what the networks made from it say.
    """
    if request.config_only and (request.internal or request.attachable or request.ingress or request.scope):
        raise Forbidden(
            "configuration network can only contain network specific fields. Network operator fields like "
            "[ ingress | internal | attachable | scope ] are not supported."
        )
    if request.config_only and request.config_from:
        raise Forbidden("a configuration network cannot depend on another configuration network")
    if not request.config_from:
        return
    if request.subnets or request.ipv6 or request.ipam_options or request.ipam_driver not in {"", "default"}:
        raise Forbidden(
            "user-specified configurations are not supported if the network depends on a configuration "
            "network"
        )
    if request.options:
        raise Forbidden(
            "network driver options are not supported if the network depends on a configuration network"
        )


def applied(request: NetworkRequest, snapshot: Snapshot) -> NetworkRequest:
    """The request with the settings of the configuration network it names.

    Raises:
        NotFound: there is none of that name.
    """
    source = snapshot.network_named(request.config_from)
    if source is None or not source.config_only:
        raise NotFound(f'configuration network "{request.config_from}" does not exist')
    return replace(
        request,
        subnets=tuple(map(_asked, source.template)),
        options=source.options,
        labels={**source.labels, **request.labels},
        ipam_driver=source.ipam_driver,
        ipam_options=source.ipam_options,
        ipv4=source.ipv4,
        ipv6=source.ipv6,
    )


def _asked(subnet: Subnet) -> SubnetRequest:
    return SubnetRequest(
        str(subnet.prefix),
        str(subnet.ip_range or ""),
        str(subnet.gateway or ""),
        {name: str(address) for name, address in subnet.auxiliary.items()},
    )
