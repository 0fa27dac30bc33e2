"""The network object, and the bodies that make, join and leave one."""

from collections.abc import Iterable, Mapping

from msgspec import Raw, Struct, field

from bridgehead.api.wire.endpoint import EndpointSettings
from bridgehead.core import gateway_service
from bridgehead.core.model.container import Container
from bridgehead.core.model.network import Endpoint, Network, Phase, Subnet
from bridgehead.core.model.requests import NetworkRequest, SubnetRequest
from bridgehead.core.model.snapshot import Snapshot


class SubnetBody(Struct, rename="pascal"):
    subnet: str = ""
    ip_range: str = field(default="", name="IPRange")
    gateway: str = ""
    auxiliary: dict[str, str] = field(default_factory=dict, name="AuxiliaryAddresses")


class IPAMBody(Struct, rename="pascal"):
    driver: str = ""
    options: dict[str, str] | None = None
    config: list[SubnetBody] = []


class ConfigFromBody(Struct, rename="pascal"):
    network: str = ""


class CreateBody(Struct, rename="pascal"):
    name: str = ""
    driver: str = ""
    scope: str = ""
    enable_ipv4: bool = field(default=True, name="EnableIPv4")
    enable_ipv6: bool = field(default=False, name="EnableIPv6")
    ipam: IPAMBody = field(default_factory=IPAMBody, name="IPAM")
    internal: bool = False
    attachable: bool = False
    ingress: bool = False
    config_only: bool = False
    config_from: ConfigFromBody = field(default_factory=ConfigFromBody)
    options: dict[str, str] = {}
    labels: dict[str, str] = {}


class ConnectBody(Struct, rename="pascal"):
    container: str = ""
    endpoint_config: EndpointSettings = field(default_factory=EndpointSettings)


class DisconnectBody(Struct, rename="pascal"):
    container: str = ""
    force: bool = False


def request(body: CreateBody) -> NetworkRequest:
    return NetworkRequest(
        name=body.name.strip(),
        driver=body.driver or "bridge",
        subnets=tuple(_subnet_request(entry) for entry in body.ipam.config),
        options=body.options,
        labels=body.labels,
        ipam_driver=body.ipam.driver or "default",
        ipam_options=body.ipam.options or {},
        internal=body.internal,
        attachable=body.attachable,
        ipv4=body.enable_ipv4,
        ipv6=body.enable_ipv6,
        ingress=body.ingress,
        scope=body.scope,
        config_only=body.config_only,
        config_from=body.config_from.network,
    )


def _subnet_request(body: SubnetBody) -> SubnetRequest:
    return SubnetRequest(
        subnet=body.subnet, ip_range=body.ip_range, gateway=body.gateway, auxiliary=body.auxiliary
    )


def show(network: Network) -> dict[str, object]:
    """As a list shows it: without its containers."""
    return {
        "Name": network.name,
        "Id": network.id,
        "Created": network.created,
        "Scope": network.scope,
        "Driver": network.driver,
        "EnableIPv4": network.ipv4,
        "EnableIPv6": network.ipv6,
        "IPAM": {
            "Driver": network.ipam_driver,
            "Options": None if network.ipam_options is None else dict(network.ipam_options),
            "Config": _show_subnets(network),
        },
        "Internal": network.internal,
        "Attachable": network.attachable,
        "Ingress": False,
        "ConfigFrom": {"Network": network.config_from},
        "ConfigOnly": network.config_only,
        "Containers": {},
        "Options": dict(network.options),
        "Labels": dict(network.labels),
    }


def show_whole(network: Network, snapshot: Snapshot, absent: Mapping[str, str]) -> dict[str, object]:
    """As an inspect shows it: with the containers attached now. `absent`: plugins that do not answer,
    and why; only where there is something to say, `Status` says it.
    """
    attached = (end for end in snapshot.network_endpoints(network.id) if end.phase is Phase.READY)
    status = _status(network, absent)
    return {
        **show(network),
        "Containers": _show_attached(attached, snapshot),
        **({"Status": status} if status else {}),
    }


def _status(network: Network, absent: Mapping[str, str]) -> dict[str, str]:
    said = {"Phase": "being removed"} if network.phase is Phase.LEAVING else {}
    for plugin in (network.driver, network.ipam_driver):
        if plugin in absent:
            said["Waiting"] = absent[plugin]
    return said


def _show_attached(endpoints: Iterable[Endpoint], snapshot: Snapshot) -> dict[str, object]:
    shown: dict[str, object] = {}
    for endpoint in endpoints:
        container = snapshot.containers.get(endpoint.container)
        texts = {address.version: str(address) for address in endpoint.addresses}
        shown[endpoint.container if container else f"ep-{endpoint.id}"] = {
            "Name": _shown_name(endpoint, container),
            "EndpointID": endpoint.id,
            "MacAddress": endpoint.mac,
            "IPv4Address": texts.get(4, ""),
            "IPv6Address": texts.get(6, ""),
            **_driver_said(endpoint),
        }
    return shown


def _shown_name(endpoint: Endpoint, container: Container | None) -> str:
    if endpoint.service:
        return gateway_service.shown_name(endpoint)
    return container.name if container else ""


def _driver_said(endpoint: Endpoint) -> dict[str, object]:
    """What a plugin had to say of it, if anything: Docker asks and does not show it."""
    said = endpoint.plugged.said if endpoint.plugged else ""
    return {"DriverInfo": Raw(said.encode())} if said else {}


def _show_subnets(network: Network) -> list[dict[str, object]]:
    """The null IPAM driver's pool is everywhere."""
    if network.ipam_driver == "null" and not network.config_only:
        everywhere = ["0.0.0.0/0"] * network.ipv4 + ["::/0"] * network.ipv6
        return [{"Subnet": prefix} for prefix in everywhere]
    return [_show_subnet(subnet) for subnet in network.subnets or network.template]


def _show_subnet(subnet: Subnet) -> dict[str, object]:
    shown: dict[str, object] = {"Subnet": str(subnet.prefix)}
    if subnet.ip_range is not None:
        shown["IPRange"] = str(subnet.ip_range)
    if subnet.gateway is not None:
        shown["Gateway"] = str(subnet.gateway)
    if subnet.auxiliary:
        shown["AuxiliaryAddresses"] = {name: str(address) for name, address in subnet.auxiliary.items()}
    return shown
